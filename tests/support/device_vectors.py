"""The test vectors of the device protocol: `python -m tests.support.device_vectors` writes tests/vectors/device-protocol.json.

Fixed keys, times and ids; everything else follows from them, so the file comes out the same each time.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from tests.support import device_client as device

FILE = Path(__file__).parent.parent / "vectors" / "device-protocol.json"
AT = 1_798_761_600  # 2027-01-01
ISSUER = "https://licenses.example.co.jp"
UID = "0123456789abc"
TAG = "regid.2026-01.jp.example.ROUTE-ADV,1.0_3c5f5b0a-0000-4000-8000-000000000001"
DAY = 86_400


def main() -> None:
    FILE.write_text(json.dumps(vectors(), ensure_ascii=False, indent=1) + "\n")


def vectors() -> dict[str, Any]:
    private = {
        "device": seed("device key"), "next_device": seed("next device key"),
        "server_1": seed("server key 1"), "server_2": seed("server key 2"),
    }  # fmt: skip
    once = {
        "device": seed("device one-time"), "server": seed("server one-time"),
        "device_renewal": seed("device one-time 2"), "server_renewal": seed("server one-time 2"),
    }  # fmt: skip
    signing = {name: Ed25519PrivateKey.from_private_bytes(secret) for name, secret in private.items()}
    agreeing = {name: X25519PrivateKey.from_private_bytes(secret) for name, secret in once.items()}
    ids = {name: request_id(name) for name in ("register", "authorize", "renew-certificate", "deregister")}
    first = agreed(agreeing["device"], agreeing["server"], ids["register"], 1)
    second = agreed(agreeing["device_renewal"], agreeing["server_renewal"], ids["renew-certificate"], 2)
    requests = signed_requests(
        signing, agreeing, ids, bytes.fromhex(first["mac_key"]), bytes.fromhex(second["mac_key"])
    )
    documents = signed_documents(signing, agreeing, ids)
    return {
        "protocol": "daicho-device/1",
        "issuer": ISSUER,
        "uid": UID,
        "now": AT,
        "keys": {
            name: {
                "private": secret.hex(),
                "jwk": device.jwk(signing[name].public_key().public_bytes_raw()),
                "thumbprint": kid(signing[name]),
            }
            for name, secret in private.items()
        },
        "one_time_keys": {
            name: {
                "private": secret.hex(),
                "jwk": device.jwk(agreeing[name].public_key().public_bytes_raw(), "X25519"),
            }
            for name, secret in once.items()
        },
        "agreements": {"register": first, "renew-certificate": second},
        "next_key": next_key(signing["next_device"], ids["renew-certificate"]),
        "requests": requests,
        "documents": documents,
        "refused": {"requests": refused_requests(requests), "documents": refused_documents(documents)},
    }


def agreed(ours: X25519PrivateKey, theirs: X25519PrivateKey, salt: uuid.UUID, generation: int) -> dict[str, Any]:
    shared = ours.exchange(theirs.public_key())
    return {
        "request_id": str(salt), "salt": salt.bytes.hex(), "info": f"daicho-device-mac/1 {UID} {generation}",
        "generation": generation, "shared": shared.hex(),
        "mac_key": device.derive(shared, salt, UID, generation).hex(),
    }  # fmt: skip


def next_key(private: Ed25519PrivateKey, salt: uuid.UUID) -> dict[str, str]:
    message = f"daicho-next-key/1 {UID} {salt}"
    return {"message": message, "proof": device.url(private.sign(message.encode()))}


def signed_requests(
    signing: dict[str, Ed25519PrivateKey],
    agreeing: dict[str, X25519PrivateKey],
    ids: dict[str, uuid.UUID],
    mac: bytes,
    next_mac: bytes,
) -> list[dict[str, Any]]:
    client = device.Client(private=signing["device"], uid=UID, generation=1, mac=mac, once=agreeing["device"])
    register = {
        "token": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", "public_key": client.jwk,
        "agreement_key": client.agreement_key, "product_id": "EXR-24", "serial": "SN-0001", "name": "大阪 edge 1",
        "software": {"name": "ExampleOS", "version": "17.3"}, "agent": {"name": "daicho-agent", "version": "1.0"},
    }  # fmt: skip
    authorize = {"sequence": 1, "licenses": [{"tag": TAG, "quantity": 2}, {"tag": "EXR-SEC-T", "quantity": 1}]}
    made = [
        ("register", client.by_key("register", register, ids["register"], AT)),
        ("authorize", client.by_mac("authorize", authorize, ids["authorize"], AT + 1)),
    ]
    client.once = agreeing["device_renewal"]
    renew = {
        "sequence": 2, "agreement_key": client.agreement_key,
        "next_public_key": device.jwk(signing["next_device"].public_key().public_bytes_raw()),
        "proof": next_key(signing["next_device"], ids["renew-certificate"])["proof"],
    }  # fmt: skip
    made.append(
        (
            "renew-certificate",
            client.by_key("renew-certificate", renew, ids["renew-certificate"], AT + 180 * DAY),
        )
    )
    client.generation, client.mac = 2, next_mac
    made.append(("deregister", client.by_mac("deregister", {"sequence": 3}, ids["deregister"], AT + 180 * DAY + 1)))
    return [
        {
            "what": what, "key": "device" if what in {"register", "renew-certificate"} else "mac",
            "request_id": str(ids[what]), "path": request.path, "headers": request.headers,
            "body": request.body.decode(), "base": request.base.decode(),
        }
        for what, request in made
    ]  # fmt: skip


def signed_documents(
    signing: dict[str, Ed25519PrivateKey], agreeing: dict[str, X25519PrivateKey], ids: dict[str, uuid.UUID]
) -> list[dict[str, Any]]:
    one, two = signing["server_1"], signing["server_2"]
    own = {"iss": ISSUER, "sub": UID}
    certificate = own | {
        "jti": str(ids["register"]), "iat": AT, "exp": AT + 365 * DAY, "renew_from": AT + 180 * DAY,
        "thumbprint": kid(signing["device"]), "product_id": "EXR-24", "serial": "SN-0001",
        "agreement_key": device.jwk(agreeing["server"].public_key().public_bytes_raw(), "X25519"),
        "mac_generation": 1, "contact_within": 30 * DAY,
    }  # fmt: skip
    authorization = own | {
        "jti": str(ids["authorize"]), "iat": AT + 1, "exp": AT + 1 + 90 * DAY, "sequence": 1,
        "state": "out_of_compliance",
        "licenses": [
            {"tag": TAG, "quantity": 2, "status": "short"},
            {"tag": "EXR-SEC-T", "quantity": 0, "status": "refused", "code": "not_enough_licenses", "missing": 1},
        ],
        "contact_within": DAY // 2, "keys_version": 2,
    }  # fmt: skip
    renewed = certificate | {
        "jti": str(ids["renew-certificate"]), "iat": AT + 180 * DAY, "exp": AT + 545 * DAY,
        "renew_from": AT + 360 * DAY, "thumbprint": kid(signing["next_device"]), "mac_generation": 2,
        "agreement_key": device.jwk(agreeing["server_renewal"].public_key().public_bytes_raw(), "X25519"),
    }  # fmt: skip
    receipt = own | {"jti": str(ids["deregister"]), "iat": AT + 180 * DAY + 1, "sequence": 3, "state": "removed"}
    both = [public_key(one), public_key(two)]
    set_1 = {"iss": ISSUER, "iat": AT - DAY, "version": 1, "keys": both[:1]}
    set_2 = {"iss": ISSUER, "iat": AT + 90 * DAY, "version": 2, "keys": both}
    made = [
        ("keys", "server_1", set_1), ("keys", "server_1", set_2), ("certificate", "server_1", certificate),
        ("authorization", "server_1", authorization), ("certificate", "server_2", renewed),
        ("receipt", "server_2", receipt),
        ("time", "server_1", {"iss": ISSUER, "iat": AT, "jti": str(ids["authorize"])}),
    ]  # fmt: skip
    return [
        {"what": what, "key": by, "payload": payload, "jws": jws(what, payload, signing[by])}
        for what, by, payload in made
    ]


def refused_requests(requests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each one change to the request `authorize`."""
    headers, body = requests[1]["headers"], requests[1]["body"]
    given, signature = headers["Signature-Input"], headers["Signature"]
    first = signature[len("daicho=:")]
    changes: list[tuple[str, str, dict[str, str], str]] = [
        ("another body under the digest", "malformed", {}, body.replace('"quantity":2', '"quantity":9')),
        ("no digest", "malformed", {"Content-Digest": ""}, body),
        ("another label", "malformed", {"Signature-Input": given.replace("daicho=", "other=")}, body),
        ("a component left out", "malformed", {"Signature-Input": given.replace(' "content-digest"', "")}, body),
        ("a parameter more", "malformed", {"Signature-Input": f'{given};tag="x"'}, body),
        ("parameters in another order", "malformed", {"Signature-Input": swapped(given)}, body),
        ("a request id in capitals", "malformed", {"Signature-Input": given.replace(requests[1]["request_id"], requests[1]["request_id"].upper())}, body),
        ("no algorithm of ours", "malformed", {"Signature-Input": given.replace("hmac-sha256", "rsa-v1_5-sha256")}, body),
        ("a signature of another length", "malformed", {"Signature": requests[0]["headers"]["Signature"]}, body),
        ("another time", "bad_signature", {"Signature-Input": given.replace(f"created={AT + 1}", f"created={AT + 2}")}, body),
        ("another signature", "bad_signature", {"Signature": signature.replace(f":{first}", ":" + ("A" if first != "A" else "B"), 1)}, body),
    ]  # fmt: skip
    return [
        {"why": why, "code": code, "path": requests[1]["path"], "headers": headers | changed, "body": content}
        for why, code, changed, content in changes
    ]


