"""Secrets at rest: sealed with a key that stands in the settings, not in the database, so that a copied table opens nothing."""

from __future__ import annotations

import functools
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

NONCE_BYTES = 12


class SealBrokenError(ValueError):
    """A sealed secret does not open: it was altered, or the installation's secret key is another one."""


def seal(purpose: str, secret: bytes) -> bytes:
    """The secret encrypted and authenticated (AES-256-GCM), to be opened only for the same purpose."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + _cipher(settings.SECRET_KEY, purpose).encrypt(nonce, secret, purpose.encode())


def unseal(purpose: str, sealed: bytes) -> bytes:
    """What was sealed, with the present secret key or a former one (SECRET_KEY_FALLBACKS). Raises SealBrokenError."""
    nonce, content = bytes(sealed[:NONCE_BYTES]), bytes(sealed[NONCE_BYTES:])
    for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        try:
            return _cipher(key, purpose).decrypt(nonce, content, purpose.encode())
        except (InvalidTag, ValueError):
            continue
    raise SealBrokenError(purpose)


@functools.lru_cache(maxsize=16)
def _cipher(key: str, purpose: str) -> AESGCM:
    return AESGCM(HKDF(SHA256(), 32, salt=None, info=f"daicho sealing: {purpose}".encode()).derive(key.encode()))
