"""From a mail of the outbox to subject, text and HTML, in the recipient's language and time zone."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.template import Context, Engine
from django.utils import timezone, translation
from django.utils.html import escape

from daicho.interfaces.mail import words

TEMPLATES = Path(__file__).parent / "templates"
LANGUAGES = ("ja", "en")
URL = re.compile(r"https?://[^\s<>「」、。（）]+[^\s<>「」、。（）.,;:!?)]")
BLANK_LINES = re.compile(r"\n{3,}")


@dataclass(frozen=True, slots=True)
class Rendered:
    """A mail ready to go. `text` is what it says; `html` says the same."""

    subject: str
    text: str
    html: str


@functools.cache
def engine() -> Engine:
    """Plain text is not escaped; the HTML twin escapes all of it."""
    builtins = ["django.templatetags.i18n", "daicho.interfaces.mail.tags"]
    return Engine(dirs=[str(TEMPLATES)], autoescape=False, builtins=builtins)


def render(
    template: str, context: Mapping[str, Any], *, to: str, to_name: str, language: str, time_zone: str
) -> Rendered:
    """Raises TemplateDoesNotExist or TemplateSyntaxError for a text that is not there or not sound."""
    language = language if language in LANGUAGES else settings.LANGUAGE_CODE
    with translation.override(language), timezone.override(time_zone):
        known = {
            "site_url": settings.SITE_URL,
            "operator": settings.OPERATOR_NAME,
            "sender": sender_name(),
            "name": to_name or to,
            "email": to,
            "salutation": words.salutation(to_name, to),
            "desk": " / ".join(filter(None, [settings.SUPPORT_MAIL, settings.SUPPORT_PHONE])),
        }
        values = Context({**known, **context}, autoescape=False)
        whole = engine().get_template(f"{template}.{language}.txt").render(values)
        footer = engine().get_template(f"_footer.{language}.txt").render(values)
    head, _, body = whole.partition("\n\n")
    subject = " ".join(head.removeprefix("Subject:").split())
    text = BLANK_LINES.sub("\n\n", f"{body.strip()}\n\n{footer.strip()}\n")
    return Rendered(subject, text, twin(subject, text, language))


def sender_name() -> str:
    """Who writes: the operator and the product."""
    return f"{settings.OPERATOR_NAME} Daicho" if settings.OPERATOR_NAME != "Daicho" else "Daicho"


def twin(subject: str, text: str, language: str) -> str:
    """The same text as HTML without images: links can be pressed, tables keep their columns."""
    parts = []
    for block in re.split(r"\n\n+", text.strip()):
        rows: list[str] = []
        is_table = False
        for line in [*block.split("\n"), None]:
            if line is None or (line.startswith(" ") != is_table and rows):
                parts.append(_table(rows) if is_table else _paragraph(rows))
                rows = []
            if line is not None:
                is_table = line.startswith(" ")
                rows.append(line)
    body = "\n".join(parts)
    return (
        f'<!DOCTYPE html>\n<html lang="{language}"><head><meta charset="utf-8"><title>{escape(subject)}</title></head>\n'
        f'<body style="font-family:sans-serif;line-height:1.6;max-width:44em">\n{body}\n</body></html>\n'
    )


def _paragraph(lines: list[str]) -> str:
    return f"<p>{'<br>'.join(map(_linked, lines))}</p>"


def _table(lines: list[str]) -> str:
    shown = "\n".join(escape(line[1:]) for line in lines)
    return f'<pre style="font-family:monospace;overflow-x:auto">{shown}</pre>'


def _linked(line: str) -> str:
    out, last = [], 0
    for found in URL.finditer(line):
        address = escape(found[0])
        out += [escape(line[last : found.start()]), f'<a href="{address}">{address}</a>']
        last = found.end()
    return "".join([*out, escape(line[last:])])
