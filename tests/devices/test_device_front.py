"""What devices meet at the door: the address, the form of a request, problems with stable codes, in their language."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest

from daicho.core.lanes import Lane
from daicho.domain.devices.commands.tokens import secret_of
from daicho.interfaces.device_api.front import LARGEST
from daicho.interfaces.device_api.lanes import front
from daicho.interfaces.device_api.wsgi import before
from tests.devices.conftest import Fleet
from tests.support.device_client import Client, Request, opened, walked


class Inline(Lane[Any, Any]):
    """Decides at once, in the transaction of the test."""

    def ask(self, act: Any) -> Any:
        return self.make([act])[0]


type Ask = Callable[..., tuple[int, dict[str, str], Any]]


@pytest.fixture
def ask() -> Ask:
    application = before(lambda environ, start: start("418 I'm Django", []) or [b"{}"], front(Inline))

    def send(method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Any:
        told: list[Any] = []
        where, _, query = path.partition("?")
        environ = {
            "REQUEST_METHOD": method, "PATH_INFO": where, "QUERY_STRING": query, "REMOTE_ADDR": "192.0.2.9",
            "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body)),
        }  # fmt: skip
        environ |= {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in (headers or {}).items()}
        parts = application(environ, lambda status, answer_headers: told.extend((status, dict(answer_headers))))
        return int(told[0][:3]), told[1], json.loads(b"".join(parts))

    return send


def post(ask: Ask, request: Request, **headers: str) -> tuple[int, dict[str, str], Any]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return ask("POST", request.path, request.body, request.headers | named)


def test_a_device_lives_by_the_bytes_of_the_protocol(fleet: Fleet, ask: Ask) -> None:
    client = Client()
    request, _ = client.register(secret_of(fleet.token()), "EXR-24", "SN-1")
    status, headers, answer = post(ask, request)
    assert (status, headers["content-type"]) == (201, "application/json")
    keys = walked(answer["keys"])
    client.take(opened(answer["certificate"], keys, "certificate"))
    assert opened(answer["authorization"], keys, "authorization")["state"] == "none"
    status, _headers, answer = post(ask, client.authorize({"STO-STD": 2}))
    assert (status, opened(answer["authorization"], keys, "authorization")["state"]) == (200, "out_of_compliance")
    status, _headers, answer = ask("GET", "/device/v1/keys?since=1")
    assert (status, answer) == (200, {"keys": []})
    status, _headers, answer = ask("GET", "/device/v1/time?nonce=7e2f7a0c-6a53-4d5a-9c2e-0a3c5a9b7f10")
    assert opened(answer["time"], keys, "time")["jti"] == "7e2f7a0c-6a53-4d5a-9c2e-0a3c5a9b7f10"


def test_a_problem_has_a_code_and_speaks_the_language_that_is_asked_for(fleet: Fleet, ask: Ask) -> None:
    client = fleet.register()
    client.mac = b"\0" * 32
    status, headers, answer = post(ask, client.authorize({}), Accept_Language="ja")
    assert (status, answer["code"], headers["content-language"]) == (401, "bad_signature", "ja")
    client.uid = "nobody"
    assert post(ask, client.authorize({}))[2]["code"] == "unknown_instance"
    client.offset = 30 * 86_400
    late, _ = client.register("x", "P", "S")
    status, _headers, answer = post(ask, late)
    assert (status, answer["code"], answer["time"].count(".")) == (401, "clock_skew", 2)


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("POST", "/device/v2/authorize", "unsupported_protocol"),
        ("POST", "/device/v1/nothing", "unsupported_protocol"),
        ("GET", "/device/v1/authorize", "method_not_allowed"),
        ("POST", "/device/v1/keys", "method_not_allowed"),
        ("GET", "/device/v1/keys?since=x", "malformed"),
        ("GET", "/device/v1/time?nonce=1", "malformed"),
        ("POST", "/device/v1/authorize", "malformed"),
    ],
)
@pytest.mark.django_db
def test_what_cannot_be_read_is_told(ask: Ask, method: str, path: str, code: str) -> None:
    assert ask(method, path)[2]["code"] == code


def test_every_part_of_a_request_is_signed(fleet: Fleet, ask: Ask) -> None:
    request = fleet.register().authorize({"STO-STD": 1})
    changed = request.body.replace(b":1", b":9")
    assert ask("POST", request.path, changed, request.headers)[2]["code"] == "malformed"
    assert ask("POST", "/device/v1/deregister", request.body, request.headers)[2]["code"] == "bad_signature"
    assert ask("POST", request.path, b" " * (LARGEST + 1), request.headers)[2]["code"] == "too_large"
    assert ask("GET", "/")[0] == 418
