"""What units say of their use: facts, counted even when they exceed what is there."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from daicho.core.actor import Actor
from daicho.domain.audit.models import Event
from daicho.domain.audit.record import record_many
from daicho.domain.catalog.models import LicenseTag
from daicho.domain.ledger.batch import UseAnswer, UseRequest, decide
from daicho.domain.ledger.book import UseStep
from daicho.domain.ledger.errors import quantity_too_large, request_id_reused
from daicho.domain.ledger.events import describe_uses
from daicho.domain.ledger.models import Unit


@dataclass(frozen=True, slots=True)
class Reported:
    """What one unit uses now of each license; what is not named stays. `subject`: what people call the unit."""

    unit: Unit
    request_id: uuid.UUID
    lines: Sequence[tuple[LicenseTag, int]]
    subject: str = ""


def report_uses(actor: Actor, reports: Sequence[Reported], *, memo: str = "") -> None:
    """Set the counts of many units in the caller's transaction, all or nothing; the caller has asked the door.

    Records `license.reported`. Raises `quantity_too_large` (422), `request_id_reused` (409).
    """
    events: list[Event] = []
    waiting = iter(reports)

    def each(given: UseAnswer, steps: list[UseStep]) -> None:
        if given.code:
            raise request_id_reused()
        if given.refusals:
            raise quantity_too_large(given.refusals[0].tag.sku)
        events.extend(describe_uses(actor, "license.reported", steps, subject=next(waiting).subject, memo=memo))

    if reports:
        decide([UseRequest.report(one.unit, one.request_id, one.lines) for one in reports], each)
        record_many(events)
