"""招待に応じる: the page behind the link of an invitation. A GET changes nothing; the button accepts (S22)."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from daicho.core.errors import BusinessError
from daicho.domain.access.commands.invitations import accept_invitation
from daicho.domain.access.queries_access import read_invitation
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal.views import people_parts as parts
from daicho.interfaces.portal.web import Here, public_page
from daicho.interfaces.portal.words import named


@never_cache
@public_page
def invitation(request: HttpRequest, here: Here, secret: str) -> HttpResponseBase:
    """What is offered, and what to do next: log in, sign up, or accept."""
    offer = read_invitation(secret)
    user = request.user
    fits = user.is_authenticated and user.email == offer.email
    refusal: BusinessError | None = None
    if request.method == "POST" and user.is_authenticated:

        def act() -> str:
            grant = accept_invitation(here.actor, secret=secret)
            kit.tell(request, "done", _("Welcome to %(account)s.") % {"account": grant.account.name})
            return f"/a/{grant.account.identifier}/"

        try:
            return parts.once(request, act)
        except BusinessError as error:
            refusal = error
    back = urlencode({"next": request.path})
    context = {
        "offer": offer,
        "fits": fits,
        "refusal": refusal,
        "role": parts.explained([offer.role])[0],
        "log_in_url": f"{reverse('account_login')}?{back}",
        "sign_up_url": f"{reverse('account_signup')}?{back}",
        "account_url": f"/a/{offer.identifier}/",
        "facts": [
            (_("Smart Account"), named(offer.account_name, offer.identifier)),
            (_("Role"), offer.role.label),
            (_("Scope"), offer.virtual_account_name or _("Whole account")),
            (_("Invited by"), offer.inviter or "–"),
            (_("Invited address"), offer.email),
        ],
    }
    return render(request, "invitations/offer.html", context, status=refusal.http_status if refusal else 200)
