"""Files attached to lots: what may be attached, by whom, and what becomes of them (ledger, attachments)."""

from __future__ import annotations

import io
import uuid
import zipfile

import pytest

from daicho.core import tabular
from daicho.core.errors import BusinessError
from daicho.domain.audit.models import Event
from daicho.domain.files.models import StoredFile
from daicho.domain.files.store import drop_unused
from daicho.domain.ledger.attachments import MOST_BYTES, ensure_file, safe_name
from daicho.domain.ledger.commands.correct import correct_lot, right_lot
from daicho.domain.ledger.commands.lot_files import attach_lot_file, remove_lot_file
from daicho.domain.ledger.models import Lot, LotAttachment
from daicho.domain.ledger.queries.lot_files import list_lot_files, read_lot_file
from daicho.domain.ledger.queries.sight import look
from tests.world import World

PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 20
JPEG = b"\xff\xd8\xff\xe0" + b"\x00" * 20
XLSX = tabular.xlsx_bytes(["a"], [["b"]])


def archive(*names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as book:
        for name in names:
            book.writestr(name, "x")
    return file.getvalue()


DOCX = archive("[Content_Types].xml", "word/document.xml")


@pytest.mark.parametrize(
    ("name", "content", "media_type"),
    [
        ("証書.pdf", PDF, "application/pdf"), ("a.PNG", PNG, "image/png"), ("a.jpeg", JPEG, "image/jpeg"),
        ("a.txt", "証書\r\n".encode("cp932"), "text/plain"), ("a.csv", "証書,1\n".encode(), "text/csv"),
        ("a.xlsx", XLSX, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("a.docx", DOCX, "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ],
)  # fmt: skip
def test_what_companies_keep_may_be_attached(name: str, content: bytes, media_type: str) -> None:
    assert ensure_file(name, content) == (name, media_type)


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.pdf", b"", "file_empty"), ("a.pdf", PDF + b"0" * MOST_BYTES, "file_too_large"),
        ("a.pdf", b"<script>alert(1)</script>", "file_type_refused"), ("a.html", b"<p>text</p>", "file_type_refused"),
        ("a.svg", b"<svg/>", "file_type_refused"), ("a.exe", b"MZ\x90\x00", "file_type_refused"),
        ("a.txt", b"\x00\x01\x02", "file_type_refused"), ("a.png", JPEG, "file_type_refused"), ("pdf", PDF, "file_type_refused"),
        ("a.xlsx", archive("[Content_Types].xml"), "file_type_refused"), ("a.xlsx", DOCX, "file_type_refused"),
        ("a.xlsx", archive("[Content_Types].xml", "xl/workbook.xml", "xl/vbaProject.bin"), "file_type_refused"),
        ("a.docx", b"PK\x03\x04 broken", "file_type_refused"), ("a.zip", archive("a.txt"), "file_type_refused"),
    ],
)  # fmt: skip
def test_everything_else_is_refused_whatever_it_is_called(name: str, content: bytes, code: str) -> None:
    with pytest.raises(BusinessError) as refusal:
        ensure_file(name, content)
    assert refusal.value.code == code


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("..\\..\\etc/証書 １.pdf", "証書 １.pdf"), ("a\u202efdp.txt", "afdp.txt"), ('x"<y>|*?.pdf', "x__y____.pdf"),
        ("\r\nSet-Cookie: a.txt", "Set-Cookie_ a.txt"), ("...hidden.txt ", "hidden.txt"), ("", "file"),
        ("長" * 300 + ".pdf", "長" * 146 + ".pdf"),
    ],
)  # fmt: skip
def test_a_name_holds_nothing_that_a_system_could_stumble_over(name: str, kept: str) -> None:
    assert safe_name(name) == kept


@pytest.fixture
def lot(world: World) -> Lot:
    return world.deposit(world.storage, 100, world.osaka)


def attach(world: World, who: str, lot: Lot, name: str = "証書.pdf", content: bytes = PDF) -> LotAttachment:
    actor = world.as_(getattr(world, who))
    return attach_lot_file(actor, account=world.account, lot_uid=lot.uid, name=name, content=content)


