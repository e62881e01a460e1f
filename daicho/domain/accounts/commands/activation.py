"""The account becomes active: all at once or not at all (S16)."""

from __future__ import annotations

from daicho.core.actor import Actor
from daicho.core.clock import now
from daicho.core.commands import command
from daicho.core.text import name_key
from daicho.domain.access.commands.grants import give_founding_grant
from daicho.domain.access.models import User
from daicho.domain.access.rules import Role
from daicho.domain.accounts import errors, rules
from daicho.domain.accounts.commands._opening import facts, in_the_name_of, move, opening_of_link
from daicho.domain.accounts.models import Opening
from daicho.domain.audit.record import record
from daicho.domain.mailbox.commands import post_mail
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount

DEFAULT_NAME = "DEFAULT"


@command(permission=None, events=("account.activated", "virtual_account.created", "grant.given"))
def activate_account(actor: Actor, *, secret: str) -> SmartAccount:
    """Activate the account by the mailed link: its first administrator, its approver and DEFAULT exist from now on.

    Whoever holds the link, once, within 7 days. Raises `link_unusable` (404).
    """
    opening = opening_of_link(secret, rules.AWAITING_ACTIVATION)
    requester, account = opening.requester, opening.account
    if account is None or not requester.is_active:
        raise errors.link_unusable()
    who = in_the_name_of(actor, requester.get_full_name())
    move(opening, "activate", rules.ACTIVE)
    people = _give_roles(who, opening, account)
    account.state, account.activated_at = SmartAccount.State.ACTIVE, now()
    account.save(update_fields=["state", "activated_at"])
    record(
        who, "account.activated", account=account, subject=account.name, subject_uid=account.uid,
        after={"identifier": account.identifier, "name": account.name, "time_zone": account.time_zone},
    )  # fmt: skip
    _create_default(who, account)
    _tell(opening, people)
    return account


def _give_roles(actor: Actor, opening: Opening, account: SmartAccount) -> list[User]:
    """The requester becomes administrator, the named approver approver (S11)."""
    people = [opening.requester]
    give_founding_grant(actor, account=account, user=opening.requester, role=Role.ACCOUNT_ADMINISTRATOR)
    if not opening.is_representative:
        approver = User.objects.filter(email__iexact=opening.approver_email, is_active=True).first()
        if approver is not None:
            give_founding_grant(actor, account=account, user=approver, role=Role.ACCOUNT_APPROVER)
            people.append(approver)
    return people


def _create_default(actor: Actor, account: SmartAccount) -> None:
    """DEFAULT is public: partners find it when they order."""
    default = VirtualAccount.objects.create(
        account=account,
        name=DEFAULT_NAME,
        name_key=name_key(DEFAULT_NAME),
        is_default=True,
        visibility=VirtualAccount.Visibility.PUBLIC,
    )
    default.path = f"/{default.pk}/"
    default.save(update_fields=["path"])
    record(
        actor, "virtual_account.created", account=account, virtual_account=default, subject=default.name,
        subject_uid=default.uid, after={"name": default.name, "visibility": default.visibility, "parent": None},
    )  # fmt: skip


def _tell(opening: Opening, people: list[User]) -> None:
    for user in people:
        post_mail(
            "account_activated", to=user.email, to_name=user.name, language=user.language, time_zone=user.time_zone,
            **facts(opening),
        )  # fmt: skip
