"""The instance behind a device: how it stands, when it was heard of, what is due next."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from daicho.core.actor import Actor
from daicho.core.errors import NotFound
from daicho.domain.access.policy import ensure_may
from daicho.domain.access.rules import Permission
from daicho.domain.devices.models import Device, Instance
from daicho.domain.devices.timers import renewal_age, silence_limit
from daicho.domain.ledger.models import Use
from daicho.domain.tenancy.models import SmartAccount

OUT_OF_COMPLIANCE = "out_of_compliance"


@dataclass(frozen=True, slots=True)
class InstanceView:
    """`authorization`: as stored, but for `out_of_compliance`, which follows from its pools now."""

    instance: Instance
    authorization: str

    @property
    def renew_from(self) -> dt.datetime:
        return self.instance.certificate_from + renewal_age()

    @property
    def silent_at(self) -> dt.datetime | None:
        """When its use returns if nothing is heard of it; reserved ones are exempt."""
        if self.authorization == Instance.Authorization.RESERVED or not self.instance.is_alive:
            return None
        return self.instance.last_contact_at + silence_limit()


def instance_of(device: Device) -> InstanceView | None:
    """The instance that registered as this device last, if one did."""
    found = Instance.objects.filter(device=device).select_related("token").order_by("-pk").first()
    if found is None:
        return None
    state = str(found.authorization)
    if state == Instance.Authorization.AUTHORIZED:
        short = Use.objects.filter(unit=device.unit_id, counted__gt=0, pool__balance__lt=0)
        state = OUT_OF_COMPLIANCE if short.exists() else state
    return InstanceView(found, state)


def get_instance(actor: Actor, account: SmartAccount, device_uid: str) -> InstanceView:
    """The instance of a device that the actor may see; NotFound where none has registered as it."""
    device = Device.objects.filter(account=account, uid=device_uid).select_related("unit__virtual_account").first()
    if device is None:
        raise NotFound
    ensure_may(actor, Permission.DEVICES_VIEW, account, device.unit.virtual_account)
    found = instance_of(device)
    if found is None:
        raise NotFound
    return found
