"""Virtual accounts through the API, by every role."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from daicho.domain.tenancy.models import VirtualAccount
from tests.world import World

A = "/api/v1/accounts/aozora.example.co.jp"
V = f"{A}/virtual-accounts"


def call(world: World, who: str, method: str, path: str, body: Any = None) -> Any:
    data = {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
    return getattr(world.client(getattr(world, who)), method)(path, **data)


def test_the_tree_is_read_as_far_as_one_may_see_it(world: World) -> None:
    assert [node["name"] for node in call(world, "viewer", "get", V).json()] == ["AOZORA Tokyo", "DEFAULT", "Osaka"]
    assert [node["name"] for node in call(world, "partner", "get", V).json()] == ["Osaka"]
    assert call(world, "approver", "get", V).status_code == 404
    assert call(world, "stranger", "get", V).status_code == 404


def test_one_is_made_changed_and_deleted(world: World) -> None:
    made = call(world, "admin", "post", V, {"name": "Nagoya", "parent": world.osaka.uid, "tags": ["west"]})
    assert (made.status_code, made.json()["path"], made.json()["visibility"]) == (201, ["Osaka"], "private")
    url = f"{V}/{made.json()['uid']}"
    changed = call(world, "admin", "patch", url, {"parent": None, "visibility": "public", "is_default": True}).json()
    assert (changed["path"], changed["visibility"], changed["is_default"], changed["tags"]) == (
        [],
        "public",
        True,
        ["west"],
    )
    assert call(world, "admin", "delete", f"{url}?typed_name=Nagoya").json()["code"] == "default_stays"
    call(world, "admin", "patch", f"{V}/{world.default.uid}", {"is_default": True})
    assert call(world, "admin", "delete", url).json()["code"] == "name_not_typed"
    assert call(world, "admin", "delete", f"{url}?typed_name=Nagoya").status_code == 204
    assert call(world, "admin", "get", url).status_code == 404


def test_a_refused_change_changes_nothing_at_all(world: World) -> None:
    url = f"{V}/{world.osaka.uid}"
    refused = call(world, "admin", "patch", url, {"name": "Kansai", "parent": world.osaka.uid})
    assert refused.json()["code"] == "nested_in_itself"
    world.osaka.refresh_from_db()
    assert world.osaka.name == "Osaka"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "OSAKA"}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "a", "tags": [f"{n}" for n in range(21)]}, "tags"),
    ],
)
def test_what_cannot_be_taken_is_told_by_field(world: World, body: dict[str, Any], field: str) -> None:
    answer = call(world, "admin", "post", V, body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


@pytest.mark.parametrize(
    ("who", "status"), [("user", 403), ("viewer", 403), ("partner", 404), ("osaka_admin", 404), ("stranger", 404)]
)
def test_who_may_not_make_one(world: World, who: str, status: int) -> None:
    assert call(world, who, "post", V, {"name": "Mine"}).status_code == status


def test_a_hidden_one_is_like_one_that_never_was(world: World) -> None:
    for uid in (world.tokyo.uid, "0000000000000"):
        assert call(world, "partner", "get", f"{V}/{uid}").status_code == 404
        assert call(world, "partner", "patch", f"{V}/{uid}", {"name": "x"}).status_code == 404


def test_everything_is_previewed_and_moved(world: World) -> None:
    world.deposit(world.advantage, 20, world.osaka)
    url = f"{V}/{world.osaka.uid}/move-everything"
    look = call(world, "admin", "post", f"{url}?dry_run=true", {"target": world.tokyo.uid}).json()
    assert (look["entry"], len(look["effects"])) == (None, 2)
    done = call(world, "admin", "post", url, {"target": world.tokyo.uid}).json()
    assert done["entry"]
    assert world.pool(world.tokyo, world.advantage).on_hand == 20


def test_the_organization_is_imported(world: World) -> None:
    def upload(query: str, rows: bytes) -> Any:
        file = SimpleUploadedFile("org.csv", rows)
        return world.client(world.admin).post(f"{A}/virtual-account-imports{query}", {"file": file})

    rows = "name,parent\n本社,\n経理部,本社\n".encode()
    assert upload("?dry_run=true", rows).json()["created"] == 2
    assert upload("", rows).json()["written"] is True
    assert upload("", rows).json() == {
        "created": 0, "moved": 0, "changed": 0, "unchanged": 2, "written": True, "errors": [],
    }  # fmt: skip
    assert upload("", b"name,parent\nA,Nowhere\n").json()["code"] == "rows_invalid"
    assert VirtualAccount.objects.get(name="経理部").depth == 2


def test_a_program_makes_one_too(world: World) -> None:
    headers = {"Authorization": world.api_client()}
    answer = Client().post(V, json.dumps({"name": "Nagoya"}), content_type="application/json", headers=headers)
    assert answer.status_code == 201
