"""Lines that wait land: for the agreement (S17), and for the operator where a partner may not decide alone."""

from __future__ import annotations

from collections.abc import Sequence

from daicho.core.actor import Actor
from daicho.core.clock import now
from daicho.core.commands import command
from daicho.core.errors import invalid
from daicho.core.text import clean
from daicho.domain.access.policy import ensure_operator
from daicho.domain.access.rules import OperatorPermission
from daicho.domain.audit.record import record
from daicho.domain.mailbox.commands import post_mail
from daicho.domain.orders import errors
from daicho.domain.orders.landing import follow_holdings, land_lines
from daicho.domain.orders.models import OrderLine
from daicho.domain.orders.planning import landing_state
from daicho.domain.tenancy.models import SmartAccount

State = OrderLine.State
AT_ONCE = 500
"""Lines that land in one transaction; the sweep takes the rest within a minute."""


@command(permission=None, events=("license.deposited",))
def deposit_waiting(actor: Actor, *, account: SmartAccount) -> int:
    """Let the lines that wait for the agreement land; returns how many did (at most 500 a call).

    Called by whoever accepts the agreement and by the sweep. Each line has an entry of its own with the request id
    derived from the line, so that it lands once. Does nothing while the account is out of good standing.
    """
    if not account.in_good_standing() or account.state != SmartAccount.State.ACTIVE:
        return 0
    waiting = list(
        OrderLine.objects.select_for_update(of=("self",))
        .filter(account=account, state=State.WAITING_AGREEMENT)
        .select_related("account", "tag", "order", "virtual_account")
        .order_by("pk")[:AT_ONCE]
    )
    for line in waiting:
        if line.virtual_account is not None and line.virtual_account.deleted_at is not None:
            line.virtual_account = None  # it was deleted meanwhile: never silently somewhere else
            line.save(update_fields=["virtual_account"])
        land_lines(actor, [line])
    return len(waiting)


def deposit_waiting_due() -> int:
    """Land what waits in accounts that are in good standing again, and follow undone assignments. For the worker."""
    actor = Actor.system("orders")
    due = SmartAccount.objects.filter(
        state=SmartAccount.State.ACTIVE,
        good_standing_until__gt=now(),
        pk__in=OrderLine.objects.filter(state=State.WAITING_AGREEMENT).values("account"),
    )
    landed = sum(deposit_waiting(actor, account=account) for account in due)
    follow_holdings()
    return landed


@command(permission=OperatorPermission.ORDERS, events=("order.line_approved", "license.deposited"))
def approve_lines(actor: Actor, *, lines: Sequence[OrderLine]) -> list[OrderLine]:
    """Let lines of a partner land that wait for the operator. Raises `line_not_waiting`."""
    ensure_operator(actor, OperatorPermission.ORDERS)
    waiting = _decided(actor, lines)
    for line in waiting:
        line.state = landing_state(line.account, line.virtual_account)
        line.save(update_fields=["state", "decided_by_name"])
        _tell(actor, "order.line_approved", line)
    land_lines(actor, [line for line in waiting if line.state != State.WAITING_AGREEMENT])
    _mail_recorders(waiting, "order_lines_approved")
    return waiting


@command(permission=OperatorPermission.ORDERS, events=("order.line_declined",))
def decline_lines(actor: Actor, *, lines: Sequence[OrderLine], reason: str) -> list[OrderLine]:
    """Refuse lines of a partner that wait for the operator, with a reason for the partner. Raises `line_not_waiting`."""
    ensure_operator(actor, OperatorPermission.ORDERS)
    reason = clean(reason)[:500]
    if not reason:
        raise invalid("reason", "required", errors.reason_required().message)
    waiting = _decided(actor, lines)
    for line in waiting:
        line.state = State.CANCELLED
        line.decision_reason = reason
        line.save(update_fields=["state", "decided_by_name", "decision_reason"])
        _tell(actor, "order.line_declined", line, reason)
    _mail_recorders(waiting, "order_lines_declined", reason=reason)
    return waiting


def _decided(actor: Actor, lines: Sequence[OrderLine]) -> list[OrderLine]:
    locked = list(
        OrderLine.objects.select_for_update(of=("self",))
        .filter(pk__in=[line.pk for line in lines])
        .select_related("account", "tag", "order__company", "order__recorded_by", "virtual_account")
        .order_by("pk")
    )
    for line in locked:
        if line.state != State.WAITING_OPERATOR:
            raise errors.not_waiting(line.order.number, line.line_number)
        line.decided_by_name = actor.name[:100]
    return locked


def _tell(actor: Actor, kind: str, line: OrderLine, memo: str = "") -> None:
    record(
        actor,
        kind,
        account=line.account,
        virtual_account=line.virtual_account,
        subject=f"{line.order.number}-{line.line_number}",
        subject_uid=line.uid,
        after={"sku": line.tag.sku, "quantity": line.quantity, "state": line.state},
        memo=memo,
    )


def _mail_recorders(lines: Sequence[OrderLine], template: str, **context: str) -> None:
    """Tell who recorded the orders, one mail each."""
    by_person: dict[int, list[OrderLine]] = {}
    for line in lines:
        if line.order.recorded_by is not None and line.order.recorded_by.is_active:
            by_person.setdefault(line.order.recorded_by.pk, []).append(line)
    for found in by_person.values():
        person, company = found[0].order.recorded_by, found[0].order.company
        if person is None or company is None:
            continue
        post_mail(
            template,
            to=person.email,
            to_name=person.name,
            language=person.language,
            time_zone=person.time_zone,
            company_uid=company.uid,
            company=company.name,
            lines=[
                {"order": line.order.number, "line": line.line_number, "sku": line.tag.sku, "quantity": line.quantity}
                for line in found[:20]
            ],
            more=max(0, len(found) - 20),
            **context,
        )
