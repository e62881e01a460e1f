"""Pages that a mailed link opens: reason, approver, activation. Looking changes nothing, the button does (S16)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from daicho.core.errors import BusinessError
from daicho.domain.accounts import rules
from daicho.domain.accounts.commands.activation import activate_account
from daicho.domain.accounts.commands.decisions import approve_as_approver, decline_as_approver
from daicho.domain.accounts.commands.opening import answer_reason
from daicho.domain.accounts.countries import country_name
from daicho.domain.accounts.queries_openings import LinkedOpening, opening_by_link
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal.views import opening_words as words
from daicho.interfaces.portal.views.opening_forms import DeclineForm, ReasonForm
from daicho.interfaces.portal.web import Here, public_page, show_errors
from daicho.interfaces.portal.words import datetime as datetime_words
from daicho.interfaces.portal.words import named


def _unusable(request: HttpRequest, error: BusinessError) -> HttpResponse:
    """A used, replaced or ended link: who can send a new one."""
    response = render(request, "opening/link_unusable.html", {"error": error}, status=error.http_status)
    return _private(response)


def _private(response: HttpResponse) -> HttpResponse:
    """No cache keeps the link; other sites never learn it (the portal sends `Referrer-Policy: same-origin`).

    `no-referrer` would make browsers post the button with `Origin: null`, which the CSRF check refuses.
    """
    response["Cache-Control"] = "no-store"
    return response


def _moment(found: LinkedOpening, instant: datetime | None) -> str:
    """Whoever reads may be nobody we know: the requester's zone, named."""
    with timezone.override(found.time_zone):
        return datetime_words(instant, zone=True)


def _facts(found: LinkedOpening) -> list[kit.Fact]:
    return [
        kit.Fact(_("Account name"), found.account_name),
        kit.Fact(_("Domain identifier"), found.identifier),
        kit.Fact(
            _("Head office address"), " ".join([*found.address, country_name(found.country, get_language() or "en")])
        ),
        kit.Fact(_("Requested by"), named(found.requester_name, found.requester_email)),
        kit.Fact(_("Requested"), _moment(found, found.created_at)),
        kit.Fact(_("Link valid until"), _moment(found, found.expires_at)),
    ]


@public_page
def reason(request: HttpRequest, here: Here, secret: str) -> HttpResponseBase:
    """Why do you open the account for this domain?"""
    form = ReasonForm(request.POST or None)
    try:
        found = opening_by_link(secret, rules.HELD)
        if request.method == "POST" and form.is_valid():
            answer_reason(here.actor, secret=secret, answer=form.cleaned_data["answer"])
            return _private(render(request, "opening/reason_done.html", {"found": found}))
    except BusinessError as error:
        if error.code == "link_unusable":
            return _unusable(request, error)
        show_errors(form, error)
    context: dict[str, Any] = {
        "form": form,
        "found": found,
        "facts": _facts(found),
        "reasons": [words.REASONS[code] for code in found.reasons],
    }
    return _private(render(request, "opening/reason.html", context, status=422 if form.errors else 200))


@public_page
def approve(request: HttpRequest, here: Here, secret: str) -> HttpResponseBase:
    """The named approver decides."""
    form = DeclineForm(request.POST if request.POST.get("act") == "decline" else None)
    refusal: BusinessError | None = None
    try:
        found = opening_by_link(secret, rules.AWAITING_APPROVER)
        if request.POST.get("act") == "approve":
            approve_as_approver(here.actor, secret=secret)
            return _private(render(request, "opening/approve_done.html", {"found": found, "approved": True}))
        if form.is_bound and form.is_valid():
            decline_as_approver(here.actor, secret=secret, reason=form.cleaned_data["reason"])
            return _private(render(request, "opening/approve_done.html", {"found": found, "approved": False}))
    except BusinessError as error:
        if error.code == "link_unusable":
            return _unusable(request, error)
        refusal = error
    user = request.user
    is_approver = user.is_authenticated and user.email.lower() == found.approver_email.lower()
    context = {"form": form, "found": found, "facts": _facts(found), "is_approver": is_approver, "refusal": refusal}
    status = refusal.http_status if refusal else 422 if form.errors else 200
    return _private(render(request, "opening/approve.html", context, status=status))


@public_page
def activate(request: HttpRequest, here: Here, secret: str) -> HttpResponseBase:
    """The page with the button that activates the account."""
    try:
        found = opening_by_link(secret, rules.AWAITING_ACTIVATION)
        if request.method == "POST":
            account = activate_account(here.actor, secret=secret)
            if request.user.is_authenticated and request.user.email == found.requester_email:
                kit.tell(request, "done", _("The account is active. Next, accept the account agreement."))
                return HttpResponseRedirect(reverse("agreements-list", kwargs={"identifier": account.identifier}))
            return _private(render(request, "opening/activate_done.html", {"found": found}))
    except BusinessError as error:
        return _unusable(request, error)
    return _private(render(request, "opening/activate.html", {"found": found, "facts": _facts(found)}))
