"""The whole opening through the API, as a person with the portal's session, and the operator's part."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from daicho.core.clock import now
from daicho.domain.accounts.commands.agreements import publish_agreement
from tests.opening import cast
from tests.world import World, actor

pytestmark = pytest.mark.django_db


class Caller:
    """Calls with the session of a person."""

    def __init__(self, user: Any) -> None:
        self.client = Client()
        self.client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")

    def __call__(self, method: str, path: str, body: dict | None = None, *, status: int = 200) -> Any:
        content = {"data": json.dumps(body or {}), "content_type": "application/json"} if method != "get" else {}
        response = getattr(self.client, method)(f"/api/v1{path}", **content)
        assert response.status_code == status, response.content.decode()
        return response.json() if response.content else None


def test_a_person_opens_an_account_through_the_api(world: World) -> None:
    hana = cast.hana()
    call = Caller(hana)
    fields = {"is_representative": True, "identifier": "sakura.example.com", "account_name": "Sakura", "street": "1-1"}
    uid = call("post", "/openings", {"postal_code": "060-8520", "country": "JP"} | fields, status=201)["uid"]
    assert call("post", f"/openings/{uid}/continue", status=422)["errors"][0]["code"] == "office_postal_code"
    call("patch", f"/openings/{uid}", {"postal_code": "0600002"})
    assert call("get", f"/openings/{uid}/standing?identifier=sakura.example.com")["code"] == "held"
    assert call("get", f"/openings/{uid}/standing?identifier=sample.example.jp")["code"] == "held"  # midori.example.jp
    held = call("post", f"/openings/{uid}/continue")
    assert (held["state"], held["held_for"]) == ("held", ["requester_not_matching"])
    call("post", "/opening-links/answer", {"secret": cast.secret_for(hana.email), "answer": "Our brand."})

    decide = Caller(world.operator)
    assert decide("get", "/operator/queue")["held_openings"] == 1
    assert decide("get", f"/operator/openings/{uid}")["answer"] == "Our brand."
    assert decide("get", "/operator/openings?state=held")["items"][0]["uid"] == uid
    assert call("get", "/operator/openings", status=404)
    assert decide("post", f"/operator/openings/{uid}/approve")["state"] == "awaiting_activation"

    done = call("post", "/opening-links/activate", {"secret": cast.secret_for(hana.email)})
    assert done == {"identifier": "sakura.example.com", "state": "active"}
    assert call("get", "/accounts")[0]["identifier"] == "sakura.example.com"

    agreement = decide(
        "post",
        "/operator/agreements",
        {"title_ja": "合意書", "title_en": "A", "text_ja": "本文", "text_en": "T"},
        status=201,
    )
    path = f"/accounts/sakura.example.com/agreements/{agreement['uid']}"
    assert call("get", path)["state"] == "pending"
    assert call("post", f"{path}/accept", {"language": "ja"})["state"] == "accepted"
    assert call("post", f"{path}/accept", {"language": "ja"}, status=409)["code"] == "agreement_already_accepted"
    edited = call("patch", "/accounts/sakura.example.com", {"name": "Sakura K.K."})
    assert edited["name"] == "Sakura K.K."


def test_an_api_client_reads_the_agreement_but_cannot_accept_it(world: World) -> None:
    texts = {"title_ja": "合意書", "title_en": "A", "text_ja": "本文", "text_en": "T"}
    made = publish_agreement(actor(world.operator), effective_at=now(), **texts)
    head = {"HTTP_AUTHORIZATION": world.api_client()}
    path = f"/api/v1/accounts/{world.account.identifier}/agreements"
    assert Client().get(path, **head).json()[0]["state"] == "pending"
    body = {"data": json.dumps({"language": "en"}), "content_type": "application/json"}
    assert Client().post(f"{path}/{made.uid}/accept", **body, **head).status_code == 401


def test_the_operator_keeps_guides_and_looks_into_accounts_through_the_api(world: World) -> None:
    call = Caller(world.operator)
    guide = {"title": "Basics", "url": "https://videos.example/1", "language": "en", "kind": "video", "minutes": 20}
    uid = call("post", "/operator/guides", guide, status=201)["uid"]
    assert call("put", f"/operator/guides/{uid}", guide | {"is_main": True})["is_main"]
    assert Caller(world.admin)("get", "/guides")[0]["title"] == "Basics"
    call("delete", f"/operator/guides/{uid}", status=204)
    base = f"/operator/accounts/{world.account.identifier}"
    assert call("post", f"{base}/look", {"reason": "ticket 7"}) == []
    assert call("post", f"{base}/suspend", {"reason": "unpaid"})["state"] == "suspended"
    assert call("post", f"{base}/suspend", {"reason": "unpaid"}, status=409)["code"] == "account_not_in_state"
    assert call("post", f"{base}/resume", {"reason": "paid"})["state"] == "active"
    assert call("get", base)["users"] == 6
    assert Caller(world.admin)("post", f"{base}/close", {"reason": "x"}, status=404)
    assert call("get", "/postal-codes/100-0001")[0]["city"] == "千代田区"
    assert call("get", "/countries?language=ja")[0] == {"code": "JP", "name": "日本"}


def test_the_tour_is_ticked_through_the_api(world: World) -> None:
    call = Caller(world.admin)
    assert call("get", "/me/tour")["done"] == []
    assert call("patch", "/me/tour", {"step": "people"})["done"] == ["people"]
    assert call("patch", "/me/tour", {"step": "people", "done": False, "hidden": True})["hidden"]
