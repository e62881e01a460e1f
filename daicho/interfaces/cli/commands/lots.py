"""`daicho lots`: list the lots of an account, revoke or correct one, give several a common end, their ledger columns."""

from __future__ import annotations

import argparse
import datetime as dt
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from daicho.interfaces.cli import lot_details
from daicho.interfaces.cli.actor import console_actor
from daicho.interfaces.cli.output import Subparsers, add_json, answer

if TYPE_CHECKING:
    from daicho.domain.ledger.queries.held import Held

KINDS = ("perpetual", "term", "subscription", "demo")


def register(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser("lots", help=_("list, revoke and correct lots, give several a common end"))
    acts = parser.add_subparsers(metavar="act", required=True)
    listing = acts.add_parser("list", help=_("list the lots of an account and what is left of each"))
    listing.add_argument("--sku", default="", help=_("the SKU of the license"))
    listing.set_defaults(run=list_lots)
    revoke = acts.add_parser("revoke", help=_("revoke all of a lot that no device holds"))
    revoke.set_defaults(run=revoke_one)
    correct = acts.add_parser("correct", help=_("exchange a wrong lot for the right one where it lies"))
    correct.add_argument("--quantity", type=int, required=True, help=_("how many there should be"))
    correct.add_argument("--kind", choices=KINDS, required=True, help=_("the kind of the right lot"))
    correct.add_argument("--start-on", type=day, metavar="DATE", help=_("the first day, if it changes"))
    correct.add_argument("--end-on", type=day, metavar="DATE", help=_("the last day"))
    correct.set_defaults(run=correct_one)
    together = acts.add_parser("co-term", help=_("give several lots of one license a common end"))
    together.add_argument("lots", nargs="+", metavar="lot", help=_("the lots, as `lots list` names them"))
    together.add_argument("--end-on", type=day, metavar="DATE", help=_("the last day; else license-days are kept"))
    together.add_argument("--dry-run", action="store_true", help=_("say what would happen, write nothing"))
    together.add_argument("--reason", default="", help=_("the reason, which the customer reads"))
    together.set_defaults(run=combine)
    lot_details.add(acts)
    for one in (revoke, correct):
        one.add_argument("--dry-run", action="store_true", help=_("say what would happen, write nothing"))
        one.add_argument("lot", help=_("the lot, as `lots list` names it"))
        one.add_argument("--reason", required=True, help=_("the reason, which the customer reads"))
    for one in (listing, revoke, correct, together):
        one.add_argument("--account", required=True, metavar="DOMAIN", help=_("the domain identifier of the account"))
        add_json(one)


def day(text: str) -> dt.date:
    """A date as 2026-11-24, from 1970 to 2200."""
    found = dt.date.fromisoformat(text)
    if not 1970 <= found.year <= 2200:
        raise ValueError(text)
    return found


def list_lots(arguments: argparse.Namespace) -> int:
    from daicho.domain.ledger.queries.issued import account_with_lots, list_issued

    actor = console_actor()
    account = account_with_lots(actor, arguments.account)
    rows: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = list_issued(actor, account, sku=arguments.sku, cursor=cursor, size=200)
        rows += [
            {
                "lot": row.lot.uid,
                "sku": row.lot.tag.sku,
                "kind": row.lot.kind,
                "end_on": row.end_on or "",
                "order": row.lot.order_number,
                "unassigned": row.unassigned,
                "assigned": row.assigned,
                "held": row.held,
            }
            for row in page.rows
        ]
        cursor = page.next_cursor
        if cursor is None:
            break
    text = "\n".join("  ".join(str(cell) for cell in row.values()) for row in rows)
    return answer(arguments, rows, text or _("No lot matches."))


def revoke_one(arguments: argparse.Namespace) -> int:
    from daicho.domain.ledger.commands.cancel import revoke_lot
    from daicho.domain.ledger.commands.previews import preview_revocation
    from daicho.domain.ledger.queries.issued import account_with_lots, get_lots

    actor = console_actor()
    account = account_with_lots(actor, arguments.account)
    [lot] = get_lots(actor, account, [arguments.lot])
    if arguments.dry_run:
        seen = preview_revocation(actor, account=account, lot=lot)
        figures = {"revoked": seen.revoked, "left": seen.left, "newly_short": seen.newly_short}
        text = _("%(revoked)d would be revoked, %(left)d left; %(newly_short)d uses would become short.") % figures
        return answer(arguments, figures | {"held_by": held_data(seen.held), "written": False}, text)
    done = revoke_lot(actor, account=account, request_id=uuid.uuid4(), lot=lot, reason=arguments.reason)
    data = {"entry": done.entry.uid, "revoked": done.revoked, "left": done.left}
    text = _("%(revoked)d revoked, %(left)d left until they are returned.") % data
    return answer(arguments, data | {"held_by": held_data(done.held)}, text)


def correct_one(arguments: argparse.Namespace) -> int:
    from daicho.domain.ledger.commands.correct import correct_lot, right_lot
    from daicho.domain.ledger.commands.previews import preview_correction
    from daicho.domain.ledger.queries.issued import account_with_lots, get_lots

    actor = console_actor()
    account = account_with_lots(actor, arguments.account)
    [lot] = get_lots(actor, account, [arguments.lot])
    right = right_lot(
        lot, quantity=arguments.quantity, kind=arguments.kind, start_on=arguments.start_on, end_on=arguments.end_on
    )
    if arguments.dry_run:
        seen = preview_correction(actor, account=account, lot=lot, right=right)
        figures = {
            "before": seen.before, "after": seen.after, "unassigned": seen.unassigned, "newly_short": seen.newly_short,
        }  # fmt: skip
        text = _("%(before)d would become %(after)d; %(newly_short)d uses would become short.") % figures
        return answer(arguments, figures | {"held_by": held_data(seen.held), "written": False}, text)
    done = correct_lot(actor, account=account, request_id=uuid.uuid4(), lot=lot, right=right, reason=arguments.reason)
    data = {"entry": done.entry.uid, "lot": done.lot.uid}
    text = _("The right lot is %(lot)s.") % data
    return answer(arguments, data | {"held_by": held_data(done.held)}, text)


def combine(arguments: argparse.Namespace) -> int:
    from daicho.domain.ledger.commands.co_term import co_term_lots, preview_co_term
    from daicho.domain.ledger.queries.issued import account_with_lots, get_lots

    actor = console_actor()
    account = account_with_lots(actor, arguments.account)
    lots = get_lots(actor, account, arguments.lots)
    if arguments.dry_run:
        shown = preview_co_term(actor, account=account, lots=lots, ends_on=arguments.end_on)
        figures = {
            "quantity": shown.quantity, "ends_on": shown.ends_on, "days_before": shown.days_before,
            "days_after": shown.days_after,
        }  # fmt: skip
        told = _("%(quantity)d would end on %(ends_on)s: %(days_before)d license-days become %(days_after)d.")
        return answer(arguments, figures | {"held_by": held_data(shown.held), "written": False}, told % figures)
    done = co_term_lots(
        actor, account=account, request_id=uuid.uuid4(), lots=lots, reason=arguments.reason, ends_on=arguments.end_on
    )
    data = {"entry": done.entry.uid, "lot": done.lot.uid, "quantity": done.quantity, "ends_on": done.ends_on}
    told = _("%(quantity)d end on %(ends_on)s, in the lot %(lot)s.")
    return answer(arguments, data | {"held_by": held_data(done.held), "written": True}, told % data)


def held_data(held: Sequence[Held]) -> list[dict[str, Any]]:
    """Which units still hold how many of the old lots."""
    return [{"lot": one.lot.uid, "unit": one.unit.uid, "state": one.kind, "quantity": one.quantity} for one in held]
