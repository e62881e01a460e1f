"""Django's `format_html`, quicker: a page of fifty rows escapes several thousand words.

Django's own goes through a wrapper for lazy texts at each word. The rule is the same: what carries `__html__` is markup,
everything else is text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from django.utils.functional import Promise
from django.utils.safestring import SafeString

__all__ = ["escaped", "format_html", "format_html_join"]


def escaped(value: Any) -> str:
    """Text as markup."""
    if value.__class__ is SafeString:
        return str(value)
    if value.__class__ is str:
        return escape(value)
    if isinstance(value, Promise):
        value = str(value)
    if hasattr(value, "__html__"):
        return str(value.__html__())
    return escape(str(value))


def format_html(pattern: str, *values: Any) -> SafeString:
    """The pattern with each `{}` replaced by a value, escaped."""
    return SafeString(pattern.format(*map(escaped, values)))


def format_html_join(separator: str, pattern: str, rows: Iterable[Sequence[Any]]) -> SafeString:
    """The pattern filled once for each row."""
    return SafeString(separator.join(pattern.format(*map(escaped, row)) for row in rows))
