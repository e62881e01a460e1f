"""What everybody may read: the first page, and the guide to opening as page and PDF (S27)."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from daicho.domain.access.policy import accounts_of
from daicho.domain.accounts.queries_guides import guides
from daicho.domain.accounts.queries_openings import my_openings
from daicho.domain.accounts.rules import BEFORE_ACTIVE
from daicho.interfaces.portal import prose
from daicho.interfaces.portal.views import opening_words as words
from daicho.interfaces.portal.web import Here, public_page

TEXTS = Path(__file__).resolve().parent.parent / "texts"


@public_page
def home(request: HttpRequest, here: Here) -> HttpResponseBase:
    """The first page; who is logged in goes where his work is."""
    if not request.user.is_authenticated:
        return render(request, "public/home.html")
    accounts = list(accounts_of(here.actor)[:50])
    open_ones = [one for one in my_openings(here.actor) if one.state in BEFORE_ACTIVE]
    if len(accounts) == 1 and not open_ones:
        return HttpResponseRedirect(reverse("home-dashboard", kwargs={"identifier": accounts[0].identifier}))
    if here.actor.is_operator and not accounts:
        return HttpResponseRedirect(reverse("operator_openings-queue"))
    rows = [(one, words.state_look(one.state), words.next_step(one)) for one in open_ones]
    return render(request, "public/start.html", {"own_accounts": accounts, "rows": rows})


def guide_text(language: str) -> str:
    """The guide of this installation: its address and names filled in."""
    text = (TEXTS / f"guide.{language}.md").read_text("utf-8")
    return text.replace("{site_url}", f"[{settings.SITE_URL}]({settings.SITE_URL})")


@public_page
def guide(request: HttpRequest, here: Here) -> HttpResponse:
    """How to open a Smart Account."""
    language = "ja" if (get_language() or "en").startswith("ja") else "en"
    main, others = guides(language)
    context = {
        "text": prose.html(guide_text(language), first_heading=1),
        "language": language,
        "main": main,
        "others": others,
    }
    return render(request, "public/guide.html", context)


@public_page
def guide_pdf(request: HttpRequest, here: Here, language: str) -> HttpResponse:
    """The guide as PDF in one of the two languages."""
    with override(language):
        facts = [
            (_("Address"), settings.SITE_URL),
            (_("Operator"), settings.OPERATOR_NAME),
            (_("Support desk"), " / ".join(filter(None, [settings.SUPPORT_MAIL, settings.SUPPORT_PHONE])) or "–"),
        ]
        title = _("How to open a Smart Account")
        made = prose.pdf(
            title, guide_text(language), language=language, facts=facts, foot=f"{settings.OPERATOR_NAME} · {title}"
        )
    response = HttpResponse(made, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="smart-account-guide.{language}.pdf"'
    return response
