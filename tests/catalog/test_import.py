"""A whole file into the catalog: looked at first, all rows or none, the same again changes nothing."""

import json

import pytest

from daicho.core.errors import BusinessError, NotFound
from daicho.core.tabular import csv_lines, xlsx_bytes
from daicho.domain.audit.models import Event
from daicho.domain.catalog.commands.imports import CatalogImport, import_catalog
from daicho.domain.catalog.models import LicenseTag, Product
from tests.world import World

pytestmark = pytest.mark.django_db

TAGS = "sku,name,name_ja,family,enforcement\nA-1,Alpha,アルファ,Net,強制あり\nA-2,Beta & <b>,ベータ🍣,Net,unenforced\n"
PRODUCTS = "manufacturer,model,part_number\nKawa,KX-24,KX24-A\nKawa,KX-48,\n"


def take(world: World, content: bytes | str, **options: bool) -> CatalogImport:
    data = content.encode() if isinstance(content, str) else content
    return import_catalog(world.as_(world.operator), content=data, **options)


def test_license_tags_come_from_csv(world: World):
    result = take(world, TAGS)
    assert (result.kind, result.rows, result.added, result.written) == ("tags", 2, 2, True)
    assert LicenseTag.objects.get(sku="A-1").enforcement == "enforced"
    assert LicenseTag.objects.get(sku="A-2").name_ja == "ベータ🍣"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp932", "utf-8"])
def test_every_encoding_of_japanese_excel_is_good(world: World, encoding: str):
    text = "sku,name,日本語名\nA-1,髙橋 Alpha,アルファ①\n"
    assert take(world, text.encode(encoding)).added == 1
    assert LicenseTag.objects.get(sku="A-1").name == "髙橋 Alpha"


def test_products_come_from_csv_and_xlsx(world: World):
    assert take(world, PRODUCTS).added == 2
    assert take(world, xlsx_bytes(["vendor", "name"], [["Kawa", "KX-96"]])).added == 1
    assert Product.objects.filter(vendor="Kawa").count() == 3


@pytest.mark.parametrize("content", [TAGS, PRODUCTS])
def test_the_same_again_changes_nothing(world: World, content: str):
    take(world, content)
    again = take(world, content)
    assert (again.added, again.changed, again.unchanged) == (0, 0, 2)
    assert Event.objects.filter(kind="catalog.imported").count() == 1


def test_a_dry_run_writes_nothing(world: World):
    result = take(world, TAGS, dry_run=True)
    assert (result.added, result.written) == (2, False)
    assert not LicenseTag.objects.filter(sku="A-1").exists()


def test_one_wrong_row_keeps_all_out_and_every_wrong_row_is_named(world: World):
    result = take(world, f"sku,name,enforcement\nA-1,Alpha,\n,Nameless,\nA-3,{'n' * 300},\nA-4,Delta,maybe\n")
    assert [(p.row, p.column, p.error.code) for p in result.problems] == [
        (3, "sku", "required"),
        (4, "name", "too_long"),
        (5, "enforcement", "unknown_choice"),
    ]
    assert not result.written
    assert not LicenseTag.objects.filter(sku__startswith="A-").exists()


def test_cells_that_a_spreadsheet_would_calculate_come_back_unchanged(world: World):
    rows = [["=SUM(A1)", "+plus"], ["-minus", "@at"]]
    take(world, "".join(csv_lines(["sku", "name"], rows)))
    assert set(LicenseTag.objects.filter(sku__in=["=SUM(A1)", "-minus"]).values_list("name", flat=True)) == {
        "+plus",
        "@at",
    }


def test_of_two_rows_with_one_sku_the_last_counts(world: World):
    result = take(world, json.dumps([{"sku": "A-1", "name": "Old"}, {"sku": "a-1", "name": "New"}]))
    assert (result.added, result.repeated) == (1, 1)
    assert LicenseTag.objects.get(sku_key="a-1").name == "New"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "nothing_in_file"),
        (b"a,b\n1,2\n", "unknown_columns"),
        (b"sku,name\n", "nothing_in_file"),
        (b'{"sku": "A"}', "bad_json"),
        (b"[1]", "bad_json"),
        (b"\x81\xff\xfe\x00\x00", "file_unreadable"),
    ],
)
def test_a_file_that_is_no_catalog_is_refused_with_its_reason(world: World, content: bytes, code: str):
    with pytest.raises(BusinessError) as error:
        take(world, content)
    assert error.value.code == code


def test_the_class_of_a_delivered_license_is_not_changed_by_a_file(world: World):
    world.deposit(world.storage, 1, world.tokyo)
    result = take(world, f"sku,name,enforcement\n{world.storage.sku},Storage,enforced\n")
    assert [p.error.code for p in result.problems] == ["class_is_fixed"]


def test_only_the_operator_imports(world: World):
    with pytest.raises(NotFound):
        import_catalog(world.as_(world.admin), content=TAGS.encode())
