"""Orders from a file: every bad row marked, all rows or none, Japanese Excel welcome."""

import pytest

from daicho.core.errors import BusinessError, NotFound
from daicho.core.tabular import csv_lines, read, xlsx_bytes
from daicho.domain.ledger.models import Entry, Lot
from daicho.domain.orders import sheet
from daicho.domain.orders.commands.imports import import_orders, keep_import, kept_import, preview_import
from daicho.domain.orders.models import Order, OrderLine
from daicho.domain.orders.sheet import ImportPreview, bad_rows_table
from tests.world import World

pytestmark = pytest.mark.django_db

HEAD = "order_number,line,domain,virtual_account,sku,quantity,kind,start_date,end_date\n"
GOOD = (
    HEAD
    + "PO-1,1,aozora.example.co.jp,Osaka,NET-ADV,20,term,2026-01-01,2190-12-31\n"
    + "PO-1,2,aozora.example.co.jp,,SEC-PLUS,5,,,\n"
    + "PO-2,,midori.example.jp,DEFAULT,NET-ADV,3,perpetual,,\n"
)


def looked_at(world: World, content: str | bytes) -> ImportPreview:
    data = content.encode() if isinstance(content, str) else content
    return preview_import(world.as_(world.operator), company=None, content=data)


def marks(preview: ImportPreview) -> list[tuple[int, str, str]]:
    return [(found.row, found.column, found.error.code) for found in preview.problems]


def test_a_preview_tells_what_would_land_where_and_writes_nothing(world: World):
    preview = looked_at(world, GOOD)
    data = sheet.as_data(preview)
    assert (data["rows"], data["orders"], data["new_lines"], data["errors"]) == (3, 2, 3, [])
    assert data["landing"] == {"deposited": 2, "unassigned": 1, "waiting_agreement": 0, "waiting_operator": 0}
    assert not Order.objects.exists()


def test_a_good_file_is_one_entry_in_each_account(world: World):
    done = import_orders(world.as_(world.operator), company=None, content=GOOD.encode())
    assert (len(done.orders), len(done.new)) == (2, 3)
    assert Entry.objects.count() == 2
    assert world.pool(world.osaka, world.advantage).on_hand == 20


def test_the_same_file_again_changes_nothing(world: World):
    import_orders(world.as_(world.operator), company=None, content=GOOD.encode())
    again = import_orders(world.as_(world.operator), company=None, content=GOOD.encode())
    assert (again.new, again.repeated) == ([], 3)
    assert Lot.objects.count() == 3


def test_every_bad_row_is_marked_with_its_column_and_reason(world: World):
    rows = [
        "PO-1,1,aozora.example.co.jp,Osaka,NET-ADV,20,,,",
        "PO-1,2,aozora.example.co.jp,Osaka,NONE,20,,,",
        "PO-2,1,nobody.example.com,,NET-ADV,20,,,",
        "PO-3,1,aozora.example.co.jp,Secret,NET-ADV,-5,,,",
        "PO-4,1,aozora.example.co.jp,,NET-ADV,1,term,2026-13-01,2027-01-01",
        "PO-5,1,aozora.example.co.jp,,NET-ADV,1,,,",
        "PO-5,1,aozora.example.co.jp,,NET-ADV,2,,,",
        ",1,aozora.example.co.jp,,NET-ADV,1,,,",
        "PO-6,1,aozora.example.co.jp,,NET-ADV,1,,,",
        "PO-6,2,midori.example.jp,,NET-ADV,1,,,",
        f"PO-7,1,aozora.example.co.jp,{'長' * 300},NET-ADV,99999999999999999999,,,",
    ]
    preview = looked_at(world, HEAD + "\n".join(rows) + "\n")
    assert marks(preview) == [
        (3, "sku", "unknown_sku"),
        (4, "domain", "unknown_destination"),
        (5, "virtual_account", "unknown_destination"),
        (5, "quantity", "bad_quantity"),
        (6, "start_date", "bad_date"),
        (8, "line", "duplicate_line"),
        (9, "order_number", "required"),
        (11, "domain", "mixed_header"),
        (12, "virtual_account", "too_long"),
        (12, "quantity", "bad_quantity"),
    ]
    with pytest.raises(BusinessError) as error:
        import_orders(world.as_(world.operator), company=None, content=(HEAD + "\n".join(rows)).encode())
    assert (error.value.code, error.value.data["count"]) == ("rows_refused", 8)
    assert not Order.objects.exists()


