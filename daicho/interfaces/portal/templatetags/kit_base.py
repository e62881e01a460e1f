"""What all tags share: rendering a partial with the page's context."""

from __future__ import annotations

import zlib
from typing import Any

from django.template import Context
from django.utils.safestring import SafeString, mark_safe


def part(context: Context, name: str, /, **data: Any) -> SafeString:
    """Render `kit/<name>.html` with `data` and what every part may need: request, user, CSRF token."""
    shared = {
        key: context[key]
        for key in ("request", "csrf_token", "user", "account", "new_request_id", "messages")
        if key in context
    }
    engine = context.template.engine  # type: ignore[union-attr]
    return mark_safe(engine.get_template(f"kit/{name}.html").render(context.new({**shared, **data})))


def stable_id(prefix: str, *things: Any) -> str:
    """An id that is the same in every rendering of the same part."""
    return f"{prefix}-{zlib.crc32(repr([str(thing) for thing in things]).encode()):08x}"
