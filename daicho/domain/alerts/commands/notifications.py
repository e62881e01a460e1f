"""How each person hears of an account, and which further addresses do."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _

from daicho.core.actor import Actor
from daicho.core.clock import now
from daicho.core.commands import command
from daicho.core.errors import BusinessError, NotFound, invalid
from daicho.core.ids import new_secret
from daicho.core.text import clean
from daicho.domain.access.policy import ensure_may, ensure_signed_in
from daicho.domain.access.rules import Permission
from daicho.domain.alerts.kinds import DAYS, KINDS
from daicho.domain.alerts.models import ExtraAddress, NotificationSetting
from daicho.domain.alerts.summary import settled_day
from daicho.domain.audit.record import record
from daicho.domain.mailbox.commands import post_mail
from daicho.domain.tenancy.models import SmartAccount

LINK_VALID = dt.timedelta(days=7)
MOST_ADDRESSES = 20


@command(permission=Permission.ACCOUNT_VIEW, events=("notification.changed",))
def set_notifications(
    actor: Actor,
    *,
    account: SmartAccount,
    at_once: bool,
    daily_summary: bool,
    days: Sequence[int],
    muted_kinds: Sequence[str] = (),
) -> NotificationSetting:
    """Choose how one hears of an account: mail at once, the daily summary, how many days before an end, and of what.

    Raises `unknown_days` (90, 60, 30, 14, 7, 1), `unknown_kind`.
    """
    ensure_may(actor, Permission.ACCOUNT_VIEW, account)
    user = ensure_signed_in(actor)
    if set(days) - set(DAYS):
        raise invalid("days", "unknown_days", _("Choose among 90, 60, 30, 14, 7 and 1 days."))
    if set(muted_kinds) - set(KINDS):
        raise invalid("muted_kinds", "unknown_kind", _("There is no such kind of alert."))
    setting, _new = NotificationSetting.objects.get_or_create(
        user=user, account=account, defaults={"summarized_on": settled_day(user.time_zone)}
    )
    before = _plain(setting)
    setting.at_once, setting.daily_summary = at_once, daily_summary
    setting.days = sorted(set(days), reverse=True)
    setting.muted_kinds = sorted(set(muted_kinds))
    after = _plain(setting)
    if before != after:
        setting.save(update_fields=["at_once", "daily_summary", "days", "muted_kinds"])
        record(
            actor, "notification.changed", account=account, subject=str(user), subject_uid=user.uid,
            before=before, after=after,
        )  # fmt: skip
    return setting


def _plain(setting: NotificationSetting) -> dict[str, object]:
    return {
        "at_once": setting.at_once,
        "daily_summary": setting.daily_summary,
        "days": list(setting.days),
        "muted_kinds": list(setting.muted_kinds),
    }


@command(permission=Permission.SETTINGS_MANAGE, events=("extra_address.added",))
def add_extra_address(actor: Actor, *, account: SmartAccount, email: str, language: str = "ja") -> ExtraAddress:
    """Let a further address of the account's own domain have the mails, once it is confirmed by the link it gets.

    Raises `bad_email`, `address_outside_domain`, `address_known`, `too_many_addresses` (20). The link is good for 7 days.
    """
    ensure_may(actor, Permission.SETTINGS_MANAGE, account)
    address = clean(email).lower()
    try:
        validate_email(address)
    except ValidationError:
        raise invalid("email", "bad_email", _("Enter a mail address.")) from None
    domain = address.rpartition("@")[2]
    if domain != account.identifier and not domain.endswith(f".{account.identifier}"):
        raise invalid(
            "email", "address_outside_domain", _("The address must be in %(domain)s."), domain=account.identifier
        )
    if language not in ("ja", "en"):
        raise invalid("language", "unknown_language", _("Choose Japanese or English."))
    if ExtraAddress.objects.filter(account=account, email=address).exists():
        raise invalid("email", "address_known", _("This address is in the list already."))
    if ExtraAddress.objects.filter(account=account).count() >= MOST_ADDRESSES:
        raise invalid("email", "too_many_addresses", _("An account has at most 20 further addresses."))
    token = new_secret()
    added = ExtraAddress.objects.create(
        account=account,
        email=address,
        language=language,
        token_hash=_hash(token),
        token_expires_at=now() + LINK_VALID,
        summarized_on=settled_day(account.time_zone),
    )
    post_mail(
        "extra_address_confirm",
        to=address,
        language=language,
        time_zone=account.time_zone,
        account=account.name,
        identifier=account.identifier,
        by=actor.name,
        token=token,
        expires_at=added.token_expires_at.isoformat(),
    )
    record(actor, "extra_address.added", account=account, subject=address, subject_uid=added.uid)
    return added


@command(permission=None, events=("extra_address.confirmed",))
def confirm_extra_address(actor: Actor, *, token: str) -> ExtraAddress:
    """Confirm a further address by the link that was mailed to it; whoever holds the link may. Again does nothing.

    Raises NotFound, `link_ended` (410).
    """
    address = ExtraAddress.objects.select_for_update(of=("self",)).select_related("account").filter(
        token_hash=_hash(token)
    ).first()  # fmt: skip
    if address is None:
        raise NotFound
    if address.confirmed_at is not None:
        return address
    if address.token_expires_at <= now():
        raise BusinessError("link_ended", 410, _("This link has ended. An administrator can add the address again."))
    address.confirmed_at = address.summarized_at = now()
    address.summarized_on = settled_day(address.account.time_zone)
    address.save(update_fields=["confirmed_at", "summarized_at", "summarized_on"])
    record(actor, "extra_address.confirmed", account=address.account, subject=address.email, subject_uid=address.uid)
    return address


@command(permission=Permission.SETTINGS_MANAGE, events=("extra_address.removed",))
def remove_extra_address(actor: Actor, *, account: SmartAccount, uid: str) -> None:
    """Send no more mails to a further address."""
    ensure_may(actor, Permission.SETTINGS_MANAGE, account)
    address = ExtraAddress.objects.filter(account=account, uid=uid).first()
    if address is None:
        raise NotFound
    record(actor, "extra_address.removed", account=account, subject=address.email, subject_uid=address.uid)
    address.delete()


def find_extra_address(token: str) -> ExtraAddress:
    """The address a mailed link belongs to, or NotFound; changes nothing (mail scanners open links)."""
    address = ExtraAddress.objects.select_related("account").filter(token_hash=_hash(token)).first()
    if address is None:
        raise NotFound
    return address


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