def refused_documents(documents: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Each was the certificate, for a device that trusts `server_1`."""
    head, payload, signature = documents[2]["jws"].split(".")
    heads = {
        "no algorithm": {"alg": "none", "kid": json.loads(device.unurl(head))["kid"], "typ": "daicho-certificate+jws"},
        "another algorithm": {"alg": "HS256", "kid": json.loads(device.unurl(head))["kid"], "typ": "daicho-certificate+jws"},
    }  # fmt: skip
    return [
        {"why": "another payload", "jws": f"{head}.{device.url(device.dumps(documents[2]['payload'] | {'sub': 'x'}))}.{signature}"},
        {"why": "no signature", "jws": f"{head}.{payload}."},
        {"why": "another kind of document", "jws": documents[3]["jws"]},
        {"why": "a key that is not trusted", "jws": documents[4]["jws"]},
        *(
            {"why": why, "jws": f"{device.url(device.dumps(changed))}.{payload}.{signature}"}
            for why, changed in heads.items()
        ),
    ]  # fmt: skip


def swapped(given: str) -> str:
    start, created, keyid, *rest = given.split(";")
    return ";".join([start, keyid, created, *rest])


def jws(what: str, payload: dict[str, Any], private: Ed25519PrivateKey) -> str:
    head = device.dumps({"alg": "EdDSA", "kid": kid(private), "typ": f"daicho-{what}+jws"})
    signed = f"{device.url(head)}.{device.url(device.dumps(payload))}"
    return f"{signed}.{device.url(private.sign(signed.encode()))}"


def public_key(private: Ed25519PrivateKey) -> dict[str, str]:
    return device.jwk(private.public_key().public_bytes_raw()) | {"kid": kid(private)}


def kid(private: Ed25519PrivateKey) -> str:
    return device.thumbprint(device.jwk(private.public_key().public_bytes_raw()))


def seed(name: str) -> bytes:
    return hashlib.sha256(f"daicho device protocol vectors: {name}".encode()).digest()


def request_id(name: str) -> uuid.UUID:
    return uuid.uuid5(uuid.NAMESPACE_URL, f"{ISSUER}/vectors/{name}")


if __name__ == "__main__":
    main()
