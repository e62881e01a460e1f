"""When reality breaks the rule that an account has an administrator: the operator appoints one (product.md, Roles)."""

from __future__ import annotations

from daicho.core.actor import Actor
from daicho.core.commands import command
from daicho.core.errors import NotFound
from daicho.core.text import clean
from daicho.domain.access.commands.people import checked_address
from daicho.domain.access.errors import AddressOfAnotherDomain, ReasonMissing, UnknownUser
from daicho.domain.access.giving import live_grant, lock_account, rewrite_grant, write_grant
from daicho.domain.access.models import Grant, User
from daicho.domain.access.policy import ensure_operator, live_grants
from daicho.domain.access.rules import OperatorPermission, Role
from daicho.domain.audit.record import record
from daicho.domain.mailbox.commands import post_mail
from daicho.domain.tenancy.models import SmartAccount
from daicho.domain.tenancy.rules import domain_matches


@command(
    permission=OperatorPermission.ACCOUNTS, events=("account.administrator_appointed", "grant.given", "grant.changed")
)
def appoint_administrator(actor: Actor, *, account: SmartAccount, email: str, reason: str) -> Grant:
    """The operator appoints an administrator, for a reason, and everybody with a role in the account is told by mail.

    The address lies in the identifier's domain and belongs to somebody who has signed up and confirmed it. Raises
    `reason_missing`, `address_of_another_domain`, `unknown_user`.
    """
    ensure_operator(actor, OperatorPermission.ACCOUNTS)
    reason = clean(reason)[:500]
    if not reason:
        raise ReasonMissing
    address = checked_address(email)
    if not domain_matches(account.identifier, address.rpartition("@")[2]):
        raise AddressOfAnotherDomain(account.identifier)
    account = lock_account(account)
    if account.state != SmartAccount.State.ACTIVE:
        raise NotFound
    user = User.objects.filter(email=address, is_active=True, email_confirmed_at__isnull=False).first()
    if user is None:
        raise UnknownUser
    grant = live_grant(account, None, user=user)
    if grant is None:
        grant = write_grant(
            actor, account=account, virtual_account=None, role=Role.ACCOUNT_ADMINISTRATOR, ends_at=None, user=user
        )
    elif (grant.role, grant.ends_at) != (Role.ACCOUNT_ADMINISTRATOR, None):
        rewrite_grant(actor, grant, Role.ACCOUNT_ADMINISTRATOR, None)
    record(
        actor, "account.administrator_appointed", account=account, subject=str(user), subject_uid=user.uid,
        after={"email": user.email}, memo=reason,
    )  # fmt: skip
    for holder in people_with_rights(account):
        post_mail(
            "administrator_appointed",
            to=holder.email,
            to_name=holder.name,
            language=holder.language,
            time_zone=holder.time_zone,
            account_name=account.name,
            identifier=account.identifier,
            appointed_name=str(user),
            appointed_email=user.email,
            reason=reason,
        )
    return grant


def people_with_rights(account: SmartAccount, role: Role | None = None) -> list[User]:
    """Everybody who holds a live right in the account (only with this role in the whole account, when one is given)."""
    grants = live_grants().filter(account=account, user__isnull=False)
    if role is not None:
        grants = grants.filter(role=role, virtual_account=None)
    return list(User.objects.filter(pk__in=grants.values("user_id")).order_by("email"))
