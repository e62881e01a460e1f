"""The agent makes and reads the bytes that docs/device-protocol.md promises: tests/vectors/device-protocol.json."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from daicho_agent import keys
from daicho_agent.documents import KeyChain
from daicho_agent.errors import UntrustedError
from daicho_agent.signing import Signer, content_digest, parameters, signature_base, signed_headers

VECTORS = json.loads((Path(__file__).parents[3] / "tests" / "vectors" / "device-protocol.json").read_text())
KEYS = VECTORS["keys"]
UID = VECTORS["uid"]
SETS = [one["jws"] for one in VECTORS["documents"] if one["what"] == "keys"]
OTHERS = [one for one in VECTORS["documents"] if one["what"] != "keys"]


def raw(hexadecimal: str) -> str:
    return keys.encode(bytes.fromhex(hexadecimal))


def chain() -> KeyChain:
    return KeyChain(KEYS["server_1"]["thumbprint"], SETS)


@pytest.mark.parametrize("name", KEYS)
def test_a_key_has_this_public_half_and_thumbprint(name: str) -> None:
    jwk = keys.public_jwk(raw(KEYS[name]["private"]))
    assert jwk == KEYS[name]["jwk"]
    assert keys.thumbprint(jwk) == KEYS[name]["thumbprint"]


@pytest.mark.parametrize(
    ("what", "ours", "theirs"), [("register", "", ""), ("renew-certificate", "_renewal", "_renewal")]
)
def test_both_sides_agree_on_this_mac_key(what: str, ours: str, theirs: str) -> None:
    agreed = VECTORS["agreements"][what]
    one_time = VECTORS["one_time_keys"]
    mac_key = keys.agreed_mac_key(
        raw(one_time[f"device{ours}"]["private"]),
        one_time[f"server{theirs}"]["jwk"],
        agreed["request_id"],
        UID,
        agreed["generation"],
    )
    assert keys.decode(mac_key).hex() == agreed["mac_key"]


@pytest.mark.parametrize("request_", VECTORS["requests"], ids=lambda one: one["what"])
def test_a_request_is_signed_with_these_bytes(request_: dict) -> None:
    headers, body = request_["headers"], request_["body"].encode()
    created = int(headers["Signature-Input"].partition("created=")[2].partition(";")[0])
    if request_["key"] == "device":
        signer = Signer.device(raw(KEYS["device"]["private"]))
    else:
        generation = int(headers["Signature-Input"].partition(f'keyid="{UID}.')[2].partition('"')[0])
        agreed = next(one for one in VECTORS["agreements"].values() if one["generation"] == generation)
        signer = Signer.agreed(UID, generation, raw(agreed["mac_key"]))
    signed = parameters(signer, created, request_["request_id"])
    assert signature_base(request_["path"], content_digest(body), signed).decode() == request_["base"]
    made = signed_headers(request_["path"], body, signer, created=created, request_id=request_["request_id"])
    assert made == {name: value for name, value in headers.items() if name != "Content-Type"}


def test_the_next_key_is_proven_with_these_bytes() -> None:
    message = VECTORS["next_key"]["message"].encode()
    proof = keys.signing_key(raw(KEYS["next_device"]["private"])).sign(message)
    assert keys.encode(proof) == VECTORS["next_key"]["proof"]


@pytest.mark.parametrize("document", OTHERS, ids=lambda one: one["what"])
def test_a_document_is_read_by_the_chain_of_key_sets(document: dict) -> None:
    typ = f"daicho-{document['what']}+jws"
    assert chain().open(document["jws"], typ, fresh=True) == document["payload"]


@pytest.mark.parametrize("document", VECTORS["refused"]["documents"], ids=lambda one: one["why"])
def test_a_document_is_refused(document: dict) -> None:
    # Only version 1 is held: the second server key is not trusted yet.
    with pytest.raises(UntrustedError):
        KeyChain(KEYS["server_1"]["thumbprint"], SETS[:1]).open(document["jws"], "daicho-certificate+jws", fresh=True)
