"""Partner companies and who records orders for them: kept by the operator."""

from __future__ import annotations

from daicho.core.actor import Actor
from daicho.core.commands import command
from daicho.core.errors import NotFound
from daicho.core.text import clean, name_key
from daicho.domain.access.commands.people import checked_address
from daicho.domain.access.errors import NameMissing, NameTaken, UnknownUser
from daicho.domain.access.models import PartnerCompany, PartnerMember, User
from daicho.domain.access.policy import ensure_operator
from daicho.domain.access.rules import OperatorPermission
from daicho.domain.audit.record import record


@command(permission=OperatorPermission.PARTNERS, events=("partner.created",))
def create_partner_company(actor: Actor, *, name: str) -> PartnerCompany:
    """The operator takes up a reseller or maintenance company. Raises `name_missing`, `name_taken`."""
    ensure_operator(actor, OperatorPermission.PARTNERS)
    name = _free_name(name)
    company = PartnerCompany.objects.create(name=name, name_key=name_key(name)[:200])
    record(actor, "partner.created", subject=name, subject_uid=company.uid)
    return company


@command(permission=OperatorPermission.PARTNERS, events=("partner.changed",))
def change_partner_company(actor: Actor, *, company_uid: str, name: str, is_active: bool) -> PartnerCompany:
    """A partner company gets another name, or is shut out or let in again; what it recorded stays.

    Raises `name_missing`, `name_taken`.
    """
    company = _lock(actor, company_uid)
    before = {"name": company.name, "is_active": company.is_active}
    company.name = _free_name(name, but=company)
    company.name_key, company.is_active = name_key(company.name)[:200], is_active
    after = {"name": company.name, "is_active": company.is_active}
    if after != before:
        company.save(update_fields=["name", "name_key", "is_active"])
        record(actor, "partner.changed", subject=company.name, subject_uid=company.uid, before=before, after=after)
    return company


@command(permission=OperatorPermission.PARTNERS, events=("partner.member_added",))
def add_partner_member(actor: Actor, *, company_uid: str, email: str) -> PartnerMember:
    """Somebody who has signed up records orders for a partner company. Raises `bad_address`, `unknown_user`."""
    company = _lock(actor, company_uid)
    user = User.objects.filter(email=checked_address(email), is_active=True, email_confirmed_at__isnull=False).first()
    if user is None:
        raise UnknownUser
    member, is_new = PartnerMember.objects.get_or_create(company=company, user=user)
    if is_new:
        record(
            actor, "partner.member_added", subject=company.name, subject_uid=company.uid, after={"email": user.email}
        )
    return member


@command(permission=OperatorPermission.PARTNERS, events=("partner.member_removed",))
def remove_partner_member(actor: Actor, *, company_uid: str, user_uid: str) -> None:
    """Somebody does not record orders for a partner company any more."""
    company = _lock(actor, company_uid)
    member = PartnerMember.objects.select_related("user").filter(company=company, user__uid=user_uid).first()
    if member is None:
        raise NotFound
    member.delete()
    record(
        actor, "partner.member_removed", subject=company.name, subject_uid=company.uid,
        before={"email": member.user.email},
    )  # fmt: skip


def _lock(actor: Actor, company_uid: str) -> PartnerCompany:
    ensure_operator(actor, OperatorPermission.PARTNERS)
    company = PartnerCompany.objects.select_for_update().filter(uid=company_uid).first()
    if company is None:
        raise NotFound
    return company


def _free_name(text: str, but: PartnerCompany | None = None) -> str:
    name = clean(text)[:200]
    if not name:
        raise NameMissing
    taken = PartnerCompany.objects.filter(name_key=name_key(name)[:200])
    if but is not None:
        taken = taken.exclude(pk=but.pk)
    if taken.exists():
        raise NameTaken(name)
    return name
