"""The tree from a CSV of the organization (S26)."""

from __future__ import annotations

import pytest

from daicho.core.errors import BusinessError, Forbidden, NotFound
from daicho.domain.access.errors import RowErrors
from daicho.domain.accounts.commands.virtual_accounts_import import Imported, import_virtual_accounts
from daicho.domain.accounts.virtual_account_file import read_tree_file
from daicho.domain.audit.models import Event
from daicho.domain.tenancy.models import VirtualAccount
from tests.world import World

ORGANIZATION = """name,parent,description,tags,visibility
情報システム本部,,全社の情報システム,"本社,IT",public
ネットワーク運用第二グループ,情報システム本部 / デジタル基盤統括部,,,
デジタル基盤統括部,情報システム本部,,,private
Osaka,デジタル基盤統括部,,,
"""


def run(world: World, text: str | bytes) -> Imported:
    content = text if isinstance(text, bytes) else text.encode()
    return import_virtual_accounts(world.as_(world.admin), account=world.account, content=content)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
def test_the_tree_follows_the_file_in_any_order_of_rows(world: World, encoding: str) -> None:
    assert run(world, ORGANIZATION.encode(encoding)) == Imported(created=3, moved=1, changed=0, unchanged=0)
    group = VirtualAccount.objects.get(name="ネットワーク運用第二グループ")
    above = [VirtualAccount.objects.get(pk=int(number)).name for number in group.path.strip("/").split("/")]
    assert above == ["情報システム本部", "デジタル基盤統括部", "ネットワーク運用第二グループ"]
    assert group.depth == 3
    world.osaka.refresh_from_db()
    assert world.osaka.depth == 3
    head = VirtualAccount.objects.get(name="情報システム本部")
    assert (head.visibility, head.description) == ("public", "全社の情報システム")
    assert sorted(head.tags.values_list("name", flat=True)) == ["IT", "本社"]


def test_the_same_file_again_changes_nothing(world: World) -> None:
    run(world, ORGANIZATION)
    events = Event.objects.count()
    assert run(world, ORGANIZATION) == Imported(created=0, moved=0, changed=0, unchanged=4)
    assert Event.objects.count() == events


def test_japanese_heads_are_understood(world: World) -> None:
    assert run(world, "名称,親,公開\n京都支店,Osaka,公開\n").created == 1
    assert VirtualAccount.objects.get(name="京都支店").parent == world.osaka


def test_a_blank_cell_leaves_what_is_there(world: World) -> None:
    run(world, "name,description,tags,visibility\nOsaka,West Japan,branch,public\n")
    run(world, "name,description,tags,visibility\nOsaka,,,\n")
    world.osaka.refresh_from_db()
    assert (world.osaka.description, world.osaka.visibility) == ("West Japan", "public")
    assert world.osaka.tags.count() == 1


def test_every_wrong_row_is_told_and_nothing_is_written(world: World) -> None:
    text = (
        "name,parent,visibility\n"
        "Good,,\n"
        ",,\n"
        "A,No such place,\n"
        "Good,,\n"
        "B,,secret\n"
        f"{'x' * 101},,\n"
    )  # fmt: skip
    with pytest.raises(RowErrors) as refused:
        run(world, text)
    told = [(row["row"], row["column"], row["code"]) for row in refused.value.data["rows"]]
    assert told == [
        (5, "name", "row_repeated"),
        (6, "visibility", "unknown_visibility"),
        (7, "name", "name_too_long"),
        (4, "parent", "unknown_parent"),
    ]
    assert not VirtualAccount.objects.filter(name="Good").exists()


def test_circles_and_depth_are_refused(world: World) -> None:
    with pytest.raises(RowErrors) as refused:
        run(world, "name,parent\nA,B\nB,A\n")
    assert {row["code"] for row in refused.value.data["rows"]} == {"nested_in_itself"}
    levels = "".join(f"L{number},{f'L{number - 1}' if number else ''}\n" for number in range(9))
    with pytest.raises(RowErrors) as refused:
        run(world, f"name,parent\n{levels}")
    assert {row["code"] for row in refused.value.data["rows"]} == {"too_deep"}


def test_a_move_that_pushes_existing_children_too_deep_is_refused(world: World) -> None:
    levels = "".join(f"L{number},{f'L{number - 1}' if number else ''}\n" for number in range(7))
    run(world, f"name,parent\n{levels}Child,Osaka\n")
    with pytest.raises(RowErrors) as refused:
        run(world, "name,parent\nOsaka,L6\n")
    assert {row["code"] for row in refused.value.data["rows"]} == {"too_deep"}


def test_a_file_without_the_name_column_is_refused(world: World) -> None:
    with pytest.raises(BusinessError) as refused:
        run(world, "部署\n営業\n")
    assert refused.value.code == "columns_missing"


def test_the_preview_writes_nothing(world: World) -> None:
    plan = read_tree_file(world.as_(world.admin), world.account, ORGANIZATION.encode())
    assert [row.name for row in plan.create] == [
        "情報システム本部",
        "ネットワーク運用第二グループ",
        "デジタル基盤統括部",
    ]
    assert [place.name for _row, place in plan.move] == ["Osaka"]
    assert VirtualAccount.objects.filter(account=world.account).count() == 3


@pytest.mark.parametrize("who", ["user", "viewer", "osaka_admin", "partner", "stranger"])
def test_only_an_administrator_imports(world: World, who: str) -> None:
    with pytest.raises((Forbidden, NotFound)):
        import_virtual_accounts(world.as_(getattr(world, who)), account=world.account, content=ORGANIZATION.encode())
