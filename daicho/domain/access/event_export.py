"""The event log as a file that carries its seal, and the proof that such a file says what the log says."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Any

from django.utils.translation import gettext_lazy as _

from daicho.core import tabular
from daicho.core.errors import BusinessError
from daicho.domain.access.queries_events import EventRow, EventSight, describe_sealed
from daicho.domain.audit.models import Event
from daicho.domain.audit.seal import Fault, Wrong

COLUMNS = (
    "block", "block_hash", "digest", "uid", "at", "kind", "account", "virtual_account_uid", "virtual_account",
    "other_virtual_account_uid", "other_virtual_account", "actor_kind", "actor_name", "interface", "address",
    "subject", "subject_uid", "before", "after", "memo", "act",
)  # fmt: skip
# Names of virtual accounts may change later and the other side is shown only to some; the digest covers both by id.
COMPARED = tuple(set(COLUMNS) - {"virtual_account", "other_virtual_account", "other_virtual_account_uid"})


def cells(row: EventRow) -> list[tabular.Cell]:
    """A line in the order of COLUMNS; `before` and `after` as JSON."""
    return [_cell(name, row) for name in COLUMNS]


def as_object(row: EventRow) -> dict[str, Any]:
    """A line as a JSON object."""
    values = dict(zip(COLUMNS, cells(row), strict=True))
    return values | {"at": row.at.isoformat(), "before": row.before, "after": row.after}


def _cell(name: str, row: EventRow) -> tabular.Cell:
    match name:
        case "virtual_account":
            return row.virtual_account.name if row.virtual_account else ""
        case "virtual_account_uid":
            return row.virtual_account.uid if row.virtual_account else ""
        case "other_virtual_account":
            return row.other.name if row.other else ""
        case "other_virtual_account_uid":
            return row.other.uid if row.other else ""
        case "before" | "after":
            value = getattr(row, name)
            return "" if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)
        case "at":
            return row.at.isoformat()
        case "act":
            return str(row.act)
        case _:
            value = getattr(row, name)
            return "" if value is None else value


def json_lines(rows: Iterable[EventRow]) -> Iterator[str]:
    """One JSON document, written line by line."""
    yield '{"events": [\n'
    for number, row in enumerate(rows):
        yield (",\n" if number else "") + json.dumps(as_object(row), ensure_ascii=False, sort_keys=True)
    yield "\n]}\n"


def verify_export(content: bytes | IO[bytes]) -> Wrong | None:
    """Compare an exported file (CSV, XLSX or JSON) with the log; returns its first line that says something else.

    Of a CSV file 500 lines are held at a time. Raises `file_unreadable`, `not_an_export`.
    """
    batch: list[dict[str, str]] = []
    for line in _read(io.BytesIO(content) if isinstance(content, bytes) else content):
        batch.append(line)
        if len(batch) == 500:
            if wrong := _compare(batch):
                return wrong
            batch = []
    return _compare(batch)


def _compare(batch: Sequence[dict[str, str]]) -> Wrong | None:
    everything = EventSight(Event.objects.filter(uid__in=[line["uid"] for line in batch]), None)
    known = {row.uid: row for row in describe_sealed(everything)}
    for line in batch:
        row = known.get(line["uid"])
        if row is None:
            return Wrong(Fault.EXTRA, None, line["uid"])
        told = {name: _spoken(_cell(name, row)) for name in COLUMNS}
        # A line that was exported before it was sealed carries no seal.
        names = COMPARED if line["digest"] else set(COMPARED) - {"digest", "block", "block_hash"}
        if any(line[name] != told[name] for name in names):
            return Wrong(Fault.CHANGED, row.block, row.uid)
    return None


def _read(file: IO[bytes]) -> Iterator[dict[str, str]]:
    begins = file.read(64)
    file.seek(0)
    if begins.lstrip()[:1] == b"{":
        try:
            events = json.load(file)["events"]
            lines = [{name: event[name] for name in COLUMNS} for event in events]
        except (ValueError, KeyError, TypeError):
            raise _not_an_export() from None
        for line in lines:
            for name in ("before", "after"):
                given = line[name]
                line[name] = "" if given is None else json.dumps(given, ensure_ascii=False, sort_keys=True)
            yield {name: _spoken(value) for name, value in line.items()}
        return
    rows = tabular.read_rows(file, limited=False)
    if tuple(next(rows, [])) != COLUMNS:
        raise _not_an_export()
    for cells_read in rows:
        yield dict(zip(COLUMNS, [*cells_read, *[""] * (len(COLUMNS) - len(cells_read))], strict=True))


def _spoken(value: Any) -> str:
    return str("" if value is None else value).strip()


def _not_an_export() -> BusinessError:
    return BusinessError("not_an_export", 422, _("This file is not an export of the event log."))
