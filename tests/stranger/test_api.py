"""No operation of the API tells a stranger, or nobody, that somebody's thing exists; its owner is served.

Three calls with the same valid body and the victim's real handles: by a stranger (404, the same bytes as for handles
that never existed), by nobody (401), by the owner (2xx). Only the owner's call may change anything.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.http import HttpResponseBase
from django.test import Client
from pytest_django.plugin import DjangoDbBlocker

from daicho.core.ids import new_uid
from daicho.domain.access.models import User
from daicho.interfaces.api.main import api
from tests.stranger import rows
from tests.stranger.openings import add_openings_and_more
from tests.stranger.operations import CALLS, PATHS, Call
from tests.stranger.victim import SECRET_WORD, Victim, log_everybody_in, make_victim
from tests.world import make_world

pytestmark = pytest.mark.django_db
OPERATIONS = {
    found["operationId"]: (method.upper(), path)
    for path, methods in api.get_openapi_schema(path_prefix="/api/v1/")["paths"].items()
    for method, found in methods.items()
}
CLOSED = sorted(name for name, call in CALLS.items() if not call.is_public)
NAMING = sorted(name for name, call in CALLS.items() if not (call.is_public or call.is_own))
HANDLE = re.compile(r"<([a-z_:]+)>")
MASKS = re.compile(r'"request_id":\s*"[^"]*"')


@pytest.fixture(scope="module")
def victim(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Victim]:
    """One victim for the file; each test is rolled back."""
    with django_db_blocker.unblock(), transaction.atomic():
        made = make_victim(make_world())
        add_openings_and_more(made)
        log_everybody_in(made)
        yield made
        transaction.set_rollback(True)


class Unknown(dict[str, str]):
    """Handles that never existed."""

    def __missing__(self, name: str) -> str:
        self[name] = "never.example.jp" if name.startswith("identifier") else new_uid()
        return self[name]


def fill(value: Any, ids: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return HANDLE.sub(lambda found: ids[found[1]], value)
    if isinstance(value, list):
        return [fill(one, ids) for one in value]
    if isinstance(value, dict):
        return {key: fill(one, ids) for key, one in value.items()}
    return value


def names_in_path(name: str) -> dict[str, str]:
    """Path parameter → handle of the victim."""
    segments = OPERATIONS[name][1].split("/")
    return {
        segment[1:-1]: CALLS[name].path.get(segment[1:-1]) or PATHS[segments[place - 1]]
        for place, segment in enumerate(segments)
        if segment.startswith("{")
    }


def call(client: Client, name: str, ids: Mapping[str, str]) -> HttpResponseBase:
    method, path = OPERATIONS[name]
    entry: Call = CALLS[name]
    for parameter, handle in names_in_path(name).items():
        plain = handle.isdigit()
        path = path.replace("{" + parameter + "}", handle if plain else ids[handle])
    if entry.query:
        path += "?" + fill(entry.query, ids)
    if entry.file is not None:
        upload = SimpleUploadedFile(entry.file_name, fill(entry.file.decode(), ids).encode(), content_type="text/csv")
        return client.post(path, {"file": upload})
    body = None if entry.body is None else json.dumps(fill(entry.body, ids))
    return client.generic(method, path, body or "", content_type="application/json")


def all_handles(victim: Victim) -> dict[str, str]:
    return victim.ids | {f"secret:{name}": value for name, value in victim.secrets.items()}


def masked(response: HttpResponseBase, used: Mapping[str, str]) -> tuple[int, str]:
    text = MASKS.sub("", response.content.decode())  # type: ignore[attr-defined]
    for value in sorted(used.values(), key=len, reverse=True):
        text = text.replace(value, "<handle>")
    return response.status_code, text


def person(victim: Victim, name: str) -> User:
    call = CALLS[name]
    for handle in call.path.values():
        if handle in victim.people:
            return victim.people[handle]
    return victim.people.get(call.who) or getattr(victim.world, call.who)


def test_every_operation_has_a_valid_call() -> None:
    assert set(OPERATIONS) == set(CALLS)


@pytest.mark.parametrize("name", NAMING)
def test_a_stranger_gets_the_same_404_as_for_what_never_existed(name: str, victim: Victim) -> None:
    stranger = victim.world.client(victim.world.stranger)
    before = rows.fingerprint()
    never = Unknown()
    absent = call(stranger, name, never)
    real = {key: all_handles(victim)[key] for key in never}
    found = call(stranger, name, all_handles(victim))
    assert found.status_code == 404, f"{name}: {found.status_code} {found.content[:300]!r}"  # type: ignore[attr-defined]
    assert masked(found, real) == masked(absent, never)
    assert SECRET_WORD not in masked(found, real)[1].lower()
    assert rows.fingerprint() == before


@pytest.mark.parametrize("name", CLOSED)
def test_nobody_is_asked_to_authenticate(name: str, victim: Victim) -> None:
    before = rows.fingerprint()
    response = call(victim.world.client(None), name, all_handles(victim))
    assert response.status_code == 401, response.content[:300]  # type: ignore[attr-defined]
    assert response["Content-Type"] == "application/problem+json"
    assert rows.fingerprint() == before


@pytest.mark.parametrize("name", sorted(CALLS))
def test_the_owner_is_served(name: str, victim: Victim) -> None:
    """Every operation answers 2xx at least once."""
    response = call(victim.world.client(person(victim, name)), name, all_handles(victim))
    assert response.status_code in CALLS[name].status, f"{name}: {getattr(response, 'content', b'')[:500]!r}"
