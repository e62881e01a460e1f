"""Keep bytes and give them back, a part at a time: no function but `content` holds a whole file in memory.

These are acts of the machinery: the command that takes a file in or hands it out asks the door.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
from collections.abc import Iterable, Iterator

from django.db import DatabaseError
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_lazy as _

from daicho.core.actor import Actor
from daicho.core.clock import now
from daicho.core.errors import BusinessError, NotFound
from daicho.core.tabular import MAX_BYTES
from daicho.domain.files.models import FileChunk, StoredFile

PART = 1024 * 1024
UPLOAD_LIMIT = MAX_BYTES
UNUSED_FOR = dt.timedelta(days=1)


def keep(
    name: str, media_type: str, parts: Iterable[bytes], *, actor: Actor | None = None, limit: int | None = None
) -> StoredFile:
    """Keep a file from its parts, of whatever size; returns it once it is whole.

    Parts that take long to make (an export) hold up nobody: outside a transaction each is written by itself, and what
    an interruption leaves is not whole and is swept. `actor`: who uploads it (see `uploaded`). `limit`: in bytes,
    50 MB for uploads (`UPLOAD_LIMIT`). Raises `file_too_large`.
    """
    file = StoredFile.objects.create(
        name=_last_part(name), media_type=media_type[:100], owner=actor.owner if actor is not None else ""
    )
    digest, size = hashlib.sha256(), 0
    try:
        for number, data in enumerate(_even(parts)):
            size += len(data)
            if limit is not None and size > limit:
                raise BusinessError(
                    "file_too_large", 422, _("The file is larger than %(limit)s MB. Split it."), limit=limit // PART
                )
            digest.update(data)
            FileChunk.objects.create(file=file, number=number, data=data)
    except Exception:
        with contextlib.suppress(DatabaseError):  # in a broken transaction there is nothing left to drop
            drop(file)
        raise
    file.size, file.sha256 = size, digest.hexdigest()
    file.save(update_fields=["size", "sha256"])
    return file


def uploaded(actor: Actor, uid: str) -> StoredFile:
    """The file that this very actor uploaded (between a preview and its confirmation); all others get NotFound."""
    found = StoredFile.objects.filter(uid=uid, owner=actor.owner).exclude(sha256="").first()
    if found is None:
        raise NotFound
    return found


def parts(file: StoredFile) -> Iterator[bytes]:
    """The file's bytes, at most 1 MiB at a time."""
    for number in range((file.size + PART - 1) // PART):
        yield bytes(FileChunk.objects.values_list("data", flat=True).get(file=file, number=number))


def content(file: StoredFile) -> bytes:
    """All bytes at once: for files with a small limit."""
    return b"".join(parts(file))


def drop(file: StoredFile) -> None:
    """Forget a file. A row that still points to it forbids that (ProtectedError)."""
    file.delete()


def drop_unused() -> int:
    """Forget the files older than a day that no row points to; returns how many."""
    old = StoredFile.objects.filter(created_at__lt=now() - UNUSED_FOR)
    for relation in StoredFile._meta.get_fields(include_hidden=True):
        if relation.auto_created and relation.related_model not in (None, FileChunk):
            name = relation.field.name  # type: ignore[union-attr]
            old = old.exclude(Exists(relation.related_model._default_manager.filter(**{name: OuterRef("pk")})))
    unused = list(old.order_by("pk")[:1000])
    for file in unused:
        drop(file)
    return len(unused)


def _even(parts: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in parts of exactly PART, the last one shorter."""
    held = bytearray()
    for data in parts:
        held += data
        while len(held) >= PART:
            yield bytes(held[:PART])
            del held[:PART]
    if held:
        yield bytes(held)


def _last_part(name: str) -> str:
    """A file's name without folders, as some browsers send them, and within 200 characters, its ending kept."""
    plain = name.replace("\\", "/").rpartition("/")[2].replace("\x00", "").strip() or "file"
    if len(plain) <= 200:
        return plain
    stem, dot, ending = plain.rpartition(".")
    return stem[: 199 - len(ending)] + dot + ending if dot and len(ending) <= 20 else plain[:200]
