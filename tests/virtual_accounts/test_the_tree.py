"""Virtual accounts mirror the organization: names, nesting, the default, deletion (S6, S18, S26)."""

from __future__ import annotations

import uuid

import pytest

from daicho.core.errors import BusinessError, FieldErrors, Forbidden, NotFound
from daicho.domain.access.models import Grant
from daicho.domain.access.policy import ensure_may
from daicho.domain.access.rules import Permission
from daicho.domain.accounts.commands.virtual_accounts import (
    create_virtual_account,
    delete_virtual_account,
    edit_virtual_account,
    nest_virtual_account,
    set_default_virtual_account,
)
from daicho.domain.accounts.queries_virtual_accounts import get_detail, list_tree
from daicho.domain.audit.models import Event
from daicho.domain.tenancy.models import VirtualAccount
from tests.world import World


def create(world: World, name: str, parent: VirtualAccount | None = None, **fields: object) -> VirtualAccount:
    return create_virtual_account(world.as_(world.admin), account=world.account, name=name, parent=parent, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "name", ["R&D", "<script>alert(1)</script>", "営業 🍣", 'O\'Neill "quoted"', "a" * 100, "情報システム本部／基盤"]
)
def test_any_ordinary_name_is_kept_as_it_is(world: World, name: str) -> None:
    assert create(world, name).name == name


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("", "name_missing"),
        ("   ", "name_missing"),
        ("a" * 101, "name_too_long"),
        ("a\u0007b", "name_has_control_characters"),
    ],
)
def test_a_name_that_cannot_be_taken_is_refused_at_its_field(world: World, name: str, code: str) -> None:
    with pytest.raises(FieldErrors) as refused:
        create(world, name)
    assert refused.value.errors["name"].code == code


@pytest.mark.parametrize("again", ["osaka", "ＯＳＡＫＡ", "  Osaka "])
def test_names_are_unique_whatever_their_case_and_width(world: World, again: str) -> None:
    with pytest.raises(FieldErrors) as refused:
        create(world, again)
    assert refused.value.errors["name"].code == "name_taken"


def test_a_new_one_is_private_unless_chosen_otherwise(world: World) -> None:
    assert create(world, "Nagoya").visibility == "private"
    assert create(world, "Kyoto", visibility="public").visibility == "public"


def test_a_deleted_ones_name_is_free_again(world: World) -> None:
    place = create(world, "Nagoya")
    delete_virtual_account(world.as_(world.admin), account=world.account, virtual_account=place, typed_name="nagoya")
    assert create(world, "Nagoya").pk != place.pk


def test_the_tree_is_at_most_eight_levels_deep(world: World) -> None:
    place: VirtualAccount | None = None
    for level in range(8):
        place = create(world, f"Level {level}", place)
    with pytest.raises(BusinessError, match="too_deep"):
        create(world, "One too many", place)


def test_a_branch_moves_whole_and_never_below_itself(world: World) -> None:
    head = create(world, "Head office")
    systems = create(world, "Systems", head)
    network = create(world, "Network", systems)
    admin = world.as_(world.admin)
    with pytest.raises(BusinessError, match="nested_in_itself"):
        nest_virtual_account(admin, account=world.account, virtual_account=head, parent=network)
    with pytest.raises(BusinessError, match="nested_in_itself"):
        nest_virtual_account(admin, account=world.account, virtual_account=head, parent=head)
    nest_virtual_account(admin, account=world.account, virtual_account=systems, parent=world.osaka)
    network.refresh_from_db()
    assert network.path == f"/{world.osaka.pk}/{systems.pk}/{network.pk}/"
    assert network.depth == 3
    nest_virtual_account(admin, account=world.account, virtual_account=systems, parent=None)
    network.refresh_from_db()
    assert (network.path, network.depth) == (f"/{systems.pk}/{network.pk}/", 2)


def test_a_branch_that_would_get_too_deep_stays(world: World) -> None:
    deep: VirtualAccount | None = None
    for level in range(7):
        deep = create(world, f"Level {level}", deep)
    top = create(world, "Top")
    create(world, "Below", top)
    with pytest.raises(BusinessError, match="too_deep"):
        nest_virtual_account(world.as_(world.admin), account=world.account, virtual_account=top, parent=deep)


def test_moving_and_renaming_touches_no_license_device_or_right(world: World) -> None:
    world.deposit(world.advantage, 20, world.osaka)
    before = list(Grant.objects.order_by("pk").values_list("pk", "virtual_account", "role", "revoked_at"))
    admin = world.as_(world.admin)
    nest_virtual_account(admin, account=world.account, virtual_account=world.osaka, parent=world.tokyo)
    edit_virtual_account(
        admin, account=world.account, virtual_account=world.osaka, name="Osaka branch", description="", tags=["west"],
        visibility="private",
    )  # fmt: skip
    assert world.pool(world.osaka, world.advantage).balance == 20
    assert list(Grant.objects.order_by("pk").values_list("pk", "virtual_account", "role", "revoked_at")) == before
    ensure_may(world.as_(world.partner), Permission.LICENSES_MANAGE, world.account, world.osaka)


def test_nesting_carries_no_right(world: World) -> None:
    below = create(world, "Below Osaka", world.osaka)
    with pytest.raises(NotFound):
        ensure_may(world.as_(world.osaka_admin), Permission.LICENSES_VIEW, world.account, below)


def test_the_log_of_one_virtual_account_names_no_other(world: World) -> None:
    admin = world.as_(world.admin)
    nest_virtual_account(admin, account=world.account, virtual_account=world.osaka, parent=world.tokyo)
    set_default_virtual_account(admin, account=world.account, virtual_account=world.osaka)
    for event in Event.objects.filter(virtual_account=world.osaka):
        assert "AOZORA" not in f"{event.subject}{event.before}{event.after}{event.memo}"


