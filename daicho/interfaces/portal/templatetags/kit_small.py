"""Icon, button, state, numbers, dates, tags, copy."""

from __future__ import annotations

import datetime as dt
import functools
from typing import Any

from django import template
from django.template import Context
from django.templatetags.static import static
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from daicho.interfaces.portal import components, words
from daicho.interfaces.portal.markup import format_html, format_html_join
from daicho.interfaces.portal.templatetags.kit_base import part, stable_id

register = template.Library()

BUTTONS = {
    "primary": "btn btn-primary",
    "secondary": "btn",
    "quiet": "btn btn-quiet",
    "danger": "btn btn-danger",
}


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """An icon of the sprite; hidden from assistive technology unless it carries a `label`."""
    if name not in components.ICONS:
        raise template.TemplateSyntaxError(f"there is no icon {name!r} in the sprite")
    if label:
        return format_html('<svg class="ico" role="img" aria-label="{}"><use href="{}"/></svg>', label, _place(name))
    return _quiet(name)


def _place(name: str) -> str:
    return f"{static('vendor/icons.svg')}#{name}"


@functools.cache
def _quiet(name: str) -> SafeString:
    return format_html('<svg class="ico" aria-hidden="true"><use href="{}"/></svg>', _place(name))


def _attributes(values: dict[str, Any]) -> SafeString:
    """`name="value"` for each value that is neither empty nor false; underscores become hyphens."""
    return format_html_join(
        "",
        ' {}="{}"',
        [(name.rstrip("_").replace("_", "-"), "" if value is True else value) for name, value in values.items() if value or (value == 0 and value is not False)],
    )  # fmt: skip


@register.simple_tag(takes_context=True)
def button(
    context: Context,
    label: Any,
    kind: str = "secondary",
    *,
    icon: str = "",
    href: str = "",
    type: str = "submit",
    dialog: str = "",
    popover: str = "",
    unavailable: Any = "",
    busy: bool = False,
    small: bool = False,
    hide_label: bool = False,
    post: str = "",
    **attributes: Any,
) -> SafeString:
    """A button, or a link that looks like one; `unavailable` is the reason it cannot be pressed, and is shown."""
    css = BUTTONS[kind] + (" btn-sm" if small else "") + (" btn-only-icon" if hide_label else "")
    face = format_html(
        "{}<span{}>{}</span>", _icon(icon) if icon else "", mark_safe(' class="sr-only"') if hide_label else "", label
    )
    tooltip = {"title": label} if hide_label else {}
    if unavailable:
        reason = stable_id("reason", label, unavailable, href, attributes.get("id", ""))
        return format_html(
            '<span class="unavailable"><button type="button" class="{}" aria-disabled="true" aria-describedby="{}"{}>{}</button>'
            '<span class="hint" id="{}">{}</span></span>',
            css, reason, _attributes({**tooltip, **attributes}), face, reason, unavailable,
        )  # fmt: skip
    if href:
        return format_html('<a class="{}" href="{}"{}>{}</a>', css, href, _attributes({**tooltip, **attributes}), face)
    if dialog:
        attributes |= {"command": "show-modal", "commandfor": dialog}
    if popover:
        attributes |= {"popovertarget": popover}
    if dialog or popover:
        type = "button"
    if busy:
        attributes |= {"aria_busy": "true"}
    html = format_html(
        '<button type="{}" class="{}"{}>{}</button>', type, css, _attributes({**tooltip, **attributes}), face
    )
    if post:
        return format_html(
            '<form class="inline" method="post" action="{}">{}{}</form>', post, part(context, "token"), html
        )
    return html


_icon = icon


@register.simple_tag
def state(code: Any, number: int | None = None, text: Any = "") -> SafeString:
    """A state: tint, icon and word, with its number or in its own words."""
    if isinstance(code, components.State):
        code, number, text = code.code, code.number, code.text
    if isinstance(code, tuple):
        code, number = code
    if not code:
        return mark_safe(words.NOTHING)
    look = words.state_look(str(code))
    return format_html(
        '<span class="state state-{}" data-code="{}">{}<span>{}</span></span>',
        look.tint, code, icon(look.icon), words.state_text(str(code), number, text),
    )  # fmt: skip


@register.simple_tag(name="num")
@register.filter(name="num")
def num(value: Any) -> str:
    return words.num(value)


