"""`daicho backup` and `daicho restore`, on both databases: what was there is there again, and nothing else is lost."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from daicho.core.backup import read_manifest, write_backup
from daicho.core.backup import sqlite as of_sqlite
from daicho.domain.access.models import User
from daicho.domain.audit.seal import seal_pending
from daicho.interfaces.cli.main import main
from tests.world import make_world

EMAIL, PASSWORD = "hanako@example.co.jp", "a long enough password"
type Turn = Callable[[str], None]


@pytest.fixture
def turn_to(transactional_db: None, tmp_path: Path) -> Iterator[Turn]:
    """Turn this process to one of two databases of its own, `old` and `new`: migrated, without a user."""
    home = connection.settings_dict["NAME"]
    suffix = str(os.getpid())

    def turn(name: str) -> None:
        connection.close()
        connection.settings_dict["NAME"] = (
            str(tmp_path / f"{name}.sqlite3") if connection.vendor == "sqlite" else f"{name}_{suffix}"
        )

    def on_server(statement: str) -> None:
        import psycopg

        facts = connection.settings_dict
        with psycopg.connect(
            host=facts["HOST"], port=facts["PORT"], user=facts["USER"], dbname="template1", autocommit=True
        ) as session:
            session.execute(statement)  # type: ignore[arg-type]

    connection.close()
    for name in ("old", "new"):
        if connection.vendor == "sqlite":
            shutil.copyfile(home, tmp_path / f"{name}.sqlite3")
        else:
            on_server(f'CREATE DATABASE "{name}_{suffix}" TEMPLATE "{home}"')
    yield turn
    turn("home")
    connection.settings_dict["NAME"] = home
    if connection.vendor == "postgresql":
        for name in ("old", "new"):
            on_server(f'DROP DATABASE "{name}_{suffix}"')


def test_a_restored_database_is_the_one_that_was_backed_up(turn_to: Turn, tmp_path: Path, capsys: Any) -> None:
    def daicho(*words: str) -> dict[str, Any]:
        code = main([*words, "--json"])
        return {"exit": code} | json.loads(capsys.readouterr().out)

    turn_to("old")
    world = make_world()
    world.deposit(world.storage, 10, world.tokyo)
    User.objects.create_user(EMAIL, name="山田 花子", password=PASSWORD)
    seal_pending()
    file = tmp_path / "daicho.backup"
    written = daicho("backup", str(file))
    assert written["exit"] == 0
    assert file.stat().st_mode & 0o077 == 0, "only the operator may read what it holds"
    assert daicho("backup", str(file))["error"]["code"] == "file_exists"
    world.deposit(world.storage, 5, world.tokyo)

    turn_to("new")
    cut = tmp_path / "cut"
    cut.write_bytes(file.read_bytes()[: file.stat().st_size * 2 // 3])
    assert daicho("restore", str(cut))["error"]["code"] == "backup_unreadable"
    assert not User.objects.exists()
    restored = daicho("restore", str(file))
    assert (restored["exit"], restored["ok"], restored["same_secret_key"]) == (0, True, True)
    assert restored["rows"] == written["rows"]
    assert world.pool(world.tokyo, world.storage).on_hand == 10
    world.deposit(world.storage, 1, world.tokyo)  # numbers go on where they were
    assert daicho("restore", str(file))["error"]["code"] == "database_not_empty"
    assert daicho("restore", str(file), "--replace")["exit"] == 0
    assert world.pool(world.tokyo, world.storage).on_hand == 10
    assert daicho("check-ledger", "--deep")["ok"]
    client = Client()
    client.post("/account/login/", {"login": EMAIL, "password": PASSWORD})
    assert client.session["_auth_user_id"] == str(User.objects.get(email=EMAIL).pk)


def test_a_backup_holds_one_moment_while_others_write(turn_to: Turn, tmp_path: Path, monkeypatch: Any) -> None:
    turn_to("old")
    monkeypatch.setattr(of_sqlite, "PAGES", 20)
    known: list[int] = []

    def somebody_writes(done: int, whole: int) -> None:
        User.objects.create_user(f"somebody-{len(known)}@example.co.jp", name="Somebody")
        known.append(done)

    file = tmp_path / "daicho.backup"
    manifest = write_backup(file, somebody_writes)
    assert len(known) > 3
    assert manifest.rows["access_user"] == 0
    assert read_manifest(file) == manifest
    assert User.objects.count() == len(known)


def test_a_backup_of_another_version_is_refused(turn_to: Turn, tmp_path: Path, capsys: Any) -> None:
    turn_to("old")
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('ledger', '9999_new', '2030-01-01')")
    file = tmp_path / "daicho.backup"
    assert main(["backup", str(file)]) == 0
    turn_to("new")
    assert main(["restore", str(file)]) == 1
    assert "ledger.9999_new" in capsys.readouterr().err


@pytest.mark.postgres
def test_a_damaged_backup_leaves_the_database_as_it_was(turn_to: Turn, tmp_path: Path, capsys: Any) -> None:
    turn_to("old")
    User.objects.create_user(EMAIL, name="山田 花子")
    file = tmp_path / "daicho.backup"
    assert main(["backup", str(file)]) == 0
    content = bytearray(file.read_bytes())
    at = content.index(b"access_user.copy") + 60
    content[at] ^= 0xFF
    file.write_bytes(content)
    turn_to("new")
    User.objects.create_user("jiro@example.co.jp", name="Jiro")
    assert main(["restore", str(file), "--replace"]) == 1
    assert "is not a whole backup" in capsys.readouterr().err
    assert [user.email for user in User.objects.all()] == ["jiro@example.co.jp"]


@pytest.mark.sqlite
def test_a_database_that_somebody_works_with_is_not_replaced(turn_to: Turn, tmp_path: Path, capsys: Any) -> None:
    import sqlite3

    turn_to("old")
    file = tmp_path / "daicho.backup"
    assert main(["backup", str(file)]) == 0
    with sqlite3.connect(tmp_path / "old.sqlite3") as somebody:
        somebody.execute("SELECT COUNT(*) FROM access_user").fetchone()
        assert main(["restore", str(file)]) == 1
        assert "Stop web server and worker first." in capsys.readouterr().err
    somebody.close()
    assert main(["restore", str(file)]) == 0
