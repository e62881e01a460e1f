"""The bytes of the device protocol are those of the vectors: as the server reads them, and as openssl does."""

from __future__ import annotations

import base64
import hmac
import json
import shutil
import subprocess
import uuid
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from daicho.domain.devices import wire
from tests.support import device_client, device_vectors

VECTORS: dict[str, Any] = json.loads(device_vectors.FILE.read_text())
KEYS, ONCE = VECTORS["keys"], VECTORS["one_time_keys"]
MAC = {name: bytes.fromhex(agreed["mac_key"]) for name, agreed in VECTORS["agreements"].items()}
TRUSTED = {KEYS[name]["thumbprint"]: wire.public_bytes(KEYS[name]["jwk"]) for name in ("server_1", "server_2")}
DER = {"Ed25519": bytes.fromhex("302a300506032b6570032100"), "X25519": bytes.fromhex("302a300506032b656e032100")}


def read(asked: dict[str, Any]) -> wire.Signed:
    headers = {name.lower(): value for name, value in asked["headers"].items()}
    return wire.read_request(asked["path"], headers, asked["body"].encode(), "192.0.2.1")


def test_the_vectors_come_out_the_same_each_time() -> None:
    assert device_vectors.vectors() == VECTORS


def test_keys_have_the_thumbprints_of_the_vectors() -> None:
    for key in KEYS.values():
        assert wire.thumbprint_of(key["jwk"]) == key["thumbprint"]
        assert wire.public_jwk(wire.public_bytes(key["jwk"])) == key["jwk"]


@pytest.mark.parametrize("asked", VECTORS["requests"], ids=lambda asked: asked["what"])
def test_a_request_is_read_and_its_signature_holds(asked: dict[str, Any]) -> None:
    signed = read(asked)
    assert (signed.what, signed.nonce, signed.base) == (
        asked["what"], uuid.UUID(asked["request_id"]), asked["base"].encode(),
    )  # fmt: skip
    if asked["key"] == "device":
        assert wire.is_by_key(signed, wire.public_bytes(KEYS["device"]["jwk"]))
        assert not wire.is_by_key(signed, wire.public_bytes(KEYS["next_device"]["jwk"]))
        assert not wire.is_by_mac(signed, MAC["register"])
    else:
        name = {"1": "register", "2": "renew-certificate"}[signed.keyid.rpartition(".")[2]]
        assert wire.is_by_mac(signed, MAC[name])
        assert not wire.is_by_mac(signed, bytes(32))
        assert not wire.is_by_key(signed, wire.public_bytes(KEYS["device"]["jwk"]))


@pytest.mark.parametrize("asked", VECTORS["refused"]["requests"], ids=lambda asked: asked["why"])
def test_a_request_that_was_changed_is_refused(asked: dict[str, Any]) -> None:
    if asked["code"] == "malformed":
        with pytest.raises(wire.MalformedRequest):
            read(asked)
    else:
        assert not wire.is_by_mac(read(asked), MAC["register"])


@pytest.mark.parametrize("name", VECTORS["agreements"])
def test_both_sides_agree_on_the_key_of_the_vectors(name: str) -> None:
    agreed = VECTORS["agreements"][name]
    mine, theirs = ("server", "device") if name == "register" else ("server_renewal", "device_renewal")
    private = X25519PrivateKey.from_private_bytes(bytes.fromhex(ONCE[mine]["private"]))
    ours, key = wire.agree(
        wire.public_bytes(ONCE[theirs]["jwk"], "X25519"), uuid.UUID(agreed["request_id"]), VECTORS["uid"],
        agreed["generation"], private,
    )  # fmt: skip
    assert wire.public_jwk(ours, "X25519") == ONCE[mine]["jwk"]
    assert key == MAC[name]


@pytest.mark.parametrize("point", [bytes(32), bytes([1]) + bytes(31)], ids=["zero", "one"])
def test_a_key_that_agrees_with_everybody_on_nothing_is_refused(point: bytes) -> None:
    with pytest.raises(ValueError):
        wire.agree(point, uuid.uuid4(), "x", 1)


def test_the_next_key_shows_that_its_holder_asks() -> None:
    request_id = uuid.UUID(VECTORS["agreements"]["renew-certificate"]["request_id"])
    public, proof = wire.public_bytes(KEYS["next_device"]["jwk"]), VECTORS["next_key"]["proof"]
    assert wire.next_key_message(VECTORS["uid"], request_id).decode() == VECTORS["next_key"]["message"]
    assert wire.proves_next_key(public, proof, VECTORS["uid"], request_id)
    assert not wire.proves_next_key(public, proof, VECTORS["uid"], uuid.uuid4())
    assert not wire.proves_next_key(public, "", VECTORS["uid"], request_id)


