"""The bigger parts: page head, tabs, menu, banner, empty, dialog, steps, facts, check and result, timeline, job, tree."""

from __future__ import annotations

import difflib
import json
from typing import Any

from django import template
from django.conf import settings
from django.template import Context
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from daicho.core import clock, tracing
from daicho.interfaces.portal import components, words
from daicho.interfaces.portal.markup import format_html, format_html_join
from daicho.interfaces.portal.templatetags import kit_small
from daicho.interfaces.portal.templatetags.kit_base import part, stable_id
from daicho.interfaces.portal.templatetags.kit_small import icon

register = template.Library()


@register.simple_block_tag(takes_context=True)
def page_head(
    context: Context,
    content: str,
    title: Any,
    crumbs: Any = None,
    state: Any = "",
    number: int | None = None,
    state_text: Any = "",
    facts: Any = "",
    menu: Any = None,
) -> SafeString:
    """Breadcrumb, `h1` with its state, one primary button, the other acts, one line of facts."""
    if state and not isinstance(state, components.State):
        state = components.State(str(state), number, state_text)
    context.render_context["kit_title"] = title
    return part(context, "page_head", content=content, title=title, crumbs=crumbs, state=state, facts=facts, menu=menu)


@register.simple_tag(takes_context=True)
def tabs(context: Context, items: Any, label: Any = "") -> SafeString:
    return part(context, "tabs", items=items, label=label or _("Views"))


@register.simple_tag(takes_context=True)
def breadcrumb(context: Context, crumbs: Any) -> SafeString:
    return part(context, "breadcrumb", crumbs=crumbs)


@register.simple_tag(takes_context=True)
def menu_item(context: Context, item: components.MenuItem) -> SafeString:
    """One act of a menu. Written in Python: a list of 200 rows draws several hundred of them."""
    face = format_html("{}<span>{}</span>", icon(item.icon) if item.icon else "", item.label)
    css = SafeString(' class="danger"') if item.danger else ""
    if item.unavailable:
        why = format_html('{}<br><span class="small">{}</span>', item.label, item.unavailable)
        mark = icon(item.icon) if item.icon else ""
        return format_html('<span class="menu-off" aria-disabled="true">{}<span>{}</span></span>', mark, why)
    if item.post:
        token = part(context, "token")
        return format_html(
            '<form method="post" action="{}">{}<button type="submit"{}>{}</button></form>', item.url, token, css, face
        )
    if item.dialog:
        return format_html(
            '<button type="button" command="show-modal" commandfor="{}"{}>{}</button>', item.dialog, css, face
        )
    return format_html('<a href="{}"{}>{}</a>', item.url, css, face)


@register.simple_tag(takes_context=True)
def menu(
    context: Context, label: Any, items: Any, icon: str = "", small: bool = False, hide_label: bool = False
) -> SafeString:
    """A button and a list of links and buttons in a popover."""
    items = [item for item in items or () if item]
    if not items:
        return SafeString("")
    key = stable_id("menu", label, *(f"{item.label}{item.url}{item.dialog}" for item in items))
    css = "btn" + " btn-sm btn-quiet" * small + " btn-only-icon" * hide_label
    face = format_html(
        "{}<span{}>{}</span>{}",
        kit_small.icon(icon) if icon else "", SafeString(' class="sr-only"') if hide_label else "", label,
        "" if hide_label else kit_small.icon("chevron-down"),
    )  # fmt: skip
    return format_html(
        '<button type="button" class="{}" popovertarget="{}"{}>{}</button><div id="{}" class="menu" popover><ul>{}</ul></div>',
        css, key, format_html(' title="{}"', label) if hide_label else "", face, key,
        format_html_join("", "<li>{}</li>", ((menu_item(context, item),) for item in items)),
    )  # fmt: skip


@register.simple_tag(takes_context=True)
def banner(
    context: Context, kind: str, text: Any, url: str = "", label: Any = "", dismissible: bool = False
) -> SafeString:
    return part(context, "banner", banner=components.Banner(kind, text, url, label, dismissible))


