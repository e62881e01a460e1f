"""People, rights, programs and partner companies through the API, by every role."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from daicho.domain.access.models import AccessRequest, ApiClient, Grant, IdempotentRequest, Invitation, User
from tests.world import World, make_user

A = "/api/v1/accounts/aozora.example.co.jp"


class Caller:
    """A program or a logged-in person who speaks JSON."""

    def __init__(self, client: Client, **headers: str) -> None:
        self.client, self.headers = client, headers

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        data = {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
        return getattr(self.client, method)(path, headers=self.headers | headers, **data)


@pytest.fixture
def admin(world: World) -> Caller:
    return Caller(Client(), Authorization=world.api_client())


def person(world: World, user: User) -> Caller:
    return Caller(world.client(user))


def test_users_are_listed_with_their_rights(world: World, admin: Caller) -> None:
    page = admin("get", f"{A}/users?size=3").json()
    assert [row["email"] for row in page["items"]] == [
        "admin@aozora.example.co.jp", "approver@aozora.example.co.jp", "osaka@aozora.example.co.jp",
    ]  # fmt: skip
    rest = admin("get", f"{A}/users?size=3&cursor={page['next']}").json()
    assert len(rest["items"]) == 3
    outsiders = admin("get", f"{A}/users?outsiders=true").json()["items"]
    assert [row["email"] for row in outsiders] == [world.partner.email]
    assert outsiders[0]["grants"][0]["virtual_account"] == {"uid": world.osaka.uid, "name": "Osaka"}
    partners = admin("get", f"{A}/partner-users").json()["items"]
    assert [(row["email"], row["company"]) for row in partners] == [(world.partner.email, "hoshu.example.jp")]


@pytest.mark.parametrize(("who", "status"), [("viewer", 200), ("partner", 200), ("user", 404), ("stranger", 404)])
def test_who_reads_users(world: World, who: str, status: int) -> None:
    answer = person(world, getattr(world, who))("get", f"{A}/users")
    assert answer.status_code == status
    if who == "partner":
        assert {row["email"] for row in answer.json()["items"]} == {world.partner.email, world.osaka_admin.email}
        assert "AOZORA" not in answer.content.decode()


def test_nobody_reads_anything_without_credentials(world: World) -> None:
    anonymous = Caller(Client())
    for path in ("users", "grants", "invitations", "hand-overs", "api-clients", "access-requests", "virtual-accounts"):
        method = "post" if path == "grants" else "get"
        assert anonymous(method, f"{A}/{path}", {} if method == "post" else None).status_code == 401


def test_a_grant_is_given_changed_and_revoked(world: World, admin: Caller) -> None:
    body = {"user": world.viewer.uid, "role": "va_user", "virtual_account": world.osaka.uid}
    given = admin("post", f"{A}/grants", body)
    assert (given.status_code, given.json()["role"]) == (201, "va_user")
    url = f"{A}/grants/{given.json()['uid']}"
    changed = admin("patch", url, {"ends_at": "2099-04-01T00:00:00+09:00"}).json()
    assert (changed["role"], changed["ends_at"]) == ("va_user", "2099-03-31T15:00:00Z")
    assert admin("patch", url, {"role": "va_viewer", "ends_at": None}).json()["ends_at"] is None
    assert admin("delete", url).status_code == 204
    assert admin("delete", url).status_code == 404


def test_the_last_administrator_is_a_problem_with_a_code(world: World, admin: Caller) -> None:
    own = Grant.objects.get(user=world.admin)
    answer = admin("delete", f"{A}/grants/{own.uid}")
    assert (answer.status_code, answer.json()["code"]) == (409, "last_administrator")


@pytest.mark.parametrize(("who", "status"), [("viewer", 403), ("osaka_admin", 404), ("stranger", 404)])
def test_who_may_not_give_rights_in_the_whole_account(world: World, who: str, status: int) -> None:
    body = {"user": world.osaka_admin.uid, "role": "account_user"}
    assert person(world, getattr(world, who))("post", f"{A}/grants", body).status_code == status


def test_a_program_without_the_scope_is_refused(world: World) -> None:
    reader = Caller(Client(), Authorization=world.api_client(scopes=["users.view"]))
    assert reader("get", f"{A}/users").status_code == 200
    assert reader("post", f"{A}/invitations", {"email": "n@x.example", "role": "account_user"}).status_code == 403


def test_invitations_one_and_many(world: World, admin: Caller) -> None:
    made = admin("post", f"{A}/invitations", {"email": "N@aozora.example.co.jp", "role": "account_user"})
    assert made.status_code == 201
    assert "secret" not in made.content.decode()
    assert (
        admin("post", f"{A}/invitations", {"email": "nonsense", "role": "account_user"}).json()["code"] == "bad_address"
    )
    uid = made.json()["uid"]
    assert admin("post", f"{A}/invitations/{uid}/resend").status_code == 200
    assert admin("delete", f"{A}/invitations/{uid}").status_code == 204
    rows = b"email,role\na@aozora.example.co.jp,account_viewer\n"

    def upload(dry_run: str) -> Any:
        file = SimpleUploadedFile("people.csv", rows)
        return admin.client.post(
            f"{A}/invitation-imports?dry_run={dry_run}", {"file": file}, headers=admin.headers
        ).json()

    assert upload("true") == {"sent": 1, "unchanged": 0, "written": False, "errors": []}
    assert upload("false") == {"sent": 1, "unchanged": 0, "written": True, "errors": []}
    assert Invitation.objects.filter(state="open").count() == 1
    assert len(admin("get", f"{A}/invitations?open_only=false").json()["items"]) == 2


def test_the_same_key_invites_once(world: World, admin: Caller) -> None:
    body = {"email": "n@aozora.example.co.jp", "role": "account_user"}
    keyed = {"Idempotency-Key": "invite-1"}
    first = admin("post", f"{A}/invitations", body, **keyed)
    second = admin("post", f"{A}/invitations", body, **keyed)
    assert (first.status_code, first.json()) == (second.status_code, second.json())
    assert Invitation.objects.count() == 1


def test_a_hand_over_is_planned_and_cancelled(world: World, admin: Caller) -> None:
    successor = make_user("next@aozora.example.co.jp", "Next")
    body = {"from_user": world.user.uid, "to_email": successor.email, "due_at": "2099-04-01T00:00:00Z"}
    made = admin("post", f"{A}/hand-overs", body)
    assert (made.status_code, made.json()["state"]) == (201, "planned")
    assert admin("delete", f"{A}/hand-overs/{made.json()['uid']}").status_code == 204
    assert admin("get", f"{A}/hand-overs").json()["items"][0]["state"] == "cancelled"


def test_access_is_requested_and_answered(world: World, admin: Caller) -> None:
    colleague = person(world, make_user("colleague@aozora.example.co.jp", "Colleague"))
    assert [row["identifier"] for row in colleague("get", "/api/v1/me/found-accounts").json()] == [
        "aozora.example.co.jp"
    ]
    body = {"account": "aozora.example.co.jp", "role": "va_user", "virtual_account_name": "osaka", "reason": "switches"}
    asked = colleague("post", "/api/v1/me/access-requests", body)
    assert asked.status_code == 201
    url = f"{A}/access-requests/{asked.json()['uid']}"
    assert len(admin("get", f"{A}/access-requests").json()["items"]) == 1
    assert person(world, world.viewer)("post", f"{url}/approve", {}).status_code == 403
    assert admin("post", f"{url}/approve", {"virtual_account": world.osaka.uid}).status_code == 204
    assert admin("post", f"{url}/decline", {"reason": "late"}).json()["code"] == "already_answered"
    assert colleague("get", "/api/v1/me/access-requests").json()[0]["state"] == "approved"
    again = colleague("post", "/api/v1/me/access-requests", body).json()
    assert colleague("delete", f"/api/v1/me/access-requests/{again['uid']}").status_code == 204
    assert AccessRequest.objects.filter(state="withdrawn").count() == 1


def test_a_stranger_asks_in_vain_and_learns_nothing(world: World) -> None:
    stranger = person(world, world.nobody)
    for identifier in ("aozora.example.co.jp", "never.example.co.jp"):
        body = {"account": identifier, "role": "account_user", "reason": "x"}
        assert stranger("post", "/api/v1/me/access-requests", body).status_code == 404


def test_a_program_is_created_used_rotated_and_revoked(world: World, admin: Caller) -> None:
    body = {"name": "nightly", "scopes": ["users.view"], "grants": [{"role": "account_viewer"}]}
    keyed = {"Idempotency-Key": "client-1"}
    made = admin("post", f"{A}/api-clients", body, **keyed)
    assert made.status_code == 201
    secret = made.json()["secret"]
    assert secret not in str(list(IdempotentRequest.objects.values())), "a secret is kept nowhere"
    assert admin("post", f"{A}/api-clients", body, **keyed).json()["secret"] is None
    program = Caller(Client(), Authorization=f"Bearer {made.json()['uid']}.{secret}")
    assert program("get", f"{A}/users").status_code == 200
    url = f"{A}/api-clients/{made.json()['uid']}"
    fresh = admin("post", f"{url}/secret").json()["secret"]
    assert program("get", f"{A}/users").status_code == 401
    program.headers = {"Authorization": f"Bearer {made.json()['uid']}.{fresh}"}
    assert program("get", f"{A}/users").status_code == 200
    more = admin("post", f"{url}/grants", {"role": "va_user", "virtual_account": world.osaka.uid}).json()["grants"]
    assert [grant["role"] for grant in more] == ["account_viewer", "va_user"]
    assert admin("delete", f"{url}/grants/{more[1]['uid']}").status_code == 204
    assert admin("put", url, {"name": "weekly", "scopes": ["devices.view"]}).json()["name"] == "weekly"
    assert program("get", f"{A}/users").status_code == 404
    assert admin("delete", url).status_code == 204
    assert program("get", f"{A}/users").status_code == 401
    assert admin("get", url).json()["grants"] == []


def test_own_settings(world: World, admin: Caller) -> None:
    viewer = person(world, world.viewer)
    body = {"name": "Viewer", "language": "ja", "time_zone": "Asia/Tokyo", "theme": "dark"}
    assert viewer("put", "/api/v1/me", body).json()["theme"] == "dark"
    assert viewer("get", "/api/v1/me").json()["language"] == "ja"
    assert viewer("put", "/api/v1/me", body | {"time_zone": "Mars/Base"}).json()["errors"][0]["field"] == "time_zone"
    assert admin("get", "/api/v1/me").status_code == 401


def test_the_operator_keeps_partners_and_appoints(world: World) -> None:
    operator = person(world, world.operator)
    made = operator("post", "/api/v1/operator/partners", {"name": "Hoshu K.K."})
    assert made.status_code == 201
    url = f"/api/v1/operator/partners/{made.json()['uid']}"
    member = operator("post", f"{url}/members", {"email": world.partner.email})
    assert (member.status_code, len(operator("get", f"{url}/members").json())) == (201, 1)
    assert operator("delete", f"{url}/members/{world.partner.uid}").status_code == 204
    client = operator("post", f"{url}/api-clients", {"name": "orders"}).json()
    assert operator("delete", f"/api/v1/operator/api-clients/{client['uid']}").status_code == 204
    assert operator("put", url, {"name": "Hoshu", "is_active": False}).json()["is_active"] is False
    assert {row["name"] for row in operator("get", "/api/v1/operator/partners").json()["items"]} == {
        "Hoshu",
        "Reseller K.K.",
    }
    own = operator("post", "/api/v1/operator/api-clients", {"name": "erp", "scopes": ["operator.orders"]}).json()
    assert ApiClient.objects.get(uid=own["uid"]).scopes == ["operator.orders"]
    body = {"email": world.viewer.email, "reason": "Left"}
    appoint = "/api/v1/operator/accounts/aozora.example.co.jp/administrators"
    assert operator("post", appoint, body).status_code == 204
    assert person(world, world.admin)("post", appoint, body).status_code == 404
    assert person(world, world.admin)("get", "/api/v1/operator/partners").status_code == 404
