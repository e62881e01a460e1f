"""Staff of the licensor log in with two steps: without, nothing but the set-up opens (product.md, Numbers)."""

from __future__ import annotations

from collections.abc import Callable

from allauth.mfa.models import Authenticator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from daicho.interfaces.portal import components as kit

OPEN = ("/account/", "/language/", "/static/", "/healthz", "/readyz")


class OperatorTwoStepMiddleware:
    """Leads an operator without two-step log-in to its set-up, whatever page or operation he asked for."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        if (
            user.is_authenticated
            and user.is_operator
            and not request.path.startswith(OPEN)
            and not Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).exists()
        ):
            if request.path.startswith("/api/"):
                return HttpResponse(status=403)
            kit.tell(request, "info", _("As the operator's staff, set up two-step login first."))
            return HttpResponseRedirect(reverse("mfa_activate_totp"))
        return self.get_response(request)
