"""The demonstration's world: made by the product's own commands, alive, and made once."""

import pytest
from django.contrib.auth import get_user_model

from daicho.domain.accounts.models import Opening
from daicho.domain.audit.models import Event
from daicho.domain.ledger.models import Pool
from daicho.domain.orders.models import OrderLine
from daicho.domain.tenancy.models import SmartAccount
from daicho.interfaces.cli.demo.load import load
from daicho.interfaces.portal.demo_code import operators_code

pytestmark = pytest.mark.django_db


def test_the_demo_world_is_alive_and_made_once():
    log_ins = load()
    assert len(log_ins) == 5
    company = SmartAccount.objects.get(identifier="example.co.jp")
    pools = Pool.objects.filter(account=company)
    assert pools.filter(balance__lt=0).count() == 2  # short
    assert pools.filter(balance__gt=0, in_use=0).exists()  # idle
    assert pools.filter(lent__gt=0).exists()
    assert pools.filter(metered__gt=0).exists()
    assert pools.filter(pending__gt=0).exists()
    assert set(OrderLine.objects.values_list("state", flat=True)) >= {
        "deposited", "unassigned", "waiting_operator", "waiting_agreement",
    }  # fmt: skip
    assert Opening.objects.filter(state="held").exists()
    assert {"license.ended", "license.undone", "license.transferred", "access.requested"} <= set(
        Event.objects.values_list("kind", flat=True)
    )
    assert len(operators_code()) == 6
    people = get_user_model().objects.count()
    again = load()
    assert get_user_model().objects.count() == people
    assert again[0]["email"] == log_ins[0]["email"]
    assert again[0]["password"] != log_ins[0]["password"]
    assert get_user_model().objects.get(email=again[0]["email"]).check_password(again[0]["password"])
