"""The demonstration's post-box: every mail that would have been sent. It does not exist anywhere else."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import escape, format_html
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy as lazy

from daicho.domain.mailbox.queries import shown_mail, shown_mails
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal.demo_code import operators_code
from daicho.interfaces.portal.lists import Column, Empty, ListPage, ListQuery
from daicho.interfaces.portal.web import Here, public_page

LINK = re.compile(r"https?://[^\s<>「」、。（）]+")


def in_the_demonstration(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """404 unless this installation is a demonstration (DAICHO_DEMO)."""

    @wraps(view)
    def page(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        if not settings.DEMO:
            raise Http404
        return view(request, **kwargs)

    return page


class MailList(ListPage):
    key = "demo-mails"
    title = lazy("Mails of the demonstration")
    text_label = lazy("Filter by recipient")
    exports = False
    default_size = 50
    columns = (
        Column(
            "subject",
            lazy("Subject"),
            value=lambda mail: format_html('<span lang="{}">{}</span>', mail.language, mail.shown["subject"]),
            link=lambda mail: reverse("demo_mails-show", kwargs={"uid": mail.uid}),
        ),
        Column("to", lazy("Recipient"), phone=True),
        Column("sent_at", lazy("Sent"), kind="datetime", phone=True),
    )
    empty = Empty(lazy("No mails yet"), lazy("What Daicho would send appears here within seconds."))

    def fetch(self, q: ListQuery) -> Any:
        return shown_mails(to=q.text, cursor=q.cursor, size=q.size)


@in_the_demonstration
@public_page
def listing(request: HttpRequest, here: Here) -> HttpResponseBase:
    return MailList(request).response(
        {"frame": f"frames/{here.frame}.html", "notice_part": "demo_mails/code.html", "code": operators_code()}
    )


@in_the_demonstration
@public_page
def show(request: HttpRequest, here: Here, uid: str) -> HttpResponseBase:
    mail = shown_mail(uid)
    back = reverse("demo_mails-list")
    context = {
        "mail": mail,
        "subject": mail.shown["subject"],
        "text": linked(mail.shown["text"]),
        "frame": f"frames/{here.frame}.html",
        "crumbs": [kit.Crumb(lazy("Mails of the demonstration"), back), kit.Crumb(mail.shown["subject"])],
    }
    return render(request, "demo_mails/show.html", context)


def linked(text: str) -> str:
    """The plain text, escaped, with links that can be pressed."""
    out, last = [], 0
    for found in LINK.finditer(text):
        address = escape(found[0])
        out += [escape(text[last : found.start()]), f'<a href="{address}">{address}</a>']
        last = found.end()
    return mark_safe("".join([*out, escape(text[last:])]))  # noqa: S308  every piece is escaped above
