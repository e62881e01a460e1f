"""Files in the database: in parts, whole or not at all, and gone when nothing points to them."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator

import pytest
from django.db.models import ProtectedError

from daicho.core.clock import now
from daicho.core.errors import BusinessError, NotFound
from daicho.domain.bulk.models import Job
from daicho.domain.files import store
from daicho.domain.files.models import FileChunk, StoredFile

pytestmark = pytest.mark.django_db
MIB = 1024 * 1024


def test_a_file_comes_back_as_it_went_in_and_no_part_exceeds_one_mebibyte() -> None:
    pieces = [b"a" * 700_000, b"b" * 700_000, b"", b"c" * 2_000_000, b"z"]
    file = store.keep("orders.csv", "text/csv", iter(pieces))
    whole = b"".join(pieces)
    assert store.content(file) == whole
    assert (file.size, file.sha256) == (len(whole), hashlib.sha256(whole).hexdigest())
    assert [len(part) for part in store.parts(file)] == [MIB, MIB, MIB, len(whole) - 3 * MIB]


def test_an_empty_file_is_a_file() -> None:
    file = store.keep("empty.csv", "text/csv", [])
    assert (store.content(file), file.size, bool(file.sha256)) == (b"", 0, True)


@pytest.mark.parametrize(
    ("given", "kept"),
    [("C:\\Users\\me\\注文.csv", "注文.csv"), ("../../etc/passwd", "passwd"), ("", "file"), ("x" * 300 + ".xlsx", "x" * 195 + ".xlsx")],
)  # fmt: skip
def test_a_name_is_kept_without_folders_and_with_its_ending(given: str, kept: str) -> None:
    assert store.keep(given, "text/csv", [b"1"]).name == kept


def test_a_file_beyond_the_limit_is_refused_and_leaves_nothing() -> None:
    with pytest.raises(BusinessError) as refused:
        store.keep("big.csv", "text/csv", [b"1" * MIB, b"2"], limit=MIB)
    assert refused.value.code == "file_too_large"
    assert not StoredFile.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_file_whose_making_breaks_off_leaves_nothing() -> None:
    def broken() -> Iterator[bytes]:
        yield b"1" * 2 * MIB
        raise RuntimeError("the query broke")

    with pytest.raises(RuntimeError, match="the query broke"):
        store.keep("export.csv", "text/csv", broken())
    assert not FileChunk.objects.exists()


def test_an_upload_is_found_by_its_uploader_alone(world) -> None:
    file = store.keep("orders.csv", "text/csv", [b"1"], actor=world.as_(world.reseller))
    assert store.uploaded(world.as_(world.reseller), file.uid) == file
    for other in (world.admin, world.operator):
        with pytest.raises(NotFound):
            store.uploaded(world.as_(other), file.uid)


def test_what_nothing_points_to_is_dropped_after_a_day_and_what_a_job_keeps_stays(world) -> None:
    unused, fresh, source = (store.keep(name, "text/csv", [b"1"]) for name in ("unused", "fresh", "source"))
    Job.objects.create(kind="x", owner="user:1", request_id="0" * 32, fingerprint="", source=source)
    StoredFile.objects.exclude(pk=fresh.pk).update(created_at=now() - dt.timedelta(days=2))
    assert store.drop_unused() == 1
    assert set(StoredFile.objects.values_list("name", flat=True)) == {"fresh", "source"}
    assert not FileChunk.objects.filter(file_id=unused.pk).exists()
    with pytest.raises(ProtectedError):
        store.drop(source)
