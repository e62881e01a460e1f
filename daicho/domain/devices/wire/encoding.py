"""Base64 in the two alphabets of the protocol, read strictly: one text for one sequence of bytes."""

from __future__ import annotations

import base64
import binascii


def to_url(content: bytes) -> str:
    """Base64url without padding (RFC 7515, section 2)."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def from_url(text: str) -> bytes:
    """The bytes of base64url without padding. Raises ValueError for any other writing of them."""
    try:
        content = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError("not base64url") from error
    if to_url(content) != text:
        raise ValueError("not base64url in its only form")
    return content
