"""What people and the clock do to instances: they are put off when their device goes, and when they are silent."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.db.models import QuerySet

from daicho.core.actor import Actor
from daicho.core.clock import now
from daicho.core.ids import derived_uuid
from daicho.domain.audit.record import describe, record_many
from daicho.domain.devices.models import ALIVE, Device, Instance
from daicho.domain.devices.timers import silence_limit
from daicho.domain.ledger.batch import UseRequest, decide
from daicho.domain.ledger.models import Use
from daicho.domain.ledger.rules import Act

EXEMPT = (Instance.Authorization.RESERVED, Instance.Authorization.AUTHORIZATION_EXPIRED)
PART = 500
"""Instances in one transaction."""


def put_off(devices: Sequence[Device], registration: str) -> None:
    """Let the living instances of these devices be refused from now on; before the ledger locks their units, as the hot path does."""
    ids = (
        Instance.objects.select_for_update(no_key=True)
        .filter(device__in=devices, registration__in=ALIVE)
        .order_by("pk")
    )
    Instance.objects.filter(pk__in=[one.pk for one in ids]).update(
        registration=registration, authorization=Instance.Authorization.NONE, authorization_since=now()
    )


def expire_due() -> int:
    """Instances whose certificate has ended are expired, those that were silent too long return what they use.

    In transactions of 500; safe to run twice, late, or never finished. Returns how many changed.
    """
    return _expire_certificates() + _expire_silent()


def _expire_certificates() -> int:
    done = 0
    while True:
        with transaction.atomic():
            due = _due(
                Instance.objects.filter(registration=Instance.Registration.REGISTERED, certificate_until__lte=now())
            )
            Instance.objects.filter(pk__in=[one.pk for one in due]).update(registration=Instance.Registration.EXPIRED)
            _record("device.expired", due, {})
        done += len(due)
        if len(due) < PART:
            return done


def _expire_silent() -> int:
    done = 0
    while True:
        with transaction.atomic():
            limit = now() - silence_limit()
            due = _due(
                Instance.objects.filter(registration__in=ALIVE, last_contact_at__lte=limit).exclude(
                    authorization__in=EXEMPT
                )
            )
            released = _release(due)
            Instance.objects.filter(pk__in=[one.pk for one in due]).update(
                authorization=Instance.Authorization.AUTHORIZATION_EXPIRED, authorization_since=now()
            )
            _record("device.authorization_expired", due, released)
        done += len(due)
        if len(due) < PART:
            return done


def _due(found: QuerySet[Instance]) -> list[Instance]:
    rows = found.select_for_update(no_key=True, of=("self",)).select_related("device__unit")
    return list(rows.order_by("pk")[:PART])


def _release(due: Sequence[Instance]) -> dict[int, dict[str, int]]:
    """Give back what these use; what was given, by instance and SKU."""
    units = {one.device.unit_id: one for one in due}
    given: dict[int, list[tuple[Use, int]]] = {}
    for use in Use.objects.filter(unit__in=units, reported__gt=0).select_related("tag"):
        given.setdefault(use.unit_id, []).append((use, use.reported))
    decide([
        UseRequest(
            unit_id, derived_uuid("device silent", units[unit_id].uid, units[unit_id].last_contact_at), Act.ASK,
            tuple((use.tag, 0) for use, _ in uses), "silence",
        )
        for unit_id, uses in given.items()
    ])  # fmt: skip
    return {units[unit_id].pk: {use.tag.sku: count for use, count in uses} for unit_id, uses in given.items()}


def _record(kind: str, due: Sequence[Instance], released: dict[int, dict[str, int]]) -> None:
    actor = Actor.system("devices")
    record_many(
        describe(
            actor, kind, account_id=one.account_id, virtual_account_id=one.device.unit.virtual_account_id,
            subject=one.device.name, subject_uid=one.device.uid,
            before={"registration": one.registration, "authorization": one.authorization},
            after={"released": released.get(one.pk, {})},
        )
        for one in due
    )  # fmt: skip
