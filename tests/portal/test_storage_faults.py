"""A database that takes no writes: every interface says so, in the reader's language, and the same request goes later."""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection, transaction
from django.test import Client

from daicho.core.storage import storage_fault
from daicho.interfaces.cli import main as console

pytestmark = pytest.mark.django_db


@contextmanager
def read_only_database() -> Iterator[None]:
    """Nothing can be written in here."""
    try:
        with transaction.atomic():
            say("PRAGMA query_only = ON", "SET TRANSACTION READ ONLY")
            yield
            transaction.set_rollback(True)  # a savepoint of the test's transaction, with which PostgreSQL forgets it
    finally:
        say("PRAGMA query_only = OFF", "SELECT 1")


def say(on_sqlite: str, on_postgres: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(on_sqlite if connection.vendor == "sqlite" else on_postgres)


def transfer(world: Any, bearer: str, request_id: str) -> Any:
    move = {"source": world.tokyo.uid, "target": world.osaka.uid, "sku": "NET-PREM", "quantity": 3}
    return Client(raise_request_exception=False).post(
        f"/api/v1/accounts/{world.account.identifier}/transfers",
        json.dumps({"moves": [move]}),
        content_type="application/json",
        headers={"authorization": bearer, "idempotency-key": request_id, "accept-language": "en"},
    )


def test_a_program_gets_a_problem_and_its_request_goes_through_later(world) -> None:
    world.deposit(world.premier, 10, world.tokyo)
    bearer, request_id = world.api_client(), str(uuid.uuid4())
    with read_only_database():
        refused = transfer(world, bearer, request_id)
    assert refused.status_code == 503
    assert refused["Content-Type"] == "application/problem+json"
    assert refused["Retry-After"] == "30"
    assert refused.json()["code"] == "storage_unavailable"
    assert refused.json()["data"] == {"reason": "read_only"}
    assert world.pool(world.tokyo, world.premier).on_hand == 10
    assert transfer(world, bearer, request_id).status_code == 201
    assert transfer(world, bearer, request_id)["Idempotency-Replayed"] == "true"
    assert world.pool(world.osaka, world.premier).on_hand == 3


@pytest.mark.parametrize(
    ("language", "heading"), [("en", "Daicho cannot save at the moment"), ("ja", "現在、Daichoに保存できません")]
)
def test_a_person_reads_it_in_his_language(world, language: str, heading: str) -> None:
    world.admin.language = language
    world.admin.save()
    browser = world.client(world.admin)
    browser.raise_request_exception = False
    address = f"/a/{world.account.identifier}/"
    assert browser.get(address, headers={"accept-language": language}).status_code == 200
    form = {"name": "Nagoya", "visibility": "public", "request_id": str(uuid.uuid4())}
    with read_only_database():
        page = browser.post(f"{address}virtual-accounts/new/", form, headers={"accept-language": language})
    assert page.status_code == 503
    assert page["Retry-After"] == "30"
    assert heading in page.text
    assert "storage_unavailable" in page.text
    assert page["X-Request-ID"][:8].upper() in page.text


def test_the_console_says_it_too(world, capsys) -> None:
    with read_only_database():
        code = console.main(
            ["invite", world.account.identifier, "new@aozora.example.co.jp", "--role", "account_viewer", "--json"]
        )
    assert code == 1, capsys.readouterr()
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "storage_unavailable"


def sqlite_error(code: int) -> Exception:
    error = sqlite3.OperationalError("told by SQLite")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("cause", "reason"),
    [
        (sqlite_error(sqlite3.SQLITE_FULL), "full"),
        (sqlite_error(sqlite3.SQLITE_IOERR_WRITE), "full"),
        (sqlite_error(sqlite3.SQLITE_READONLY_DBMOVED), "read_only"),
        (sqlite_error(sqlite3.SQLITE_CANTOPEN), "unreachable"),
        (sqlite_error(sqlite3.SQLITE_BUSY_SNAPSHOT), "busy"),
        (psycopg.errors.DiskFull(), "full"),
        (psycopg.errors.ReadOnlySqlTransaction(), "read_only"),
        (psycopg.errors.AdminShutdown(), "unreachable"),
        (psycopg.errors.CannotConnectNow(), "unreachable"),
        (psycopg.errors.TooManyConnections(), "busy"),
        (psycopg.OperationalError("connection refused"), "unreachable"),
    ],
)
def test_each_fault_of_a_database_has_its_reason(cause: Exception, reason: str) -> None:
    wrapped = OperationalError("told by Django")
    wrapped.__cause__ = cause
    fault = storage_fault(wrapped)
    assert fault is not None
    assert fault.data == {"reason": reason}


@pytest.mark.parametrize(
    "error",
    [
        ZeroDivisionError(),
        sqlite_error(sqlite3.SQLITE_CONSTRAINT),
        psycopg.errors.DeadlockDetected(),
        psycopg.errors.UniqueViolation(),
    ],
)
def test_what_is_our_mistake_stays_our_mistake(error: Exception) -> None:
    assert storage_fault(error) is None