@pytest.mark.parametrize("document", VECTORS["documents"], ids=lambda document: document["what"])
def test_a_document_is_written_and_read_as_in_the_vectors(document: dict[str, Any]) -> None:
    key = KEYS[document["key"]]
    private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(key["private"]))
    assert wire.sign(document["what"], document["payload"], key["thumbprint"], private) == document["jws"]
    assert wire.verify(document["what"], document["jws"], TRUSTED) == document["payload"]


@pytest.mark.parametrize("document", VECTORS["refused"]["documents"], ids=lambda document: document["why"])
def test_a_document_that_was_changed_is_refused(document: dict[str, Any]) -> None:
    trusted = {kid: key for kid, key in TRUSTED.items() if kid == KEYS["server_1"]["thumbprint"]}
    with pytest.raises(ValueError):
        wire.verify("certificate", document["jws"], trusted)


@pytest.mark.parametrize(
    "jwk",
    [
        None, {}, {"kty": "OKP", "crv": "Ed25519", "x": 1}, {"kty": "OKP", "crv": "X25519", "x": "A" * 43},
        {"kty": "OKP", "crv": "Ed25519", "x": "A" * 42}, {"kty": "OKP", "crv": "Ed25519", "x": "A" * 43 + "="},
        {"kty": "OKP", "crv": "Ed25519", "x": "A" * 42 + "B"}, {"kty": "OKP", "crv": "Ed25519", "x": "A" * 43, "d": "A" * 43},
    ],
    ids=["nothing", "empty", "a number", "another curve", "short", "padded", "not the only form", "private"],
)  # fmt: skip
def test_what_is_no_public_key_is_refused(jwk: Any) -> None:
    with pytest.raises(ValueError):
        wire.public_bytes(jwk)


def test_the_device_of_the_tests_walks_the_key_sets() -> None:
    sets = [document["jws"] for document in VECTORS["documents"] if document["what"] == "keys"]
    assert {key["kid"] for key in device_client.walked(sets)} == set(TRUSTED)


def test_openssl_verifies_every_signature(tmp_path: Path) -> None:
    """A third reader, which shares no code with us (`cryptography` brings its own copy)."""
    openssl = shutil.which("openssl")
    assert openssl, "openssl is missing: install it"

    def holds(jwk: dict[str, str], message: bytes, signature: bytes) -> bool:
        key, text, sign = tmp_path / "key.der", tmp_path / "text", tmp_path / "sign"
        key.write_bytes(DER["Ed25519"] + device_client.unurl(jwk["x"]))
        text.write_bytes(message)
        sign.write_bytes(signature)
        done = subprocess.run(
            [openssl, "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", key, "-rawin", "-in", text, "-sigfile", sign],
            capture_output=True, check=False,
        )  # fmt: skip
        return done.returncode == 0

    def mac(key: str, message: bytes) -> bytes:
        done = subprocess.run(
            [openssl, "dgst", "-sha256", "-mac", "HMAC", "-macopt", f"hexkey:{key}", "-binary"],
            input=message, capture_output=True, check=True,
        )  # fmt: skip
        return done.stdout

    for asked in VECTORS["requests"]:
        signature = base64.b64decode(asked["headers"]["Signature"][len("daicho=:") : -1])
        if asked["key"] == "device":
            assert holds(KEYS["device"]["jwk"], asked["base"].encode(), signature)
        else:
            name = "register" if asked["what"] == "authorize" else "renew-certificate"
            assert hmac.compare_digest(mac(VECTORS["agreements"][name]["mac_key"], asked["base"].encode()), signature)
    for document in VECTORS["documents"]:
        signed, _, signature = document["jws"].rpartition(".")
        assert holds(KEYS[document["key"]]["jwk"], signed.encode(), device_client.unurl(signature))
    proof = device_client.unurl(VECTORS["next_key"]["proof"])
    assert holds(KEYS["next_device"]["jwk"], VECTORS["next_key"]["message"].encode(), proof)
    for name, agreed in VECTORS["agreements"].items():
        done = subprocess.run(
            [openssl, "kdf", "-keylen", "32", "-kdfopt", "digest:SHA256", "-kdfopt", f"hexkey:{agreed['shared']}",
             "-kdfopt", f"hexsalt:{agreed['salt']}", "-kdfopt", f"info:{agreed['info']}", "-binary", "HKDF"],
            capture_output=True, check=True,
        )  # fmt: skip
        assert done.stdout.hex() == agreed["mac_key"], name
