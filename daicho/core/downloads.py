"""How a file that people brought is handed out again: saved, never shown or run by the browser."""

from __future__ import annotations

from urllib.parse import quote


def headers(name: str, size: int) -> dict[str, str]:
    """Headers of an answer that browsers save under this name, in whatever script it is written (RFC 6266)."""
    plain = "".join(sign if sign.isascii() and sign.isprintable() and sign not in '"\\' else "_" for sign in name)
    return {
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}",
        "Content-Length": str(size),
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "private, no-store",
    }
