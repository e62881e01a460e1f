"""Runs in the peer's own environment: its tables, something to sell, an issuer's key and a token. Answers in JSON.

`python peer_setup.py DIRECTORY ISSUER KINDS`: sold kinds have 10^9 seats, the last one has 100.
"""

from __future__ import annotations

import json
import sys
import time


def main(issuer: str, kinds: int) -> dict[str, object]:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa
    from jose import jwk, jwt
    from lm_api.api.models.booking import Booking  # noqa: F401  every model must be known to the metadata
    from lm_api.api.models.cluster_status import ClusterStatus  # noqa: F401
    from lm_api.api.models.configuration import Configuration
    from lm_api.api.models.crud_base import Base
    from lm_api.api.models.feature import Feature
    from lm_api.api.models.job import Job
    from lm_api.api.models.license_server import LicenseServer  # noqa: F401
    from lm_api.api.models.product import Product
    from lm_api.database import engine_factory

    Base.metadata.create_all(engine_factory.get_engine(asynchronous=False))
    with engine_factory.get_session(asynchronous=False) as session:
        product = Product(name="bench")
        configuration = Configuration(name="bench", cluster_client_id="bench", grace_time=60, type="flexlm")
        session.add_all([product, configuration])
        session.flush()
        features = [
            Feature(name=f"f{number}", product_id=product.id, config_id=configuration.id, used=0, reserved=0,
                    total=1_000_000_000 if number else 100)
            for number in range(kinds + 1)
        ]  # fmt: skip
        jobs = [
            Job(slurm_job_id=str(number), cluster_client_id="bench", username="bench", lead_host="bench")
            for number in range(64)
        ]
        session.add_all([*features, *jobs])
        session.commit()
        ids = {"scarce": features[0].id, "features": [one.id for one in features[1:]], "jobs": [one.id for one in jobs]}
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    parts = jwk.construct(public, "RS256").to_dict()
    known = {name: value.decode() if isinstance(value, bytes) else value for name, value in parts.items()}
    claims = {
        "iss": issuer, "sub": "bench", "azp": "bench", "permissions": ["license-manager:admin"],
        "iat": int(time.time()), "exp": int(time.time()) + 3600,
    }  # fmt: skip
    token = jwt.encode(claims, private, algorithm="RS256", headers={"kid": "bench"})
    return ids | {"token": token, "keys": {"keys": [known | {"kid": "bench", "use": "sig", "alg": "RS256"}]}}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], int(sys.argv[2]))))
