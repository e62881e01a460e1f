"""Orders from a file: looked at first, then recorded, all rows or none."""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Iterator

from daicho.core.actor import Actor
from daicho.core.clock import now
from daicho.core.commands import command
from daicho.core.tabular import MAX_ROWS
from daicho.domain.access.models import Draft, PartnerCompany
from daicho.domain.access.policy import ensure_signed_in
from daicho.domain.access.rules import OperatorPermission
from daicho.domain.orders import errors
from daicho.domain.orders.commands.record import EVENTS, Recorded, ensure_may_record, record_orders
from daicho.domain.orders.planning import plan_orders
from daicho.domain.orders.sheet import ImportPreview, good_lines, parts_of, preview_of, read_sheet

KIND = "order_import"
KEPT = dt.timedelta(days=7)


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
) -> Iterator[tuple[ImportPreview, Recorded]]:
    """Record a large file (up to 200,000 rows) in parts: each line succeeds or fails alone.

    Yields after each part what was wrong in it and what was recorded. Stopped half-way it is simply started again:
    what was recorded before does nothing. Raises as `preview_import`.
    """
    ensure_may_record(actor, company)
    sheet = read_sheet(content, most=MAX_ROWS)
    for part in parts_of(sheet):
        preview = preview_of(part, plan_orders(company, part.orders, within_allowance=not actor.is_operator))
        good = good_lines(preview)
        yield preview, record_orders(actor, company=company, orders=good) if good else Recorded()


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
