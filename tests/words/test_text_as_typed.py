"""Free text is kept as typed and found whatever its width and case."""

from __future__ import annotations

import unicodedata

import pytest

from daicho.core.text import name_key, tidy
from daicho.domain.accounts.commands.virtual_accounts import create_virtual_account
from daicho.domain.tenancy.models import VirtualAccount
from tests.world import World

TYPED = "（株）青空　東京①"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("（株）青空", "（株）青空"),
        ("  青空　 東京\n支店 ", "青空 東京 支店"),
        ("ｱｵｿﾞﾗ①㍿", "ｱｵｿﾞﾗ①㍿"),
        (unicodedata.normalize("NFD", "ガス"), "ガス"),
        ("a \x00 b\x08c\x7f", "a bc"),
    ],
)
def test_text_is_kept_as_typed_but_for_spaces_and_control_characters(typed: str, kept: str) -> None:
    assert tidy(typed) == kept


def test_two_widths_of_one_name_are_the_same_name() -> None:
    assert name_key("（株）ＡＢＣ") == name_key("(株)abc")


def test_a_name_in_full_width_stays_so_on_the_page_and_is_found_in_half_width(world: World) -> None:
    made = create_virtual_account(
        world.as_(world.admin), account=world.account, name=TYPED, description="倉庫（２階）", tags=["（仮）"]
    )
    kept = VirtualAccount.objects.get(pk=made.pk)
    assert (kept.name, kept.description, kept.tags.get().name) == ("（株）青空 東京①", "倉庫（２階）", "（仮）")
    browser = world.client(world.admin)
    for typed in ("(株)", "（株）", "東京1"):
        page = browser.get("/a/aozora.example.co.jp/virtual-accounts/", {"q": typed})
        assert "（株）青空 東京①" in page.content.decode()
        assert "AOZORA Tokyo" not in page.content.decode().partition("<table")[2].partition("</table")[0]
