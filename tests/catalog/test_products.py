"""Products: added one by one, found by typing."""

import pytest

from daicho.core.errors import FieldErrors, NotFound
from daicho.domain.catalog import queries
from daicho.domain.catalog.commands.products import add_product
from tests.world import World

pytestmark = pytest.mark.django_db


def test_a_product_is_added_once(world: World):
    operator = world.as_(world.operator)
    add_product(operator, vendor="Kawa Networks", name="KX-48", part_number="KX48-A")
    with pytest.raises(FieldErrors) as error:
        add_product(operator, vendor="ｋａｗａ networks", name="kx-48", part_number="KX48-a")
    assert error.value.errors["name"].code == "product_taken"


def test_only_the_operator_adds_products(world: World):
    with pytest.raises(NotFound):
        add_product(world.as_(world.admin), vendor="V", name="N")


def test_products_are_found_by_vendor_name_and_part_number(world: World):
    add_product(world.as_(world.operator), vendor="Kawa Networks", name="KX-48", part_number="KX48-A")
    for typed in ("kawa", "ＫＸ－４８", "kx48-a", "kawa 48"):
        assert [product.name for product in queries.search_products(world.as_(world.admin), typed)] == ["KX-48"]
