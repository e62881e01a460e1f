"""Files that may be attached to a lot: known by their content, not by what the uploader calls them. Pure."""

from __future__ import annotations

import io
import unicodedata
import zipfile
import zlib

from django.utils.translation import gettext_lazy as _

from daicho.core.errors import BusinessError

MOST_BYTES = 10 * 1024 * 1024
MOST_FILES = 20
NAME_LENGTH = 150

PDF, PNG, JPEG, TEXT, CSV = "application/pdf", "image/png", "image/jpeg", "text/plain", "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
# What a file of each type may be called.
ENDINGS: dict[str, tuple[str, ...]] = {
    PDF: ("pdf",), PNG: ("png",), JPEG: ("jpg", "jpeg"), TEXT: ("txt",), CSV: ("csv",), XLSX: ("xlsx",), DOCX: ("docx",),
}  # fmt: skip
ACCEPTED = tuple(f".{ending}" for endings in ENDINGS.values() for ending in endings)
_OFFICE = {"xl/workbook.xml": XLSX, "word/document.xml": DOCX}
_MOST_PARTS = 10_000
_RESERVED = frozenset('<>:"/\\|?*')


def ensure_file(name: str, content: bytes) -> tuple[str, str]:
    """The name to keep and the media type of a file that may be attached.

    Raises `file_empty`, `file_too_large` (10 MB), `file_type_refused` (422).
    """
    if not content:
        raise BusinessError("file_empty", 422, _("The file is empty."))
    if len(content) > MOST_BYTES:
        raise BusinessError("file_too_large", 422, _("The file is larger than 10 MB."))
    kept = safe_name(name)
    _stem, dot, ending = kept.lower().rpartition(".")
    media_type = media_type_of(content)
    if media_type == TEXT and ending in ENDINGS[CSV]:
        media_type = CSV
    if media_type is None or not dot or ending not in ENDINGS[media_type]:
        raise BusinessError(
            "file_type_refused", 422,
            _("This file cannot be attached. PDF, PNG, JPEG, text, CSV, XLSX and DOCX can, with their usual ending."),
        )  # fmt: skip
    return kept, media_type


def media_type_of(content: bytes) -> str | None:
    """What the content is, or None for what cannot be attached. Office files with macros cannot."""
    if content.startswith(b"%PDF-"):
        return PDF
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if content.startswith(b"\xff\xd8\xff"):
        return JPEG
    if content.startswith(b"PK\x03\x04"):
        return _office_type(content)
    return TEXT if _is_text(content) else None


def _office_type(content: bytes) -> str | None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            names = {part.filename for part in parts}
            if len(parts) > _MOST_PARTS or "[Content_Types].xml" not in names:
                return None
            if any(name.lower().endswith("vbaproject.bin") for name in names):
                return None
            found = [media_type for name, media_type in _OFFICE.items() if name in names]
            return found[0] if len(found) == 1 else None
    except (zipfile.BadZipFile, zlib.error, ValueError, OSError, NotImplementedError):
        return None


def _is_text(content: bytes) -> bool:
    for encoding in ("utf-8-sig", "cp932"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return not any(unicodedata.category(sign) == "Cc" and sign not in "\t\n\r\f" for sign in text)
    return False


def safe_name(name: str) -> str:
    """A name that every system can save: no folders, no signs that are reserved or not seen, at most 150 characters."""
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    seen = (sign for sign in last if unicodedata.category(sign) not in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
    plain = " ".join("".join("_" if sign in _RESERVED else sign for sign in seen).split()).strip(". ")
    stem, dot, ending = plain.rpartition(".")
    if not dot or not stem:
        return (plain or "file")[:NAME_LENGTH]
    return f"{stem[: NAME_LENGTH - 1 - len(ending[:20])].rstrip()}.{ending[:20]}"
