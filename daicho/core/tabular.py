"""Tables of cells in and out: CSV (UTF-8 with BOM, Shift_JIS read too) and XLSX.

A text cell that Excel would calculate (= + - @, tab, carriage return first) is written with an apostrophe in front and
read back without it (OWASP, CSV injection); a cell that already began with apostrophes and such a sign gets one more,
so that what goes out comes back unchanged.
"""

from __future__ import annotations

import codecs
import csv
import datetime as dt
import io
import itertools
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Any

import python_calamine
import xlsxwriter
from django.utils.translation import gettext_lazy as _

from daicho.core.errors import BusinessError

MAX_BYTES = 50 * 1024 * 1024
MAX_ROWS = 200_000
SHEET_ROWS = 1_048_575  # of Excel, its head not counted
CELL_TEXT = 32_767
RISKY_FIRST = frozenset("'=+-@\t\r")
RISKY = re.compile(r"^'*[=+\-@\t\r]")
Cell = str | int | float | bool | dt.date | dt.datetime | None


def guard(cell: Cell) -> Cell:
    """A cell that no spreadsheet calculates."""
    return "'" + cell if isinstance(cell, str) and RISKY.match(cell) else cell


def unguard(text: str) -> str:
    """The inverse of `guard` for a cell that was read."""
    return text[1:] if text.startswith("'") and RISKY.match(text[1:]) else text


def plain(cell: Cell) -> Cell:
    """Dates as ISO 8601 text in files; numbers stay numbers."""
    return cell.isoformat() if isinstance(cell, dt.date | dt.datetime) else cell


