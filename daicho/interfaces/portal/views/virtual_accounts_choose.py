"""The lines of the virtual account selector, for accounts that have too many to stand in every page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _

from daicho.core.text import clean
from daicho.domain.access.rules import Permission
from daicho.interfaces.portal import scope_choices
from daicho.interfaces.portal.web import Here, account_page


@account_page(Permission.VIRTUAL_ACCOUNTS_VIEW)
def choose(request: HttpRequest, here: Here) -> HttpResponseBase:
    """The lines alone for the open selector, else a page of them."""
    text = clean(request.GET.get("q", ""))[:100]
    page = scope_choices.page_to_keep(request.GET.get("page", ""))
    choices = scope_choices.found(here, page, text)
    part = request.headers.get("HX-Target", "").endswith("#va-menu-lines")
    context = {
        "title": _("Choose a virtual account"), "text": text, "page": page, "choices": choices,
        "label": _("Virtual account"), "id": "va-menu" if part else "", "most": scope_choices.MOST,
        "more": len(choices) >= scope_choices.MOST,
    }  # fmt: skip
    response = render(request, "kit/choice_lines.html" if part else "virtual_accounts/choose.html", context)
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    return response
