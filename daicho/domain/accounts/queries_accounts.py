"""Accounts as the operator sees them: state, people and counts, never their licenses (that asks a reasoned look)."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q

from daicho.core.actor import Actor
from daicho.core.paging import Page, keyset_page
from daicho.domain.access.models import User
from daicho.domain.access.policy import ensure_operator, live_grants
from daicho.domain.access.rules import OperatorPermission
from daicho.domain.accounts import rules
from daicho.domain.accounts.commands._opening import administrators
from daicho.domain.accounts.commands.accounts import operators_account
from daicho.domain.accounts.models import Contest, Opening
from daicho.domain.accounts.queries_agreements import is_any_agreement_published
from daicho.domain.ledger.models import Pool
from daicho.domain.mailbox.models import Mail
from daicho.domain.orders.models import OrderLine
from daicho.domain.schedule.queries import JobState, jobs
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount


def list_accounts(
    actor: Actor, *, text: str = "", state: str = "", cursor: str | None = None, size: int = 50
) -> Page[SmartAccount]:
    """Accounts, released ones left out, by identifier."""
    ensure_operator(actor, OperatorPermission.ACCOUNTS)
    found = SmartAccount.objects.exclude(state=SmartAccount.State.RELEASED)
    if state:
        found = found.filter(state=state)
    if text:
        found = found.filter(Q(identifier__icontains=text) | Q(name__icontains=text))
    return keyset_page(found, ["identifier", "id"], cursor=cursor, size=size, count=True)


@dataclass(frozen=True)
class AccountForOperator:
    account: SmartAccount
    administrators: list[User]
    users: int
    virtual_accounts: int
    opening: Opening | None
    contests: list[Contest]


def account_for_operator(actor: Actor, identifier: str) -> AccountForOperator:
    """One account: who administers it, how many people and virtual accounts, how it was opened, what is contested."""
    account = operators_account(actor, identifier)
    return AccountForOperator(
        account,
        administrators(account),
        live_grants().filter(account=account, user__isnull=False).values("user_id").distinct().count(),
        VirtualAccount.objects.filter(account=account, deleted_at=None).count(),
        Opening.objects.select_related("requester").filter(account=account).order_by("-pk").first(),
        list(Contest.objects.select_related("user").filter(identifier=account.identifier).order_by("-pk")[:20]),
    )


def licenses_for_support(actor: Actor, account: SmartAccount) -> list[Pool]:
    """The account's pools, for the page that `look_into_account` opens; call that first."""
    ensure_operator(actor, OperatorPermission.SUPPORT)
    pools = Pool.objects.filter(account=account).select_related("tag", "virtual_account")
    return list(pools.order_by("tag__sku", "virtual_account__name")[:2000])


@dataclass(frozen=True)
class OperatorsQueue:
    """What waits for the operator, oldest first."""

    held: list[Opening]
    contests: list[Contest]
    order_lines_waiting: int
    failed_mails: int
    failing_jobs: list[JobState]
    agreement_missing: bool

    @property
    def is_empty(self) -> bool:
        return not (
            self.held or self.contests or self.order_lines_waiting or self.failed_mails or self.failing_jobs
            or self.agreement_missing
        )  # fmt: skip


def operators_queue(actor: Actor) -> OperatorsQueue:
    """Held openings (answered ones first), contests, orders to decide, mails and jobs that failed."""
    ensure_operator(actor, OperatorPermission.OPENINGS)
    held = Opening.objects.select_related("requester").filter(state=rules.HELD)
    contests = Contest.objects.select_related("user").filter(state=Contest.State.OPEN)
    return OperatorsQueue(
        sorted(held.order_by("held_at")[:200], key=lambda one: one.answered_at is None),
        list(contests.order_by("created_at")[:200]),
        OrderLine.objects.filter(state=OrderLine.State.WAITING_OPERATOR).count(),
        Mail.objects.filter(state=Mail.State.FAILED).count(),
        [job for job in jobs() if job.failures],
        not is_any_agreement_published(),
    )