@register.simple_tag(takes_context=True)
def announce(context: Context, text: Any) -> SafeString:
    """One sentence into the live region, out of band of an htmx answer."""
    return format_html('<div id="flash" class="sr-only" role="status" hx-swap-oob="innerHTML">{}</div>', text)


@register.simple_tag(takes_context=True)
def told(context: Context) -> SafeString:
    """The results that `components.tell` left for this page."""
    told_ = []
    for message in context.get("messages") or ():
        try:
            extra = json.loads(message.extra_tags)
        except (TypeError, ValueError):
            extra = {}
        kind = extra.get("kind") or {"success": "done", "warning": "caution", "error": "error"}.get(
            message.level_tag, "info"
        )
        told_.append({"text": message.message, "kind": kind, "icon": components.BANNER_KINDS[kind], "extra": extra})
    return part(context, "told", told=told_) if told_ else SafeString("")


EMPTY_ICONS = {"nothing_yet": "info-circle", "nothing_matches": "filter", "nothing_wrong": "circle-check"}


@register.simple_block_tag(takes_context=True)
def empty(
    context: Context, content: str, kind: str, title: Any = "", text: Any = "", clear_url: str = ""
) -> SafeString:
    """Nothing to show, in one of three kinds with different words."""
    if kind == "nothing_matches":
        title = title or _("Nothing matches these conditions")
    return part(
        context,
        "empty",
        content=content,
        kind=kind,
        title=title,
        text=text,
        clear_url=clear_url,
        icon=EMPTY_ICONS[kind],
    )


@register.simple_tag(takes_context=True)
def forbidden(context: Context, text: Any) -> SafeString:
    """Who can do what this reader's role lacks."""
    return part(context, "forbidden", text=text)


@register.simple_block_tag(takes_context=True)
def dialog(
    context: Context,
    content: str,
    id: str,
    title: Any,
    action: str = "",
    button: Any = "",
    danger: bool = False,
    cancel: Any = "",
    method: str = "post",
) -> SafeString:
    """A modal question: what is affected, and a button that names the act. Focus begins on the harmless button."""
    return part(
        context, "dialog",
        content=content, id=id, title=title, action=action, button=button, danger=danger, cancel=cancel or _("Cancel"),
        method=method,
    )  # fmt: skip


@register.simple_tag(takes_context=True)
def steps(context: Context, items: Any, name: Any = "") -> SafeString:
    """Where one stands in a wizard, as a list and in words (2/5)."""
    items = list(items)
    at = next((i for i, step in enumerate(items, 1) if step.state == "current"), len(items))
    return part(context, "steps", items=items, name=name, at=at, total=len(items))


def _facts(facts: Any) -> list[components.Fact]:
    return [fact if isinstance(fact, components.Fact) else components.Fact(*fact) for fact in facts or ()]


@register.simple_tag(takes_context=True)
def facts(context: Context, facts: Any, columns: int = 1) -> SafeString:
    return part(context, "facts", facts=_facts(facts), columns=columns)


@register.simple_tag(takes_context=True)
def check_section(context: Context, title: Any, facts: Any, change: str = "") -> SafeString:
    """A section of a check page: what was entered, and the link to change it."""
    return part(context, "check_section", title=title, facts=_facts(facts), change=change, id=stable_id("check", title))


@register.simple_tag(takes_context=True)
def effects(context: Context, effects: Any, caption: Any = "") -> SafeString:
    """What an act changes, before → after per pool."""
    return part(context, "effects", effects=list(effects), caption=caption or _("What changes"))


@register.simple_block_tag(takes_context=True)
def result(context: Context, content: str, title: Any, number: Any = "", text: Any = "") -> SafeString:
    """The page after an act: what was done, its number, the next acts."""
    return part(context, "result", content=content, title=title, number=number, text=text)