def csv_lines(head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    """CSV as Japanese Excel opens it: UTF-8 with BOM, CRLF (RFC 4180). Streams: about 64 KB are held at a time."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    yield "\ufeff"
    writer.writerow(head)
    for row in rows:
        writer.writerow(
            [
                cell
                if cell.__class__ is int or (cell.__class__ is str and cell[:1] not in RISKY_FIRST)
                else _for_csv(cell)
                for cell in row
            ]
        )
        if buffer.tell() > 65_536:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def _for_csv(cell: Cell) -> Cell:
    return "" if cell is None else guard(plain(cell))


def xlsx_file(head: Sequence[str], rows: Iterable[Sequence[Cell]], *, sheet: str = "Daicho") -> IO[bytes]:
    """An XLSX workbook as a temporary file, which vanishes when it is closed; one row is held in memory at a time.

    Text never becomes a formula or a link, dates are ISO 8601 text. Beyond 1,048,575 rows it goes on in further sheets;
    a text longer than the 32,767 characters that a cell takes is cut, with “…” as its last character.
    """
    file = tempfile.TemporaryFile()  # noqa: SIM115  the caller reads and closes it
    options = {
        "constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False,
    }  # fmt: skip
    with xlsxwriter.Workbook(file, options) as book:
        bold = book.add_format({"bold": True})
        source = iter(rows)
        for number in itertools.count(1):
            name = sheet[:31] if number == 1 else f"{sheet[:24]} ({number})"
            if not _fill(book.add_worksheet(name), head, bold, source):
                break
    file.seek(0)
    return file


def _fill(page: Any, head: Sequence[str], bold: Any, rows: Iterator[Sequence[Cell]]) -> bool:
    """Write a sheet from what is left of the rows; whether there may be more than it takes."""
    page.write_row(0, 0, list(head), bold)
    page.freeze_panes(1, 0)
    number = 0
    for number, row in enumerate(itertools.islice(rows, SHEET_ROWS), 1):
        for column, cell in enumerate(row):
            if isinstance(cell, str):
                if cell:
                    page.write_string(number, column, cell if len(cell) <= CELL_TEXT else cell[: CELL_TEXT - 1] + "…")
            elif cell is not None:
                page.write(number, column, plain(cell))
    return number == SHEET_ROWS


def xlsx_bytes(head: Sequence[str], rows: Iterable[Sequence[Cell]], *, sheet: str = "Daicho") -> bytes:
    """A small XLSX workbook in memory (see `xlsx_file`)."""
    with xlsx_file(head, rows, sheet=sheet) as file:
        return file.read()


def read(content: bytes) -> list[list[str]]:
    """The rows of an uploaded CSV or XLSX file as text cells, empty rows at the end left out.

    Limits: 50 MB, 200,000 rows. Raises `file_too_large`, `too_many_rows`, `file_unreadable`.
    """
    return list(read_rows(io.BytesIO(content)))


def read_rows(file: IO[bytes], *, limited: bool = True) -> Iterator[list[str]]:
    """The same, row by row from a file that can be sought in: of a CSV file one row is held at a time.

    What is too large or cannot be read at all is refused with the first row, too many rows when they are met.
    `limited=False` for files of our own making, of whatever size.
    """
    if file.seek(0, io.SEEK_END) > MAX_BYTES and limited:
        raise _too_large()
    file.seek(0)
    is_xlsx = file.read(4) == b"PK\x03\x04"
    file.seek(0)
    empty: list[list[str]] = []
    given = 0
    for row in _xlsx_rows(file) if is_xlsx else _csv_rows(file):
        if not any(row):
            empty.append(row)
            continue
        given += len(empty) + 1
        if given > MAX_ROWS + 1 and limited:
            raise _too_many_rows()
        yield from empty
        empty.clear()
        yield row


def _too_large() -> BusinessError:
    return BusinessError("file_too_large", 422, _("The file is larger than 50 MB. Split it."))


def _too_many_rows() -> BusinessError:
    return BusinessError("too_many_rows", 422, _("The file has more than 200,000 rows. Split it."))


def _unreadable() -> BusinessError:
    return BusinessError(
        "file_unreadable",
        422,
        _("This file cannot be read. Save it as CSV (UTF-8 or Shift_JIS) or XLSX and try again."),
    )


PROBLEMS = {"file_too_large": _too_large, "too_many_rows": _too_many_rows, "file_unreadable": _unreadable}
"""What reading raises, by code: for whoever lets another process read."""


def _encoding_of(file: IO[bytes]) -> str:
    """The encoding in which all of the file can be read."""
    has_mark = file.read(2) in (b"\xff\xfe", b"\xfe\xff")
    for encoding in ("utf-16",) if has_mark else ("utf-8-sig", "cp932"):
        file.seek(0)
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            while part := file.read(1024 * 1024):
                if "\x00" in decoder.decode(part):
                    raise _unreadable()
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            continue
        file.seek(0)
        return encoding
    raise _unreadable()


def _csv_rows(file: IO[bytes]) -> Iterator[list[str]]:
    text = io.TextIOWrapper(file, _encoding_of(file), newline="")
    try:
        sample = text.readline().split("\n", 1)[0]
        text.seek(0)
        delimiter = "\t" if "\t" in sample and "," not in sample else ","
        for row in csv.reader(text, delimiter=delimiter):
            yield [unguard(cell.strip()) for cell in row]
    except csv.Error:
        raise _unreadable() from None
    finally:
        if not file.closed:
            text.detach()  # else the caller's file would be closed with it


def _xlsx_rows(file: IO[bytes]) -> Iterator[list[str]]:
    try:
        sheet = python_calamine.CalamineWorkbook.from_filelike(file).get_sheet_by_index(0)
        for row in sheet.iter_rows():
            yield [_text(cell) for cell in row]
    except (python_calamine.CalamineError, IndexError, ValueError, OSError):
        raise _unreadable() from None


def _text(cell: Any) -> str:
    if cell.__class__ is str:
        return unguard(cell.strip())
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, dt.datetime) and cell.time() == dt.time.min:
        return cell.date().isoformat()
    if isinstance(cell, dt.date | dt.datetime):
        return cell.isoformat()
    return unguard(str(cell).strip())