def test_a_file_is_kept_told_read_and_taken_off(world: World, lot: Lot) -> None:
    large = PDF + b"\x07" * (2 * 1024 * 1024)
    made = attach(world, "user", lot, content=large)
    assert attach(world, "admin", lot, content=large) == made, "the same again is the one that is there"
    sight = look(world.as_(world.viewer), world.account)
    assert [(one.name, one.file.size, one.added_by_name) for one in list_lot_files(sight, lot.uid)] == [
        ("証書.pdf", len(large), "User")
    ]
    assert b"".join(read_lot_file(sight, lot.uid, made.uid)[1]) == large
    remove_lot_file(world.as_(world.admin), account=world.account, lot_uid=lot.uid, file_uid=made.uid)
    assert not list_lot_files(sight, lot.uid)
    assert not StoredFile.objects.exists()
    added, removed = Event.objects.filter(subject_uid=lot.uid, kind__startswith="license.file_").order_by("id")
    assert (added.virtual_account, added.after["file"], added.after["sha256"]) == (None, "証書.pdf", made.file.sha256)
    assert (removed.kind, removed.before["sha256"]) == ("license.file_removed", made.file.sha256)


@pytest.mark.parametrize(
    ("who", "reads", "writes"),
    [
        ("viewer", None, 403),
        ("osaka_admin", 404, 404),
        ("partner", 404, 404),
        ("approver", 404, 404),
        ("stranger", 404, 404),
    ],
)
def test_files_are_the_companys(world: World, lot: Lot, who: str, reads: int | None, writes: int) -> None:
    made = attach(world, "admin", lot)
    actor = world.as_(getattr(world, who))

    def refusal(act: object) -> int | None:
        try:
            act()  # type: ignore[operator]
        except BusinessError as error:
            return error.http_status
        return None

    assert refusal(lambda: list_lot_files(look(actor, world.account), lot.uid)) == reads
    assert refusal(lambda: read_lot_file(look(actor, world.account), lot.uid, made.uid)) == reads
    assert refusal(lambda: attach(world, who, lot, "more.pdf")) == writes
    assert refusal(lambda: remove_lot_file(actor, account=world.account, lot_uid=lot.uid, file_uid=made.uid)) == writes


def test_a_file_is_reached_by_its_own_lot_alone(world: World, lot: Lot) -> None:
    made = attach(world, "admin", lot)
    other = world.deposit(world.storage, 5, world.tokyo)
    sight = look(world.as_(world.admin), world.account)
    with pytest.raises(BusinessError):
        read_lot_file(sight, other.uid, made.uid)
    with pytest.raises(BusinessError):
        remove_lot_file(world.as_(world.admin), account=world.account, lot_uid=other.uid, file_uid=made.uid)


def test_a_lot_takes_twenty_files(world: World, lot: Lot) -> None:
    for number in range(20):
        attach(world, "admin", lot, f"{number}.pdf")
    with pytest.raises(BusinessError) as refusal:
        attach(world, "admin", lot, "one more.pdf")
    assert refusal.value.code == "too_many_files"


def test_the_right_lot_shows_the_files_of_the_wrong_one_and_either_may_let_go_of_them(world: World, lot: Lot) -> None:
    made = attach(world, "admin", lot)
    right = right_lot(Lot.objects.select_related("account").get(pk=lot.pk), quantity=80, kind="perpetual", end_on=None)
    done = correct_lot(
        world.as_(world.operator), account=world.account, request_id=uuid.uuid4(), lot=lot, right=right, reason="typo"
    )
    sight, admin = look(world.as_(world.admin), world.account), world.as_(world.admin)
    remove_lot_file(admin, account=world.account, lot_uid=lot.uid, file_uid=made.uid)
    StoredFile.objects.update(created_at="2020-01-01T00:00:00Z")
    assert drop_unused() == 0
    [one] = list_lot_files(sight, done.lot.uid)
    assert b"".join(read_lot_file(sight, done.lot.uid, one.uid)[1]) == PDF
