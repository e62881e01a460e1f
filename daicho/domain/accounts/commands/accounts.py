"""An account's own properties, and what the operator may do to an account as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import available_timezones

from django.utils.translation import gettext_lazy as _

from daicho.core.actor import Actor
from daicho.core.commands import command
from daicho.core.errors import BusinessError, NotFound
from daicho.domain.access.policy import ensure_may, ensure_operator
from daicho.domain.access.rules import OperatorPermission, Permission
from daicho.domain.accounts import errors, rules
from daicho.domain.accounts.commands._opening import administrators
from daicho.domain.accounts.fields import clean_account_name, clean_address
from daicho.domain.audit.record import record
from daicho.domain.mailbox.commands import post_mail
from daicho.domain.tenancy.models import SmartAccount

PROPERTIES = ("name", "time_zone", *rules.ADDRESS_FIELDS)
State = SmartAccount.State


@command(permission=Permission.ACCOUNT_EDIT, events=("account.edited",))
def edit_account(actor: Actor, *, account: SmartAccount, values: Mapping[str, Any]) -> SmartAccount:
    """Change the account's name, head office address, telephone or time zone; the identifier never changes.

    What is not in `values` stays. A new time zone counts for new lots only. Raises FieldErrors (422).
    """
    ensure_may(actor, Permission.ACCOUNT_EDIT, account)
    account = SmartAccount.objects.select_for_update().get(pk=account.pk)
    before = {name: getattr(account, name) for name in PROPERTIES}
    wanted = before | {name: values[name] for name in PROPERTIES if name in values}
    after = {"name": clean_account_name(wanted["name"]), "time_zone": wanted["time_zone"]}
    if after["time_zone"] not in available_timezones():
        raise errors.field("time_zone", errors.unknown_time_zone())
    after |= clean_address(wanted)
    changed = {name for name in PROPERTIES if before[name] != after[name]}
    if changed:
        for name in changed:
            setattr(account, name, after[name])
        account.save(update_fields=sorted(changed))
        record(
            actor, "account.edited", account=account, subject=account.name, subject_uid=account.uid,
            before={name: before[name] for name in sorted(changed)},
            after={name: after[name] for name in sorted(changed)},
        )  # fmt: skip
    return account


@command(permission=Permission.SETTINGS_MANAGE, events=("account.settings_changed",))
def change_account_settings(actor: Actor, *, account: SmartAccount, transfers_need_approval: bool) -> SmartAccount:
    """Decide whether a transfer out of a virtual account waits for approval there."""
    ensure_may(actor, Permission.SETTINGS_MANAGE, account)
    account = SmartAccount.objects.select_for_update().get(pk=account.pk)
    before = account.transfers_need_approval
    if before != transfers_need_approval:
        account.transfers_need_approval = transfers_need_approval
        account.save(update_fields=["transfers_need_approval"])
        record(
            actor, "account.settings_changed", account=account, subject=account.name, subject_uid=account.uid,
            before={"transfers_need_approval": before}, after={"transfers_need_approval": transfers_need_approval},
        )  # fmt: skip
    return account


def operators_account(actor: Actor, identifier: str, *, lock: bool = False) -> SmartAccount:
    """An account that is or was active, for the operator."""
    ensure_operator(actor, OperatorPermission.ACCOUNTS)
    found = SmartAccount.objects.select_for_update() if lock else SmartAccount.objects.all()
    account = found.filter(identifier=identifier.lower()).exclude(state=State.RELEASED).first()
    if account is None:
        raise NotFound
    return account


@command(permission=OperatorPermission.ACCOUNTS, events=("account.suspended",))
def suspend_account(actor: Actor, *, identifier: str, reason: str) -> SmartAccount:
    """Suspend an account: people read it, nobody changes it; devices go on. Its administrators read the reason."""
    return _set_state(actor, identifier, reason, "account.suspended", State.SUSPENDED, {State.ACTIVE})


@command(permission=OperatorPermission.ACCOUNTS, events=("account.resumed",))
def resume_account(actor: Actor, *, identifier: str, reason: str) -> SmartAccount:
    """End the suspension of an account; its administrators read the reason."""
    return _set_state(actor, identifier, reason, "account.resumed", State.ACTIVE, {State.SUSPENDED})


@command(permission=OperatorPermission.ACCOUNTS, events=("account.closed",))
def close_account(actor: Actor, *, identifier: str, reason: str) -> SmartAccount:
    """Close an account for good: it stays readable and keeps its identifier. Its administrators read the reason."""
    return _set_state(actor, identifier, reason, "account.closed", State.CLOSED, {State.ACTIVE, State.SUSPENDED})


def _set_state(
    actor: Actor, identifier: str, reason: str, kind: str, state: State, from_states: set[State]
) -> SmartAccount:
    account = operators_account(actor, identifier, lock=True)
    text = reason.strip()[:500]
    if not text:
        raise errors.field("reason", errors.required())
    if account.state not in from_states:
        raise BusinessError(
            "account_not_in_state", 409, _("The account is in another state by now (“%(state)s”)."), state=account.state
        )
    before, account.state = account.state, state
    account.save(update_fields=["state"])
    record(
        actor, kind, account=account, subject=account.name, subject_uid=account.uid,
        before={"state": before}, after={"state": state}, memo=text,
    )  # fmt: skip
    for user in administrators(account):
        post_mail(
            "account_state", to=user.email, to_name=user.name, language=user.language, time_zone=user.time_zone,
            identifier=account.identifier, account_name=account.name, state=state.value, reason=text,
        )  # fmt: skip
    return account


@command(permission=OperatorPermission.SUPPORT, events=("support.viewed",))
def look_into_account(actor: Actor, *, identifier: str, reason: str) -> SmartAccount:
    """The operator looks at an account's licenses to help: with a reason, which the account's own log shows."""
    account = operators_account(actor, identifier)
    text = reason.strip()[:500]
    if not text:
        raise errors.field("reason", errors.required())
    record(actor, "support.viewed", account=account, subject=account.name, subject_uid=account.uid, memo=text)
    return account
