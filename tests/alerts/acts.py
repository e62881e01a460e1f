"""What happens to licenses before an alert: devices use them, lots end."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from daicho.core.clock import now
from daicho.core.text import name_key
from daicho.domain.alerts import watch
from daicho.domain.alerts.models import Alert
from daicho.domain.catalog.models import LicenseTag
from daicho.domain.devices.models import Device
from daicho.domain.ledger.commands.use import UseLine, assign_licenses
from daicho.domain.mailbox.models import Mail
from daicho.domain.tenancy.models import VirtualAccount
from daicho.interfaces.mail.render import Rendered, render
from tests.world import World


def device(world: World, place: VirtualAccount, name: str, **fields: Any) -> Device:
    return Device.objects.create(
        account=place.account, unit=world.unit(place), name=name, name_key=name_key(name), **fields
    )


def use(world: World, place: VirtualAccount, tag: LicenseTag, quantity: int, name: str) -> Device:
    """A device that uses so many."""
    found = device(world, place, name)
    assign_licenses(
        world.as_(world.admin),
        account=place.account,
        unit=found.unit,
        request_id=uuid.uuid4(),
        lines=[UseLine(tag, quantity)],
    )
    return found


def make_short(world: World, place: VirtualAccount, tag: LicenseTag, owned: int, in_use: int, clock: Any) -> None:
    """Over-use: a lot of `in_use - owned` ends under devices that use all of it."""
    from daicho.domain.ledger.sweep import sweep_due

    if owned:
        world.deposit(tag, owned, place)
    world.deposit(tag, in_use - owned, place, end=now() + dt.timedelta(hours=1))
    use(world, place, tag, in_use, "core-01")
    clock.shift(dt.timedelta(hours=1, seconds=1))
    sweep_due()


def open_alerts(kind: str) -> list[Alert]:
    return list(Alert.objects.filter(kind=kind, resolved_at=None).order_by("pk"))


def mails(template: str = "") -> list[Mail]:
    found = Mail.objects.order_by("pk")
    return list(found.filter(template=template) if template else found)


def recipients(template: str) -> set[str]:
    return {mail.to for mail in mails(template)}


def rendered(mail: Mail, language: str = "") -> Rendered:
    return render(
        mail.template,
        mail.context,
        to=mail.to,
        to_name=mail.to_name,
        language=language or mail.language,
        time_zone=mail.time_zone,
    )


run = watch.run
