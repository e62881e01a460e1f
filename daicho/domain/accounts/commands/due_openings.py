"""What happens to openings by the clock: reminders at half time, lapse 30 days after the last step."""

from __future__ import annotations

from collections.abc import Callable

from django.db import transaction
from django.db.models import Q

from daicho.core.actor import Actor
from daicho.core.clock import now
from daicho.domain.accounts import rules
from daicho.domain.accounts.commands._opening import mail_requester, move, release_identifier, send_link
from daicho.domain.accounts.models import Opening
from daicho.domain.audit.record import record


def run_due_openings(limit: int = 500) -> int:
    """Remind of links at half time and let requests lapse; the number of both. Twice or late does nothing else."""
    return _each(_to_remind(), limit, _remind) + _each(_to_lapse(), limit, _lapse)


def _to_remind() -> Q:
    """Links in their second half that nobody was reminded of."""
    at = now()
    due = Q()
    for state, life in rules.LINK_LIFE.items():
        due |= Q(state=state, link_expires_at__lte=at + life / 2)
    return due & Q(reminded_at=None, link_hash__isnull=False, link_expires_at__gt=at)


def _to_lapse() -> Q:
    return Q(state__in=rules.BEFORE_ACTIVE, last_step_at__lte=now() - rules.LAPSES_AFTER)


def _each(due: Q, limit: int, act: Callable[[Opening], None]) -> int:
    """Each one in its own transaction, looked at again under its lock: one that fails or moved on stops no other."""
    numbers = list(Opening.objects.filter(due).order_by("pk").values_list("pk", flat=True)[:limit])
    done = 0
    for number in numbers:
        with transaction.atomic():
            locked = Opening.objects.select_for_update(of=("self",), skip_locked=True)
            opening = locked.select_related("requester", "account").filter(due, pk=number).first()
            if opening is not None:
                act(opening)
                done += 1
    return done


def _remind(opening: Opening) -> None:
    send_link(opening, reminder=True)


def _lapse(opening: Opening) -> None:
    state = opening.state
    move(opening, "lapse", rules.LAPSED)
    release_identifier(opening)
    record(
        Actor.system(), "opening.lapsed", account=opening.account, subject=opening.identifier, subject_uid=opening.uid,
        before={"state": state},
    )  # fmt: skip
    if state != rules.DRAFT:
        mail_requester(opening, "opening_lapsed")
