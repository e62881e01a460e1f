"""Partners find public virtual accounts by typing and private ones only by their exact name (S20)."""

import pytest

from daicho.core.errors import FieldErrors, NotFound
from daicho.domain.orders.queries.account import order_card
from daicho.domain.orders.queries.companies import customers_of, search_destinations
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount
from tests.orders.helpers import line, recorded
from tests.world import World

pytestmark = pytest.mark.django_db


def found(world: World, text: str, identifier: str = "aozora.example.co.jp") -> list[str]:
    places = search_destinations(world.as_(world.reseller), world.reseller_company, identifier=identifier, text=text)
    return [place.virtual_account for place in places]


def test_public_ones_are_found_by_typing(world: World):
    VirtualAccount.objects.filter(pk=world.tokyo.pk).update(visibility="public")
    assert found(world, "") == ["DEFAULT", "AOZORA Tokyo"]
    assert found(world, "tok") == ["AOZORA Tokyo"]
    assert found(world, "ＴＯＫ") == ["AOZORA Tokyo"]


def test_private_ones_are_found_only_by_their_exact_name(world: World):
    assert found(world, "Osa") == []
    assert found(world, "ｏｓａｋａ") == ["Osaka"]


def test_an_account_that_does_not_exist_is_as_silent_as_a_name_that_does_not(world: World):
    assert found(world, "Nothing") == found(world, "Osaka", "nobody.example.com") == []
    SmartAccount.objects.filter(pk=world.account.pk).update(state="suspended")
    assert found(world, "Osaka") == []


def test_a_wrong_name_is_answered_the_same_whether_it_exists_or_not(world: World):
    texts = set()
    for name in ("Osak", "Never existed", "AOZORA"):
        with pytest.raises(FieldErrors) as error:
            recorded(world, line(virtual_account=name), actor=world.as_(world.reseller), company=world.reseller_company)
        texts.add(str(error.value.errors["lines.0.virtual_account"]))
    assert len(texts) == 1


@pytest.mark.parametrize("who", ["admin", "partner", "stranger", "nobody"])
def test_others_do_not_search_destinations(world: World, who: str):
    for company in (None, world.reseller_company):
        with pytest.raises(NotFound):
            search_destinations(world.as_(getattr(world, who)), company, identifier="aozora.example.co.jp")


def test_the_card_names_the_domain_and_the_default_virtual_account(world: World):
    card = order_card(world.as_(world.viewer), world.account)
    assert (card.identifier, card.virtual_account, card.public) == ("aozora.example.co.jp", "DEFAULT", True)
    assert order_card(world.as_(world.admin), world.account, world.osaka).virtual_account == "Osaka"


def test_who_sees_one_virtual_account_gets_the_card_of_that_one(world: World):
    card = order_card(world.as_(world.partner), world.account)
    assert (card.virtual_account, card.public) == ("Osaka", False)
    with pytest.raises(NotFound):
        order_card(world.as_(world.partner), world.account, world.tokyo)
    with pytest.raises(NotFound):
        order_card(world.as_(world.stranger), world.account)


def test_a_partner_sees_where_he_has_rights_and_what_is_short_there(world: World):
    (customer,) = customers_of(world.as_(world.partner))
    assert (customer.identifier, customer.virtual_account, customer.short) == ("aozora.example.co.jp", "Osaka", 0)
