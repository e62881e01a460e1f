"""Registration tokens are issued, shown again to those who may issue them, and revoked."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from daicho.core.actor import Actor
from daicho.core.clock import now
from daicho.core.commands import command
from daicho.core.errors import BusinessError, FieldErrors, NotFound
from daicho.core.ids import new_secret
from daicho.core.sealing import seal, unseal
from daicho.core.text import tidy
from daicho.domain.access.policy import ensure_may
from daicho.domain.access.rules import Permission
from daicho.domain.audit.record import record
from daicho.domain.devices.errors import request_id_reused
from daicho.domain.devices.models import RegistrationToken
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount

PURPOSE = "registration token"
MOST_DAYS, MOST_USES, MOST_PLACES = 365, 100_000, 200
DAYS, USES = 30, 10


def hash_of(secret: str) -> str:
    """How a token is found by its secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


@command(permission=Permission.DEVICES_MANAGE, events=("token.issued",))
def issue_tokens(
    actor: Actor,
    *,
    account: SmartAccount,
    virtual_accounts: Sequence[VirtualAccount],
    request_id: uuid.UUID,
    description: str = "",
    days: int = DAYS,
    uses: int = USES,
    allows_export_controlled: bool = False,
    standing: bool = True,
) -> list[RegistrationToken]:
    """Issue a token for each of these virtual accounts, with which so many devices may register there for so long.

    1–365 days, 1–100,000 uses; either limit ends it. The same request again returns the first tokens. `standing` False:
    also while an agreement waits, for the replacement of a failed device. Raises FieldErrors, `request_id_reused`.
    """
    places = list({place.pk: place for place in virtual_accounts}.values())
    _check(description, days, uses, len(places))
    for place in places:
        ensure_may(actor, Permission.DEVICES_MANAGE, account, place, standing=standing)
    found = {token.virtual_account_id: token
             for token in RegistrationToken.objects.filter(account=account, request_id=request_id)}  # fmt: skip
    if found:
        asked = (tidy(description), uses, allows_export_controlled)
        if set(found) != {place.pk for place in places} or any(
            (token.description, token.max_uses, token.allows_export_controlled) != asked for token in found.values()
        ):
            raise request_id_reused()
        return [found[place.pk] for place in places]
    return [
        _issue(actor, account, place, tidy(description), days, uses, allows_export_controlled, request_id)
        for place in places
    ]


def _issue(
    actor: Actor,
    account: SmartAccount,
    place: VirtualAccount,
    description: str,
    days: int,
    uses: int,
    allows_export_controlled: bool,
    request_id: uuid.UUID,
) -> RegistrationToken:
    secret = new_secret()
    token = RegistrationToken.objects.create(
        account=account, virtual_account=place, description=description, secret_hash=hash_of(secret),
        secret_sealed=seal(PURPOSE, secret.encode()), secret_hint=secret[:4],
        allows_export_controlled=allows_export_controlled, max_uses=uses, expires_at=now() + dt.timedelta(days=days),
        request_id=request_id, created_by=actor.name[:200],
    )  # fmt: skip
    record(
        actor, "token.issued", account=account, virtual_account=place, subject=description or token.secret_hint,
        subject_uid=token.uid, act=request_id,
        after={"days": days, "uses": uses, "export_controlled": allows_export_controlled},
    )  # fmt: skip
    return token


@command(permission=Permission.DEVICES_MANAGE, events=("token.shown",))
def show_token(actor: Actor, *, account: SmartAccount, uid: str) -> str:
    """Show the secret of a token to somebody who may issue one. Raises NotFound, Forbidden."""
    token = lock_token(actor, account, uid)
    record(
        actor, "token.shown", account=account, virtual_account=token.virtual_account,
        subject=token.description or token.secret_hint, subject_uid=token.uid,
    )  # fmt: skip
    return secret_of(token)


@command(permission=Permission.DEVICES_MANAGE, events=("token.revoked",))
def revoke_token(actor: Actor, *, account: SmartAccount, uid: str, memo: str = "") -> RegistrationToken:
    """End a token at once; the devices that registered with it stay. Doing it twice changes nothing."""
    token = lock_token(actor, account, uid)
    if token.revoked_at is None:
        _revoke(actor, account, token, memo)
    return token


def revoke_tokens_of(actor: Actor, account: SmartAccount, place: VirtualAccount) -> None:
    """Revoke all tokens of a virtual account, as a part of a command that has asked its door."""
    open_ones = RegistrationToken.objects.select_for_update(of=("self",)).filter(virtual_account=place, revoked_at=None)
    for token in open_ones.select_related("virtual_account").order_by("pk"):
        _revoke(actor, account, token, "")


def _revoke(actor: Actor, account: SmartAccount, token: RegistrationToken, memo: str) -> None:
    token.revoked_at, token.revoked_by = now(), actor.name[:200]
    token.save(update_fields=["revoked_at", "revoked_by"])
    record(
        actor, "token.revoked", account=account, virtual_account=token.virtual_account,
        subject=token.description or token.secret_hint, subject_uid=token.uid, memo=memo,
        before={"uses": token.uses, "max_uses": token.max_uses},
    )  # fmt: skip


def lock_token(actor: Actor, account: SmartAccount, uid: str) -> RegistrationToken:
    """A token of a virtual account in which the actor manages devices, whatever agreement waits."""
    found = RegistrationToken.objects.select_for_update(of=("self",)).filter(account=account, uid=uid)
    token = found.select_related("virtual_account").first()
    if token is None:
        raise NotFound
    ensure_may(actor, Permission.DEVICES_MANAGE, account, token.virtual_account, standing=False)
    return token


def secret_of(token: RegistrationToken) -> str:
    """The secret itself; the caller has asked the door and records that it was shown."""
    return unseal(PURPOSE, bytes(token.secret_sealed)).decode()


def _check(description: str, days: int, uses: int, places: int) -> None:
    errors: dict[str, BusinessError] = {}
    if not 1 <= days <= MOST_DAYS:
        errors["days"] = _out_of_range(1, MOST_DAYS)
    if not 1 <= uses <= MOST_USES:
        errors["uses"] = _out_of_range(1, MOST_USES)
    if len(tidy(description)) > 200:
        errors["description"] = BusinessError("too_long", 422, _("Enter %(limit)s characters or less."), limit=200)
    if not 1 <= places <= MOST_PLACES:
        errors["virtual_accounts"] = BusinessError(
            "required", 422, _("Choose between 1 and %(most)s virtual accounts."), most=MOST_PLACES
        )
    if errors:
        raise FieldErrors(errors)


def _out_of_range(least: int, most: int) -> BusinessError:
    return BusinessError(
        "out_of_range", 422, _("Enter a whole number between %(least)s and %(most)s."), least=least, most=f"{most:,}"
    )
