"""The codes that people type: whatever is typed wrong is found, and what stands in the vectors comes out the same."""

from __future__ import annotations

import json
import secrets
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from daicho.core.errors import BusinessError
from daicho.domain.devices import air_gapped, codes
from tests.support.air_gapped_vectors import FILE, WANTED, vectors
from tests.support.offline_device import OfflineDevice, from_text, to_text

TOLD: dict[str, Any] = json.loads(FILE.read_text())


def test_the_vectors_come_out_the_same() -> None:
    assert vectors() == TOLD


def test_both_sides_write_the_same_text_and_read_it_back() -> None:
    for length in (1, 2, 14, 15, 16, 29, 30, 31, 120, 465):
        content = secrets.token_bytes(length)
        text = codes.write(content)
        assert text == to_text(content)
        for read in (codes.read(text), from_text(text)):
            assert read[:length] == content
            assert not any(read[length:])
        assert {len(group) for group in text.replace("\n", "-").split("-")} == {5}


def test_however_it_is_typed_it_is_read() -> None:
    code = TOLD["request"]["code"]
    for typed in (code.lower(), code.replace("-", " "), code.replace("\n", ""), code.replace("0", "O").replace("1", "l"),
                  code.translate({ord(sign): ord(sign) + 0xFEE0 for sign in codes.ALPHABET})):  # fmt: skip
        assert codes.read(typed) == codes.read(code)


def test_each_wrong_sign_each_exchange_and_each_wrong_order_of_lines_is_found() -> None:
    line = codes.write(bytes(range(1, 16)))
    signs = line.replace("-", "")
    for at, sign in enumerate(signs):
        for other in codes.ALPHABET.replace(sign, ""):
            _found_in(signs[:at] + other + signs[at + 1 :], 1)
    for first in range(24):
        for second in range(first + 1, 25):
            if signs[first] != signs[second]:
                typed = list(signs)
                typed[first], typed[second] = typed[second], typed[first]
                _found_in("".join(typed), 1)
    lines = codes.write(secrets.token_bytes(60)).split("\n")
    _found_in("\n".join([lines[1], lines[0], *lines[2:]]), 1)
    _found_in("\n".join([*lines[:2], lines[1], *lines[2:]]), 3)
    _found_in("\n".join([lines[0], *lines[2:]]), 2)


def _found_in(text: str, line: int) -> None:
    with pytest.raises(BusinessError) as refused:
        codes.read(text)
    assert (refused.value.code, refused.value.data["line"]) == ("code_line_wrong", line)


@pytest.mark.parametrize("text", ["", "  ", "0", "0" * 10_000, "これは違う", '{"daicho": "x"}', "{", codes.write(b"\x11" * 20), codes.write(bytes(15))])  # fmt: skip
def test_what_is_no_request_code_is_refused(text: str) -> None:
    with pytest.raises(BusinessError):
        air_gapped.read_request(text)


def test_a_device_installs_what_the_vectors_grant_and_refuses_the_others() -> None:
    def device() -> OfflineDevice:
        told = TOLD["device"]
        private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(told["private"]))
        keys = {1: bytes.fromhex(TOLD["server"]["public"])}
        return OfflineDevice(told["product_id"], told["serial"], private, bytes.fromhex(told["nonce"]), keys)

    one = device()
    assert one.request_code(WANTED) == TOLD["request"]["code"]
    for authorization in TOLD["authorizations"]:
        typed = one.take_code(authorization["code"], list(WANTED))
        assert typed["licenses"] == authorization["licenses"]
        assert one.confirmation_code() == authorization["confirmation_code"]
    other = device()
    other.take_file(json.dumps(TOLD["authorizations"][0]["file"]))
    assert other.confirmation_code() == TOLD["authorizations"][0]["confirmation_code"]
    for refused in TOLD["refused"]:
        with pytest.raises((AssertionError, InvalidSignature)):
            (one if "after" in refused else device()).take_code(refused["code"], list(WANTED))
    assert one.return_code() == TOLD["return_code"]


def test_four_licenses_fit_into_forty_groups_and_more_go_by_file() -> None:
    request = air_gapped.read_request(TOLD["request"]["code"])
    private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(TOLD["server"]["private"]))
    grants = [air_gapped.Grant(f"TAG-{at}", 2**28 - 1, None) for at in range(6)]
    code = air_gapped.authorization_code(request, 1, 1, TOLD["now"], grants[:4], private)
    assert len(code.replace("\n", "-").split("-")) == 40
    assert air_gapped.authorization_code(request, 1, 1, TOLD["now"], grants, private) == ""
