"""Who really asks, when reverse proxies stand in front."""

from __future__ import annotations

import ipaddress
from typing import Any

type Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def client_behind(peer: str, forwarded_for: str, trusted: Any) -> str:
    """The client's address. `trusted`: networks of proxies whose X-Forwarded-For is believed.

    It is read from its end; the first address that is no trusted proxy is the client. Whatever stands left of it was
    written by the client and is worth nothing.
    """
    for hop in reversed(forwarded_for.split(",")):
        if not is_trusted(peer, trusted) or (address := _address(hop.strip())) is None:
            break
        peer = str(address)
    return peer


def is_trusted(peer: str, trusted: Any) -> bool:
    """Whether the peer is one of these proxies."""
    return (address := _address(peer)) is not None and any(address in network for network in trusted)


def _address(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
