"""Filters and tags of the mail texts; loaded in every template by itself (docs/mail.md)."""

from __future__ import annotations

from typing import Any

from django.template import Library

from daicho.interfaces.mail import words

register = Library()
register.filter("date", words.date)
register.filter("day", words.day)
register.filter("moment", words.moment)
register.filter("num", words.number)
register.filter("signed", words.signed)
register.filter("person", words.person)
register.filter("company", words.company)


@register.simple_tag
def columns(rows: Any, *heads: str) -> str:
    """{% columns rows "期限=end_on:date" "数量=quantity:num" %}"""
    return words.columns(rows, heads)
