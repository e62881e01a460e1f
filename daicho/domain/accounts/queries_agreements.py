"""Versions of the agreement as one account and as the operator see them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from daicho.core.actor import Actor
from daicho.core.clock import now
from daicho.core.errors import NotFound
from daicho.domain.access.policy import ensure_may, ensure_operator
from daicho.domain.access.rules import OperatorPermission, Permission
from daicho.domain.accounts import rules
from daicho.domain.accounts.models import Acceptance, Agreement
from daicho.domain.tenancy.models import SmartAccount


@dataclass(frozen=True)
class AgreementInAccount:
    """A version in one account: pending, accepted or superseded; `due` is when it comes into force."""

    agreement: Agreement
    state: str
    acceptance: Acceptance | None
    is_next: bool

    @property
    def due(self) -> datetime:
        return self.agreement.effective_at

    @property
    def in_force(self) -> bool:
        return self.agreement.effective_at <= now()

    def title(self, language: str) -> str:
        return self.agreement.title_ja if language.startswith("ja") else self.agreement.title_en

    def text(self, language: str) -> str:
        return self.agreement.text_ja if language.startswith("ja") else self.agreement.text_en


def agreements_of(actor: Actor, account: SmartAccount) -> list[AgreementInAccount]:
    """Every version, newest first."""
    ensure_may(actor, Permission.AGREEMENTS_VIEW, account)
    versions = list(Agreement.objects.order_by("version"))
    accepted = {one.agreement_id: one for one in account.acceptances.select_related("user")}
    at = now()
    effective = [one.effective_at for one in versions]
    current = rules.in_force(effective, at) or 0
    following = rules.next_to_accept(effective, [one.pk in accepted for one in versions], at)

    def state(place: int, agreement: Agreement) -> str:
        if place < current:
            return rules.SUPERSEDED
        return rules.ACCEPTED if agreement.pk in accepted else rules.PENDING

    found = [
        AgreementInAccount(one, state(place, one), accepted.get(one.pk), place == following)
        for place, one in enumerate(versions)
    ]
    return found[::-1]


def agreement_in_account(actor: Actor, account: SmartAccount, uid: str) -> tuple[AgreementInAccount, Agreement | None]:
    """One version, and the one before it for comparison."""
    found = agreements_of(actor, account)
    for place, one in enumerate(found):
        if one.agreement.uid == uid:
            return one, found[place + 1].agreement if place + 1 < len(found) else None
    raise NotFound


@dataclass(frozen=True)
class PublishedAgreement:
    """A version as the operator sees it, with how many accounts accepted it."""

    agreement: Agreement
    accepted: int
    in_force: bool

    @property
    def is_upcoming(self) -> bool:
        return self.agreement.effective_at > now()


def published_agreements(actor: Actor) -> list[PublishedAgreement]:
    """Every version, newest first."""
    ensure_operator(actor, OperatorPermission.AGREEMENTS)
    versions = list(Agreement.objects.order_by("-version"))
    current = next((one.pk for one in versions if one.effective_at <= now()), None)
    return [PublishedAgreement(one, one.acceptances.count(), one.pk == current) for one in versions]


def published_agreement(actor: Actor, uid: str) -> Agreement:
    """One version, for the operator."""
    ensure_operator(actor, OperatorPermission.AGREEMENTS)
    found = Agreement.objects.filter(uid=uid).first()
    if found is None:
        raise NotFound
    return found


def is_any_agreement_published() -> bool:
    """Without one no account can ever receive licenses."""
    return Agreement.objects.exists()
