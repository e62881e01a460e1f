"""The catalog of licenses: who changes it, what it takes, what stays fixed after the first delivery."""

import pytest

from daicho.core.errors import BusinessError, FieldErrors, NotFound
from daicho.domain.audit.models import Event
from daicho.domain.catalog import queries
from daicho.domain.catalog.commands.tags import add_tag, change_tag, set_ladder
from daicho.domain.catalog.models import LicenseTag
from tests.world import World

pytestmark = pytest.mark.django_db


def wrong(error: pytest.ExceptionInfo[FieldErrors]) -> dict[str, str]:
    return {name: found.code for name, found in error.value.errors.items()}


def test_the_operator_adds_a_license(world: World):
    tag = add_tag(
        world.as_(world.operator), sku="NEW-1", name="New", enforcement="輸出規制対象", regid="regid.2026-01.x"
    )
    assert (tag.sku, tag.enforcement, tag.is_strict) == ("NEW-1", "export_controlled", True)
    assert Event.objects.get(kind="catalog.tag_added").subject == "NEW-1"


@pytest.mark.parametrize("who", ["admin", "viewer", "reseller", "stranger", "nobody"])
def test_nobody_else_changes_the_catalog(world: World, who: str):
    someone = world.as_(getattr(world, who))
    with pytest.raises(NotFound):
        add_tag(someone, sku="NEW-1", name="New")
    with pytest.raises(NotFound):
        change_tag(someone, tag=world.premier, name="Other")
    with pytest.raises(NotFound):
        set_ladder(someone, name="x", skus=["a", "b"])


@pytest.mark.parametrize(
    ("given", "codes"),
    [
        ({"sku": "", "name": ""}, {"sku": "required", "name": "required"}),
        ({"sku": "x" * 101, "name": "n" * 201}, {"sku": "too_long", "name": "too_long"}),
        ({"sku": "A\x00B", "name": "n"}, {"sku": "control_character"}),
        ({"sku": "A", "name": "n", "enforcement": "sometimes"}, {"enforcement": "unknown_choice"}),
    ],
)
def test_what_cannot_be_taken_is_told_by_field(world: World, given: dict[str, str], codes: dict[str, str]):
    with pytest.raises(FieldErrors) as error:
        add_tag(world.as_(world.operator), **given)
    assert wrong(error) == codes


@pytest.mark.parametrize("sku", ["A&B <b>", "型番🍣", "=1+1", "n" * 100])
def test_odd_but_lawful_skus_are_taken_as_they_are(world: World, sku: str):
    assert add_tag(world.as_(world.operator), sku=sku, name="Name & <b>Sons</b>").sku == sku


def test_a_sku_is_unique_whatever_its_width_and_case(world: World):
    operator = world.as_(world.operator)
    add_tag(operator, sku="NEW-1", name="New")
    with pytest.raises(FieldErrors) as error:
        add_tag(operator, sku="ｎｅｗ-1", name="Again")
    assert wrong(error) == {"sku": "sku_taken"}


def test_the_class_is_fixed_from_the_first_delivery(world: World):
    operator = world.as_(world.operator)
    assert change_tag(operator, tag=world.storage, enforcement="enforced").enforcement == "enforced"
    change_tag(operator, tag=world.storage, enforcement="unenforced")
    world.deposit(world.storage, 5, world.tokyo)
    with pytest.raises(FieldErrors) as error:
        change_tag(operator, tag=world.storage, enforcement="enforced")
    assert wrong(error) == {"enforcement": "class_is_fixed"}
    assert change_tag(operator, tag=world.storage, name="Storage & more").name == "Storage & more"


def test_changing_nothing_leaves_no_event(world: World):
    change_tag(world.as_(world.operator), tag=world.storage, name=world.storage.name)
    assert not Event.objects.filter(kind="catalog.tag_changed").exists()


def test_a_ladder_grows_only_by_licenses_that_were_never_delivered(world: World):
    operator = world.as_(world.operator)
    for sku in ("L-1", "L-2", "L-3", "L-4"):
        add_tag(operator, sku=sku, name=sku)
    ladder = set_ladder(operator, name="L", skus=["L-1", "L-2"])
    assert queries.ladder_skus(ladder) == ["L-1", "L-2"]
    world.deposit(LicenseTag.objects.get(sku="L-1"), 1, world.tokyo)
    world.deposit(LicenseTag.objects.get(sku="L-2"), 1, world.tokyo)
    set_ladder(operator, name="L", skus=["L-1", "l-3", "L-2"])
    assert queries.ladder_skus(ladder) == ["L-1", "L-3", "L-2"]
    world.deposit(LicenseTag.objects.get(sku="L-4"), 1, world.tokyo)
    for skus in (["L-2", "L-3", "L-1"], ["L-1", "L-3"], ["L-1", "L-2", "L-4"]):
        with pytest.raises(FieldErrors) as error:
            set_ladder(operator, name="L", skus=skus)
        assert wrong(error) == {"skus": "tag_in_use"}


@pytest.mark.parametrize(
    ("skus", "code"),
    [(["NEW-1"], "ladder_too_short"), (["NEW-1", "NONE"], "unknown_sku"), (["NEW-1", "NEW-1"], "listed_twice")],
)
def test_a_ladder_needs_known_licenses_each_once(world: World, skus: list[str], code: str):
    add_tag(world.as_(world.operator), sku="NEW-1", name="New")
    with pytest.raises(FieldErrors) as error:
        set_ladder(world.as_(world.operator), name="L", skus=skus)
    assert wrong(error) == {"skus": code}


def test_a_license_stands_in_one_ladder(world: World):
    add_tag(world.as_(world.operator), sku="NEW-1", name="New")
    with pytest.raises(FieldErrors) as error:
        set_ladder(world.as_(world.operator), name="Other", skus=["NEW-1", world.premier.sku])
    assert wrong(error) == {"skus": "in_other_ladder"}


def test_licenses_are_found_by_typing_in_any_width(world: World):
    add_tag(world.as_(world.operator), sku="ABC-100", name="Routing", name_ja="ルーティング")
    anyone = world.as_(world.nobody)
    for typed in ("abc", "ＡＢＣ－１００", "routing", "ルーティ", "abc rout"):
        assert [tag.sku for tag in queries.search_tags(anyone, typed)] == ["ABC-100"]
    assert queries.search_tags(anyone, "nothing like it") == []


def test_a_license_that_is_no_longer_sold_is_not_offered(world: World):
    tag = add_tag(world.as_(world.operator), sku="ABC-100", name="Routing")
    change_tag(world.as_(world.operator), tag=tag, is_sold=False)
    assert queries.search_tags(world.as_(world.operator), "ABC-100") == []


def test_an_unknown_sku_is_not_found(world: World):
    with pytest.raises(BusinessError) as error:
        queries.get_tag_by_sku(world.as_(world.admin), "NONE")
    assert error.value.http_status == 404
