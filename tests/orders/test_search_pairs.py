"""Words inside texts, on both databases: in any script, at any place, whether or not an index knows them."""

from __future__ import annotations

import pytest

from daicho.core.search import Holds, pairs
from daicho.domain.orders.models import Order
from tests.world import World

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("indexed", [True, False])
@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("東京", 1),
        ("発注", 2),
        ("po-1", 1),
        ("-1-0", 1),
        ("稟議", 1),
        ("議第12", 1),
        ("zz", 0),
        ("注2026稟", 0),
        ("2", 3),
        ("%", 0),
        ("PO", 1),
    ],
)
def test_a_word_is_found_wherever_it_stands(world: World, word: str, found: int, indexed: bool) -> None:
    for number, reference in (("PO-1-0002", "稟議第12号"), ("発注2026-東京", ""), ("発注2", "Ref")):
        Order.objects.create(
            account=world.account,
            number=number,
            number_key=number.lower(),
            customer_reference=reference,
            recorded_by_name="",
        )
    rows = Order.objects.filter(Holds(word, "number_key", "customer_reference", indexed=indexed), account=world.account)
    assert rows.count() == found


def test_pairs_are_what_stands_side_by_side() -> None:
    assert pairs("ネットネッ") == ["ネッ", "ット", "トネ"]
    assert pairs("a") == []
    assert len(pairs("".join(map(chr, range(0x4E00, 0x4E40))))) == 16
