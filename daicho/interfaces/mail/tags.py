"""Filters and tags of the mail texts; loaded in every template by itself (docs/mail.md)."""

from __future__ import annotations

from typing import Any

from django.template import Library

from daicho.domain.access.rules import Role
from daicho.interfaces.mail import alert_words, words

register = Library()
register.filter("date", words.date)
register.filter("day", words.day)
register.filter("moment", words.moment)
register.filter("num", words.number)
register.filter("signed", words.signed)
register.filter("person", words.person)
register.filter("company", words.company)
register.filter("alert", alert_words.sentence)


@register.filter
def role(code: str) -> str:
    """The role's name in the recipient's language."""
    return str(Role(code).label)


@register.filter
def listed(values: list[Any], between: str) -> str:
    """90・30・7 (Django's `join` takes texts only)."""
    return between.join(map(str, values))


@register.simple_tag
def columns(rows: Any, *heads: str) -> str:
    """{% columns rows "期限=end_on:date" "数量=quantity:num" %}"""
    return words.columns(rows, heads)
