"""What a company writes down about a lot: who sees and changes which column, files in, exchanges (ledger, details)."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import replace

import pytest

from daicho.core import money, tabular
from daicho.core.clock import now
from daicho.core.errors import BusinessError, FieldErrors
from daicho.domain.audit.models import Event
from daicho.domain.ledger.commands.co_term import co_term_lots
from daicho.domain.ledger.commands.correct import correct_lot, right_lot
from daicho.domain.ledger.commands.lot_details import change_lot_details, import_lot_details
from daicho.domain.ledger.commands.transfer import Move, transfer_licenses
from daicho.domain.ledger.details import Details
from daicho.domain.ledger.models import Lot
from daicho.domain.ledger.queries.details_file import read_details_file
from daicho.domain.ledger.queries.lot_details import every_kept_lot, view_lot
from daicho.domain.ledger.queries.lots import LotCriteria, list_lots
from daicho.domain.ledger.queries.sight import look
from tests.world import World

SHARED = {
    "management_number": "管理-０１",
    "department": "情報システム部",
    "storage_place": "金庫 A",
    "note": "稟議 42",
}
COMPANY = {"certificate_number": "CERT-7", "amount": 1_200_000, "currency": "JPY"}
ALL = Details(**SHARED, **COMPANY)


def write(world: World, who: str, lot: Lot, **changes: object) -> Details:
    actor = world.as_(getattr(world, who))
    return change_lot_details(actor, account=world.account, lot_uid=lot.uid, changes=changes)


def details(world: World, who: str, lot: Lot) -> Details | None:
    return view_lot(look(world.as_(getattr(world, who)), world.account), lot.uid).details


def refused(world: World, who: str, lot: Lot, **changes: object) -> int:
    with pytest.raises(BusinessError) as refusal:
        write(world, who, lot, **changes)
    return refusal.value.http_status


@pytest.fixture
def lot(world: World) -> Lot:
    """100 licenses in Osaka with every column filled."""
    lot = world.deposit(world.storage, 100, world.osaka)
    write(world, "admin", lot, **SHARED, **COMPANY)
    return lot


def share(world: World, lot: Lot) -> None:
    """Part of the lot goes to Tokyo."""
    moves = [Move(world.osaka, world.tokyo, lot.tag, 10, lot.uid)]
    transfer_licenses(world.as_(world.admin), account=world.account, request_id=uuid.uuid4(), moves=moves)


def test_texts_stay_as_typed_and_are_found_in_any_width_and_case(world: World, lot: Lot) -> None:
    assert details(world, "admin", lot) == ALL
    sight = look(world.as_(world.viewer), world.account)
    for text in ("管理-01", "ｃｅｒｔ-7", "情報", "金庫"):
        assert [row.lot for row in list_lots(sight, LotCriteria(text=text)).rows] == [lot], text
    assert not list_lots(sight, LotCriteria(text="管理-02")).rows


@pytest.mark.parametrize(
    ("who", "seen", "shared", "company"),
    [
        ("user", ALL, None, None),
        ("viewer", ALL, 403, 403),
        ("osaka_admin", ALL.shared(), None, 404),
        ("partner", ALL.shared(), None, 404),
        ("approver", None, 404, 404),
        ("stranger", None, 404, 404),
    ],
)
def test_the_shared_columns_go_with_the_places_and_those_of_the_company_with_the_account(
    world: World, lot: Lot, who: str, seen: Details | None, shared: int | None, company: int | None
) -> None:
    if seen is None:
        with pytest.raises(BusinessError) as refusal:
            details(world, who, lot)
        assert refusal.value.http_status == 404
    else:
        assert details(world, who, lot) == seen
    for expected, changes in ((shared, {"note": "new"}), (company, {"amount": 1, "currency": "JPY"})):
        if expected is None:
            write(world, who, lot, **changes)
        else:
            assert refused(world, who, lot, **changes) == expected


def test_a_lot_that_lies_elsewhere_too_keeps_its_columns_from_who_sees_one_place(world: World, lot: Lot) -> None:
    share(world, lot)
    assert details(world, "partner", lot) is None
    assert details(world, "viewer", lot) == ALL
    assert refused(world, "partner", lot, note="new") == 404
    sight = look(world.as_(world.partner), world.account)
    assert len(list_lots(sight, LotCriteria(text=lot.uid)).rows) == 1
    assert not list_lots(sight, LotCriteria(text="情報システム部")).rows
    assert not list(every_kept_lot(sight))
    file = b"lot,note\r\n" + lot.uid.encode() + b",new"
    [problem] = read_details_file(world.as_(world.partner), account=world.account, content=file).problems
    assert problem.error.code == "unknown_lot"


def test_a_place_of_the_company_is_not_searched_for_who_sees_one_virtual_account(world: World, lot: Lot) -> None:
    sight = look(world.as_(world.partner), world.account)
    assert list_lots(sight, LotCriteria(text="情報システム部")).rows
    assert not list_lots(sight, LotCriteria(text="CERT-7")).rows


def test_out_of_good_standing_nothing_is_written_down(world: World, lot: Lot) -> None:
    world.account.good_standing_until = now() - dt.timedelta(days=1)
    world.account.save()
    for who in ("admin", "partner"):
        with pytest.raises(BusinessError) as refusal:
            write(world, who, lot, note="new")
        assert refusal.value.code == "agreement_pending"
    with pytest.raises(BusinessError) as refusal:
        import_lot_details(world.as_(world.admin), account=world.account, content=b"lot,note\nx,y")
    assert refusal.value.code == "agreement_pending"


def test_the_log_tells_before_and_after_and_no_virtual_account_reads_of_the_company(world: World, lot: Lot) -> None:
    write(world, "admin", lot, note="稟議 43", amount=150, currency="usd")
    events = Event.objects.filter(kind="license.details_changed", subject_uid=lot.uid).order_by("-id")[:2]
    shared, company = sorted(events, key=lambda event: event.virtual_account_id is None)
    assert (shared.virtual_account, shared.before, shared.after["note"]) == (
        world.osaka,
        {"note": "稟議 42"},
        "稟議 43",
    )
    assert (company.virtual_account, company.before) == (None, {"amount": "1,200,000 JPY"})
    assert company.after["amount"] == "1.50 USD"
    count = Event.objects.count()
    write(world, "admin", lot, note="稟議 43")
    assert Event.objects.count() == count, "what changes nothing is no event"


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"management_number": "x" * 101}, "management_number", "too_long"),
        ({"note": "x" * 501}, "note", "too_long"),
        ({"amount": -1, "currency": "JPY"}, "amount", "bad_amount"),
        ({"amount": 2**53, "currency": "JPY"}, "amount", "bad_amount"),
        ({"amount": True, "currency": "JPY"}, "amount", "bad_amount"),
        ({"amount": 1, "currency": ""}, "currency", "currency_missing"),
        ({"amount": 1, "currency": "円"}, "currency", "unknown_currency"),
    ],
)
def test_a_column_that_cannot_be_taken_is_named_and_nothing_is_written(
    world: World, lot: Lot, changes: dict[str, object], field: str, code: str
) -> None:
    with pytest.raises(FieldErrors) as refusal:
        write(world, "admin", lot, department="other", **changes)
    assert refusal.value.errors[field].code == code
    assert details(world, "admin", lot) == ALL


def test_an_amount_taken_away_takes_its_currency_along_and_control_characters_go(world: World, lot: Lot) -> None:
    assert write(world, "admin", lot, amount=None, note=" a\x00\tb ") == replace(
        ALL, amount=None, currency="", note="a b"
    )


@pytest.mark.parametrize(
    ("written", "currency", "amount"),
    [
        ("1,200,000", "JPY", 1_200_000), ("￥１２００", "JPY", 1200), ("1200円", "JPY", 1200), ("12.5", "USD", 1250),
        ("12.", "USD", 1200), ("12.00", "JPY", 12), ("1.234", "KWD", 1234), ("0", "EUR", 0),
        ("12.5", "JPY", None), ("1.005", "USD", None), ("-1", "JPY", None), ("12,34", "JPY", None), ("", "JPY", None),
        ("1e3", "JPY", None), ("9007199254740992", "JPY", None), ("1", "XXX", None),
    ],
)  # fmt: skip
def test_an_amount_is_read_as_on_an_invoice(written: str, currency: str, amount: int | None) -> None:
    assert money.read(written, currency) == amount
    if amount is not None:
        assert money.read(money.number(amount, currency), currency) == amount


def test_a_file_changes_many_lots_or_none_and_the_same_file_again_nothing(world: World, lot: Lot) -> None:
    other = world.deposit(world.storage, 7, world.tokyo)
    actor = world.as_(world.admin)
    rows = [[lot.uid, "", "1500.5", "USD"], [other.uid.upper(), "管理-02", "", ""], [lot.uid, "", "1500.5", "USD"]]
    file = tabular.xlsx_bytes(["ロット", "管理番号", "金額", "通貨"], rows)
    done = import_lot_details(actor, account=world.account, content=file)
    assert (done.changed, done.unchanged) == (2, 0)
    assert details(world, "admin", lot) == replace(ALL, management_number="", amount=150_050, currency="USD")
    assert details(world, "admin", other) == Details(management_number="管理-02")
    again = import_lot_details(actor, account=world.account, content=file)
    assert (again.changed, again.unchanged) == (0, 2)


def test_what_goes_out_comes_back_unchanged(world: World, lot: Lot) -> None:
    write(world, "admin", lot, note="=1+1", management_number="'=x")
    kept = list(every_kept_lot(look(world.as_(world.admin), world.account), editable=True))
    one = kept[0].details
    row = [kept[0].lot.uid, one.management_number, one.note, money.number(one.amount or 0, one.currency), one.currency]
    head = ["lot", "management_number", "note", "amount", "currency"]
    file = "".join(tabular.csv_lines(head, [row])).encode()
    found = read_details_file(world.as_(world.admin), account=world.account, content=file)
    assert (found.changes, found.unchanged, found.problems) == ([], 1, [])


def test_every_wrong_row_of_a_file_is_named_and_nothing_is_written(world: World, lot: Lot) -> None:
    foreign = world.deposit(world.storage, 5, world.other_default)
    lines = [
        "lot,note,amount,currency", f"{lot.uid},new,12.5,JPY", f"{lot.uid},newer,1,JPY", "nosuchlot,x,,", f"{foreign.uid},x,,",
        f"{lot.uid},new,12.5,YEN", f"{'x' * 501},,,",
    ]  # fmt: skip
    with pytest.raises(BusinessError) as refusal:
        import_lot_details(world.as_(world.admin), account=world.account, content="\n".join(lines).encode())
    rows = [(row["row"], row["column"], row["code"]) for row in refusal.value.data["rows"]]
    assert rows == [
        (2, "amount", "bad_amount"), (3, "lot", "lot_twice"), (4, "lot", "unknown_lot"), (5, "lot", "unknown_lot"),
        (6, "lot", "lot_twice"), (7, "lot", "unknown_lot"),
    ]  # fmt: skip
    assert details(world, "admin", lot) == ALL


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "missing_column"), (b"note\nx", "missing_column"), (b"lot,sku\nx,y", "missing_column"), (b"lot,note\n,\n", "no_rows"),
        (b"lot,note\n" + b"a,b\n" * 10_001, "too_many_lines"), (b"PK\x03\x04no zip", "file_unreadable"),
    ],
)  # fmt: skip
def test_a_file_that_says_nothing_about_lots_is_refused(world: World, content: bytes, code: str) -> None:
    with pytest.raises(BusinessError) as refusal:
        read_details_file(world.as_(world.admin), account=world.account, content=content)
    assert refusal.value.code == code


def test_a_file_of_who_manages_one_virtual_account_leaves_the_company_alone(world: World, lot: Lot) -> None:
    file = f"lot,note,certificate_number\n{lot.uid},new,other".encode()
    assert import_lot_details(world.as_(world.partner), account=world.account, content=file).changed == 1
    assert details(world, "admin", lot) == replace(ALL, note="new")
    for who, status in (("viewer", 403), ("approver", 404), ("stranger", 404)):
        with pytest.raises(BusinessError) as refusal:
            import_lot_details(world.as_(getattr(world, who)), account=world.account, content=file)
        assert refusal.value.http_status == status


def test_the_right_lot_has_what_was_written_down_about_the_wrong_one(world: World, lot: Lot) -> None:
    right = right_lot(Lot.objects.select_related("account").get(pk=lot.pk), quantity=80, kind="perpetual", end_on=None)
    done = correct_lot(
        world.as_(world.operator), account=world.account, request_id=uuid.uuid4(), lot=lot, right=right, reason="typo"
    )
    assert details(world, "admin", done.lot) == ALL
    assert details(world, "admin", lot) == ALL, "the wrong one keeps its own"


def test_lots_under_a_common_end_keep_what_they_agree_in_and_their_amounts_together(world: World) -> None:
    ends = [now() + dt.timedelta(days=30), now() + dt.timedelta(days=60)]
    one, two = (world.deposit(world.storage, 10, world.osaka, end=end) for end in ends)
    write(world, "admin", one, **SHARED, **COMPANY)
    write(world, "admin", two, **(SHARED | {"note": "other"}), **COMPANY)
    done = co_term_lots(
        world.as_(world.operator), account=world.account, request_id=uuid.uuid4(), lots=[one, two], reason="one end"
    )
    assert details(world, "admin", done.lot) == replace(ALL, note="", amount=2_400_000)