@register.simple_tag(name="balance")
def balance(value: int | None) -> SafeString:
    """A signed balance; negative ones are bold as well as red."""
    css = "balance-short" if value is not None and value < 0 else "balance"
    return format_html('<span class="{}">{}</span>', css, words.balance(value))


@register.filter(name="balance")
def balance_text(value: int | None) -> str:
    return words.balance(value)


def _time(value: dt.date | dt.datetime | None, text: str) -> SafeString:
    if value is None or value.year >= 9999:
        return conditional_escape(text)
    return format_html('<time datetime="{}">{}</time>', value.isoformat(), text)


@register.simple_tag(name="date")
def date(value: dt.date | dt.datetime | None) -> SafeString:
    return _time(value, words.date(value))


@register.filter(name="date_text")
def date_text(value: dt.date | dt.datetime | None) -> str:
    return words.date(value)


@register.simple_tag(name="datetime")
def datetime(value: dt.datetime | None, zone: bool = False) -> SafeString:
    return _time(value, words.datetime(value, zone=zone))


@register.filter(name="datetime_text")
def datetime_text(value: dt.datetime | None) -> str:
    return words.datetime(value)


@register.simple_tag
def ago(value: dt.date | dt.datetime | None, day: bool = False) -> SafeString:
    """The date, and how far it is from now: days for a date (or with `day`), minutes and hours for an instant."""
    if value is None or value.year >= 9999:
        return conditional_escape(words.date(value))
    if isinstance(value, dt.datetime) and not day:
        text, relative = words.datetime(value), words.past_text(value)
    else:
        text, relative = words.date(value), words.days_text(value)
    return format_html('{} <span class="ago">{}</span>', _time(value, text), relative)


@register.simple_tag
def tag_list(tags: Any) -> SafeString:
    if not tags:
        return mark_safe(words.NOTHING)
    return format_html(
        '<ul class="tags">{}</ul>', format_html_join("", '<li class="label-tag">{}</li>', [(str(tag),) for tag in tags])
    )


@register.simple_tag(takes_context=True)
def copy(context: Context, text: str, label: Any = "") -> SafeString:
    """A button that copies `text`; the text itself stands elsewhere and can be selected anyway."""
    return format_html(
        '<button type="button" class="btn btn-sm btn-quiet needs-script" data-copy="{}">{}<span>{}</span></button>',
        text, icon("copy"), label or _("Copy"),
    )  # fmt: skip


@register.simple_tag(takes_context=True)
def code_block(context: Context, text: str, label: Any = "", qr: bool | str = False) -> SafeString:
    """A code in mono type with a copy button, and as a QR code for devices without network. `qr`: what that carries, if
    not the text as it is."""
    carried = qr if isinstance(qr, str) else text
    return part(context, "code_block", text=text, label=label, qr=_qr(carried, str(label) or text) if qr else "")


@register.simple_tag(takes_context=True)
def copy_card(context: Context, lines: Any, title: Any = "") -> SafeString:
    """A card of labelled lines with one button that copies all of it."""
    lines = [(str(label), str(value)) for label, value in lines]
    text = "\n".join(f"{label}: {value}" for label, value in lines)
    return part(context, "copy_card", lines=lines, title=title, text=text)


def _qr(text: str, label: str) -> SafeString:
    import qrcode

    code = qrcode.QRCode(border=4, error_correction=qrcode.constants.ERROR_CORRECT_M)
    code.add_data(text)
    code.make(fit=True)
    rows = code.get_matrix()
    size = len(rows)
    path = "".join(f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, dark in enumerate(row) if dark)
    return format_html(
        '<svg class="qr" role="img" aria-label="{}" viewBox="0 0 {} {}"><path class="qr-paper" d="M0 0h{}v{}H0z"/><path d="{}"/></svg>',
        _("QR code of %(what)s") % {"what": label or text}, size, size, size, size, path,
    )  # fmt: skip


@register.filter
def join_lines(lines: Any) -> str:
    return "\n".join(str(line) for line in lines)


BROWSERS = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
SYSTEMS = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("Mac OS", "macOS"), ("Linux", "Linux"),
)  # fmt: skip


@register.filter
def browser(agent: str) -> str:
    """What a User-Agent header means to a person: browser and system; the header itself when neither is known."""
    found = [name for sign, name in BROWSERS if sign in agent][:1] + [name for sign, name in SYSTEMS if sign in agent][
        :1
    ]
    return ", ".join(found) or agent[:60]
