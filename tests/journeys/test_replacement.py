"""S4 in a browser: at night a device fails, and its owner replaces it alone."""

from __future__ import annotations

import uuid

from django.utils.translation import gettext as _

from daicho.core.actor import Actor, ActorKind
from daicho.domain.access.models import User
from daicho.domain.continuity.models import Replacement
from daicho.domain.devices.commands.licenses import UseLine, assign_to_device
from daicho.domain.devices.commands.records import create_device
from daicho.domain.ledger.models import Use
from tests.journeys.conftest import Town


def test_s04_a_failed_device_is_replaced_by_its_owner_alone(town: Town) -> None:
    """S4: in at most 12 interactions, with no operator user in the database, also on a phone."""
    company = town.company()
    admin = Actor(ActorKind.USER, company.admin.name, user_id=company.admin.pk)
    town.deposit(town.world.storage, 5, company.osaka)
    failed = create_device(
        admin, account=company.account, virtual_account=company.osaka, request_id=uuid.uuid4(), name="osaka-sw-07",
        product_id="C9300", serial="FCW-1",
    )  # fmt: skip
    assign_to_device(
        admin, account=company.account, device_uid=failed.uid, lines=[UseLine(town.world.storage, 2)],
        request_id=uuid.uuid4(),
    )  # fmt: skip
    operators = list(User.objects.filter(is_operator=True).values_list("pk", flat=True))
    User.objects.filter(pk__in=operators).update(is_operator=False)
    try:
        one = town.person(company.admin, phone=True)
        one.go(f"{company.url}devices/")
        one.click("osaka-sw-07")
        one.click(_("Other acts"))
        one.click(_("Replace (failed)"))
        one.fill(_("Serial number of the new device"), "FCW-2")
        one.click(_("Check"))
        one.see("FCW-2")
        one.click(_("Replace"), within="main form")
        one.see(_("%(device)s was replaced") % {"device": "osaka-sw-07"})
    finally:
        User.objects.filter(pk__in=operators).update(is_operator=True)
    assert len(one.acts) <= 12, one.acts
    made = Replacement.objects.get(failed=failed)
    assert made.successor.serial == "FCW-2"
    assert Use.objects.get(unit=made.successor.unit, reported__gt=0).reported == 2