def test_bad_rows_come_back_as_a_file_with_their_reasons(world: World):
    preview = looked_at(
        world, HEAD + "PO-1,1,aozora.example.co.jp,Osaka,=1+1,20,,,\nPO-2,1,aozora.example.co.jp,,NET-ADV,1,,,\n"
    )
    head, rows = bad_rows_table(preview.sheet, preview.problems)
    assert (head[-1], len(rows), rows[0][0]) == ("error", 1, "PO-1")
    back = read("".join(csv_lines(head, rows)).encode())
    assert back[1][4] == "=1+1"
    assert "sku:" in back[1][-1]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-8", "cp932"])
def test_japanese_heads_words_and_encodings_are_good(world: World, encoding: str):
    world.osaka.name, world.osaka.name_key = "大阪支店", "大阪支店"
    world.osaka.save()
    text = (
        "注文番号,明細番号,ドメイン識別子,バーチャルアカウント,型番（SKU）,数量,種別,課金,開始日,有効期限\r\n"
        "発注①,１,aozora.example.co.jp,大阪支店,NET-ADV,１０,期間,前払い,2026年1月1日,2190/12/31\r\n"
    )
    assert marks(looked_at(world, text.encode(encoding))) == []
    import_orders(world.as_(world.operator), company=None, content=text.encode(encoding))
    assert OrderLine.objects.get().virtual_account == world.osaka


def test_an_xlsx_file_is_good_and_so_is_what_we_write_ourselves(world: World):
    head, *rows = [row.split(",") for row in GOOD.strip().split("\n")]
    assert marks(looked_at(world, xlsx_bytes(head, rows))) == []
    assert marks(looked_at(world, "".join(csv_lines(head, rows)))) == []


@pytest.mark.parametrize("cell", ["=HYPERLINK(1)", "+1", "-1", "@x", "'quoted", "'=x"])
def test_cells_that_excel_would_calculate_come_back_unchanged(world: World, cell: str):
    rows = [[cell, "1", "aozora.example.co.jp", "", "NET-ADV", "1"]]
    content = "".join(csv_lines(["order_number", "line", "domain", "virtual_account", "sku", "quantity"], rows))
    import_orders(world.as_(world.operator), company=None, content=content.encode())
    assert Order.objects.get().number == cell


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "nothing_in_file"),
        (HEAD.encode(), "nothing_in_file"),
        (b"a,b,c\n1,2,3\n", "unknown_columns"),
        (b"\x81\xff\x00\x00", "file_unreadable"),
        (b"PK\x03\x04nothing", "file_unreadable"),
    ],
)
def test_a_file_that_is_none_is_refused_with_its_reason(world: World, content: bytes, code: str):
    with pytest.raises(BusinessError) as error:
        looked_at(world, content)
    assert error.value.code == code


def test_more_than_ten_thousand_rows_are_refused(world: World):
    row = "PO-1,{0},aozora.example.co.jp,,NET-ADV,1,,,\n"
    content = HEAD + "".join(row.format(number) for number in range(1, 10_002))
    with pytest.raises(BusinessError) as error:
        looked_at(world, content)
    assert error.value.code == "too_many_lines"


def test_thousands_of_rows_cost_few_queries(world: World, django_assert_max_num_queries):
    row = "PO-{1},{0},aozora.example.co.jp,Osaka,NET-ADV,1,,,\n"
    content = HEAD + "".join(row.format(number, number % 50) for number in range(1, 1001))
    with django_assert_max_num_queries(20):
        assert looked_at(world, content).new_lines == 1000


def test_a_file_is_kept_for_its_person_between_looking_and_importing(world: World):
    operator = world.as_(world.operator)
    draft = keep_import(operator, company=None, content=GOOD.encode(), name="十一月.csv")
    assert kept_import(operator, None, draft.uid) == ("十一月.csv", GOOD.encode())
    for who, company in (
        (world.as_(world.reseller), world.reseller_company),
        (operator, world.reseller_company),
    ):
        with pytest.raises(BusinessError) as error:
            kept_import(who, company, draft.uid)
        assert error.value.code == "import_not_found"


def test_strangers_do_not_import(world: World):
    for act in (preview_import, import_orders):
        with pytest.raises(NotFound):
            act(world.as_(world.admin), company=None, content=GOOD.encode())


def test_the_template_is_a_file_that_can_be_imported(world: World):
    for row in sheet.EXAMPLES:
        assert len(row) == len(sheet.COLUMNS)
    content = "".join(csv_lines(sheet.COLUMNS, sheet.EXAMPLES))
    assert {column for _, column, _ in marks(looked_at(world, content))} <= {"domain", "virtual_account"}