def test_there_is_always_exactly_one_default(world: World) -> None:
    admin = world.as_(world.admin)
    set_default_virtual_account(admin, account=world.account, virtual_account=world.osaka)
    assert list(VirtualAccount.objects.filter(account=world.account, is_default=True)) == [world.osaka]
    with pytest.raises(BusinessError, match="default_stays"):
        delete_virtual_account(admin, account=world.account, virtual_account=world.osaka, typed_name="Osaka")


def test_twenty_tags_and_no_more(world: World) -> None:
    place = create(world, "Tagged", tags=[f"tag {number}" for number in range(20)] + ["TAG 3", " tag 4 "])
    assert place.tags.count() == 20
    with pytest.raises(FieldErrors) as refused:
        create(world, "Over", tags=[f"tag {number}" for number in range(21)])
    assert refused.value.errors["tags"].code == "too_many_tags"


def test_only_an_empty_one_is_deleted_and_its_name_must_be_typed(world: World) -> None:
    admin = world.as_(world.admin)
    child = create(world, "Child", world.osaka)

    def delete(place: VirtualAccount, typed: str) -> None:
        delete_virtual_account(admin, account=world.account, virtual_account=place, typed_name=typed)

    with pytest.raises(BusinessError) as refused:
        delete(world.osaka, "Osaka")
    assert (refused.value.code, refused.value.data["children"]) == ("not_empty", 1)
    with pytest.raises(BusinessError, match="name_not_typed"):
        delete(child, "Chi")
    delete(child, "Child")
    world.deposit(world.advantage, 1, world.osaka)
    with pytest.raises(BusinessError) as refused:
        delete(world.osaka, "Osaka")
    assert (refused.value.code, refused.value.data["licenses"]) == ("not_empty", 1)


def test_deleting_ends_its_rights_and_keeps_its_history(world: World) -> None:
    admin = world.as_(world.admin)
    delete_virtual_account(admin, account=world.account, virtual_account=world.osaka, typed_name="Osaka")
    assert not Grant.objects.filter(virtual_account=world.osaka, revoked_at=None).exists()
    assert Event.objects.filter(virtual_account=world.osaka, kind="virtual_account.deleted").exists()
    with pytest.raises(NotFound):
        get_detail(admin, world.account, world.osaka.uid)
    with pytest.raises(NotFound):
        list_tree(world.as_(world.osaka_admin), world.account)


@pytest.mark.parametrize("who", ["user", "viewer", "osaka_admin", "partner"])
def test_who_may_not_manage_the_tree_is_refused(world: World, who: str) -> None:
    with pytest.raises((Forbidden, NotFound)):
        create_virtual_account(world.as_(getattr(world, who)), account=world.account, name="Mine")
    with pytest.raises((Forbidden, NotFound)):
        edit_virtual_account(
            world.as_(getattr(world, who)), account=world.account, virtual_account=world.osaka, name="Mine",
            description="", tags=[], visibility="public",
        )  # fmt: skip


def test_a_parent_of_another_account_is_not_found(world: World) -> None:
    with pytest.raises(NotFound):
        create(world, "Nagoya", world.other_default)
    with pytest.raises(NotFound):
        nest_virtual_account(
            world.as_(world.admin), account=world.account, virtual_account=world.osaka, parent=world.other_default
        )


def test_out_of_good_standing_the_tree_stays_as_it_is(world: World) -> None:
    world.account.good_standing_until = None
    world.account.save()
    with pytest.raises(BusinessError, match="agreement_pending"):
        create(world, "Nagoya")


def test_a_partner_sees_his_virtual_account_alone_and_no_path(world: World) -> None:
    nest_virtual_account(world.as_(world.admin), account=world.account, virtual_account=world.osaka, parent=world.tokyo)
    nodes = list_tree(world.as_(world.partner), world.account)
    assert [(node.name, node.path, node.depth, node.parent_uid) for node in nodes] == [("Osaka", [], 0, None)]
    detail = get_detail(world.as_(world.partner), world.account, world.osaka.uid)
    assert (detail.parent, detail.path, detail.branch_lines) == (None, [], None)
    with pytest.raises(NotFound):
        get_detail(world.as_(world.partner), world.account, world.tokyo.uid)


def test_totals_per_branch_for_who_may_see_all_of_it(world: World) -> None:
    below = create(world, "Below", world.osaka)
    world.deposit(world.advantage, 20, world.osaka)
    world.deposit(world.advantage, 7, below)
    detail = get_detail(world.as_(world.admin), world.account, world.osaka.uid)
    assert detail.branch_lines is not None
    assert [(line.tag.sku, line.purchased, line.balance) for line in detail.branch_lines] == [("NET-ADV", 27, 27)]
    tree = {node.name: node for node in list_tree(world.as_(world.admin), world.account)}
    assert (tree["Osaka"].branch_size, tree["Osaka"].users, tree["Below"].users) == (2, 2, 0)


def test_a_search_keeps_the_ancestors_of_what_it_found(world: World) -> None:
    create(world, "Umeda", world.osaka, tags=["West"])
    found = list_tree(world.as_(world.admin), world.account, text="ｕｍｅｄａ")
    assert [node.name for node in found] == ["Osaka", "Umeda"]
    assert [node.name for node in list_tree(world.as_(world.admin), world.account, tag="west")] == ["Osaka", "Umeda"]
    assert list_tree(world.as_(world.admin), world.account, text=str(uuid.uuid4())) == []