@register.simple_tag(takes_context=True)
def figure(context: Context, label: Any, value: Any, unit: Any = "", url: str = "", state: str = "") -> SafeString:
    """One of the four numbers of a home page; coloured only when its state is not calm."""
    shown = words.num(value) if isinstance(value, int) else value
    return part(
        context, "figure", label=label, value=shown, unit=unit, url=url, tint=state and words.state_look(state).tint
    )


@register.simple_tag(takes_context=True)
def timeline(context: Context, events: Any, more: str = "") -> SafeString:
    return part(context, "timeline", events=list(events), more=more)


@register.simple_tag(takes_context=True)
def diff(context: Context, old: str, new: str) -> SafeString:
    """What a new text adds and removes, line by line, in words too."""
    signs = {"+ ": "added", "- ": "removed", "  ": "same"}
    lines = [
        {"kind": signs[line[:2]], "text": line[2:]}
        for line in difflib.ndiff(old.splitlines(), new.splitlines())
        if line[:2] in signs
    ]
    return part(context, "diff", lines=lines)


@register.simple_tag(takes_context=True)
def progress(context: Context, done: int, total: int | None, failed: int = 0, label: Any = "") -> SafeString:
    """`total` None: it is not known yet, and the bar moves without an end."""
    one, many = (
        ("%(done)s row", "%(done)s rows")
        if total is None
        else ("%(done)s of %(total)s row", "%(done)s of %(total)s rows")
    )
    text = ngettext(one, many, done if total is None else total) % {"done": words.num(done), "total": words.num(total)}
    return part(context, "progress", done=done, total=total, failed=failed, text=text, label=label or _("Progress"))


@register.simple_tag(takes_context=True)
def job(context: Context, job: Any, poll: str = "", id: str = "job") -> SafeString:
    """A background job: polls every two seconds while it runs, and is announced when it ends."""
    return part(context, "job", job=job, poll=poll, id=id)


@register.simple_tag(takes_context=True)
def tree(context: Context, nodes: Any, label: Any) -> SafeString:
    return part(context, "tree", nodes=nodes, label=label)


@register.simple_tag(takes_context=True)
def print_head(context: Context, title: Any, scope: Any = "") -> SafeString:
    """What a printed page carries: account, scope, time, the printer's name."""
    return part(context, "print_head", title=title, scope=scope, at=clock.now())


@register.simple_tag(takes_context=True)
def stamp_box(context: Context) -> SafeString:
    """Boxes for stamps: 作成・確認・承認."""
    return part(context, "stamp_box", stamps=(_("Prepared"), _("Checked"), _("Approved by")))


@register.simple_tag(takes_context=True)
def loading(context: Context) -> SafeString:
    return part(context, "loading")


@register.simple_tag(takes_context=True)
def theme(context: Context) -> str:
    """light or dark as the user chose; empty when the system decides."""
    chosen = getattr(context.get("user"), "theme", "")
    return chosen if chosen in ("light", "dark") else ""


@register.simple_tag(takes_context=True)
def languages(context: Context) -> list[tuple[str, str]]:
    return list(settings.LANGUAGES)


@register.filter
def as_list(value: Any) -> list[Any]:
    """One thing as a list of one; a list as it is."""
    return value if isinstance(value, list) else [value] if value else []


@register.simple_tag
def request_code() -> str:
    """The number a person reads to the support desk: the first characters of the request's id in the log."""
    return tracing.request_id.get()[:8].upper()


@register.simple_tag
def now_text() -> SafeString:
    return SafeString(words.datetime(clock.now(), zone=True))


@register.simple_tag(takes_context=True)
def back_url(context: Context) -> str:
    """Where the reader came from, when that was here; the home page otherwise."""
    request = context.get("request")
    came = request.headers.get("Referer", "") if request is not None else ""
    if request is not None and url_has_allowed_host_and_scheme(
        came, {request.get_host()}, require_https=request.is_secure()
    ):
        return str(came)
    return "/"
