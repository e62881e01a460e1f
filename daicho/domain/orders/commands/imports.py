"""Orders from a file: looked at first, then recorded, all rows or none."""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Iterable, Iterator
from typing import IO

from daicho.core.actor import Actor
from daicho.core.clock import now
from daicho.core.commands import command
from daicho.core.errors import NotFound
from daicho.core.tabular import read_rows
from daicho.domain.access.models import Draft, PartnerCompany
from daicho.domain.access.policy import ensure_signed_in
from daicho.domain.access.rules import OperatorPermission
from daicho.domain.files.models import StoredFile
from daicho.domain.files.store import UPLOAD_LIMIT, keep, uploaded
from daicho.domain.ledger.limits import MAX_LINES
from daicho.domain.orders import errors
from daicho.domain.orders.commands.record import EVENTS, Recorded, ensure_may_record, record_orders
from daicho.domain.orders.commands.record_large import Part, record_part
from daicho.domain.orders.order_file import count_rows, parts_from, spooled
from daicho.domain.orders.planning import plan_orders
from daicho.domain.orders.sheet import ImportPreview, LargePreview, Sheet, preview_of, read_sheet

KIND = "order_import"
KEPT = dt.timedelta(days=7)
LARGE = 4 * 1024 * 1024
"""Bytes from which a file is not held in memory, and so becomes a job as one of more than 10,000 lines does."""
LOOKED_AT = 2_000


def preview_import(actor: Actor, *, company: PartnerCompany | None, content: bytes) -> ImportPreview:
    """What importing a CSV or XLSX file would do, with every bad row marked; writes nothing.

    Up to 10,000 rows. Raises `file_unreadable`, `unknown_columns`, `nothing_in_file`, `too_many_lines`.
    """
    ensure_may_record(actor, company)
    sheet = read_sheet(content)
    return preview_of(sheet, plan_orders(company, sheet.orders, within_allowance=not actor.is_operator))


@command(permission=OperatorPermission.ORDERS, events=EVENTS)
def import_orders(actor: Actor, *, company: PartnerCompany | None, content: bytes) -> Recorded:
    """Record all orders of a CSV or XLSX file, or none when a row is wrong.

    Doing it again changes nothing. Raises `rows_refused` and as `preview_import`.
    """
    preview = preview_import(actor, company=company, content=content)
    if preview.problems:
        raise errors.rows_refused(len(preview.bad_rows))
    return record_orders(actor, company=company, orders=preview.sheet.orders)


def import_orders_singly(
    actor: Actor, *, company: PartnerCompany | None, content: bytes
) -> Iterator[tuple[Sheet, Part]]:
    """Record a large file (up to 200,000 rows) in parts, at once: each line succeeds or fails alone.

    Yields after each part its rows and what became of them. Stopped half-way it is simply started again: what was
    recorded before does nothing. Raises as `preview_import`.
    """
    ensure_may_record(actor, company)
    with spooled([content]) as spool:
        for part in parts_from(spool):
            yield part, record_part(actor, company=company, part=part)


def is_large(file: IO[bytes] | None, size: int) -> bool:
    """Whether a file becomes a job: it has more than 4 MB or 10,000 lines. Raises as `tabular.read`."""
    if file is None or size > LARGE:
        return True
    lines = sum(1 for row in read_rows(file) if any(row)) - 1
    file.seek(0)
    return lines > MAX_LINES


def preview_large(actor: Actor, *, company: PartnerCompany | None, content: Iterable[bytes]) -> LargePreview:
    """How many rows a file of any size has, and what recording its first 2,000 would do; writes nothing.

    They are the first in the order in which they will be recorded: customer by customer. Raises as `preview_import`.
    """
    ensure_may_record(actor, company)
    with spooled(content) as spool:
        rows = count_rows(spool)
        first = next(parts_from(spool, size=LOOKED_AT))
    plan = plan_orders(company, first.orders, within_allowance=not actor.is_operator)
    return LargePreview(rows, preview_of(first, plan))


@command(permission=None, events=())
def keep_large(actor: Actor, *, company: PartnerCompany | None, name: str, content: Iterable[bytes]) -> StoredFile:
    """Keep an uploaded file of any size until it is imported, for a day, for the person or program that uploaded it.

    Raises `file_too_large`.
    """
    ensure_may_record(actor, company)
    return keep(name, "application/octet-stream", content, actor=actor, limit=UPLOAD_LIMIT)


def kept_large(actor: Actor, company: PartnerCompany | None, uid: str) -> StoredFile | None:
    """A large file that the actor keeps under this handle, None when it is none."""
    ensure_may_record(actor, company)
    try:
        return uploaded(actor, uid)
    except NotFound:
        return None


@command(permission=None, events=())
def keep_import(actor: Actor, *, company: PartnerCompany | None, content: bytes, name: str) -> Draft:
    """Keep an uploaded file between its preview and its import, for 7 days, for the person who uploaded it."""
    ensure_may_record(actor, company)
    user = ensure_signed_in(actor)
    Draft.objects.filter(user=user, kind=KIND, updated_at__lt=now() - KEPT).delete()
    data = {
        "company": company.uid if company is not None else "",
        "name": name[:200],
        "content": base64.b64encode(content).decode(),
    }
    return Draft.objects.create(user=user, kind=KIND, data=data)


@command(permission=None, events=())
def drop_import(actor: Actor, *, company: PartnerCompany | None, uid: str) -> None:
    """Forget a kept file."""
    kept_draft(actor, company, uid).delete()


def kept_draft(actor: Actor, company: PartnerCompany | None, uid: str) -> Draft:
    """The kept file's draft; raises `import_not_found`."""
    found = Draft.objects.filter(user_id=actor.user_id, kind=KIND, uid=uid).first() if actor.user_id else None
    if found is None or found.data["company"] != (company.uid if company is not None else ""):
        raise errors.import_not_found()
    return found


def kept_import(actor: Actor, company: PartnerCompany | None, uid: str) -> tuple[str, bytes]:
    """Name and bytes of a kept file; raises `import_not_found`."""
    ensure_may_record(actor, company)
    draft = kept_draft(actor, company, uid)
    return draft.data["name"], base64.b64decode(draft.data["content"])
