"""自分の設定: my own name, language, looks, password, two-step log-in, sessions."""

from __future__ import annotations

import zoneinfo
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django import forms
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from daicho.domain.access.commands.people import note_user_event
from daicho.domain.access.commands.profile import edit_profile
from daicho.domain.access.policy import ensure_signed_in
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal.views import people_parts as parts
from daicho.interfaces.portal.web import Here, signed_in_page

THEMES = [("system", lazy("As the system")), ("light", lazy("Light")), ("dark", lazy("Dark"))]


class SettingsForm(forms.Form):
    """What a person decides about himself."""

    name = forms.CharField(label=lazy("Full name"), max_length=100)
    department = forms.CharField(label=lazy("Department"), max_length=100, required=False)
    language = forms.ChoiceField(label=lazy("Language"), choices=settings.LANGUAGES)
    time_zone = forms.ChoiceField(label=lazy("Time zone"), widget=kit.Combobox())
    theme = forms.ChoiceField(label=lazy("Theme"), choices=THEMES, widget=forms.RadioSelect)
    keyboard_shortcuts = forms.BooleanField(label=lazy("Keyboard shortcuts"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zones = sorted(zone for zone in zoneinfo.available_timezones() if "/" in zone or zone == "UTC")
        self.fields["time_zone"].choices = [(zone, zone.replace("_", " ")) for zone in zones]  # type: ignore[attr-defined]


@signed_in_page
def own_settings(request: HttpRequest, here: Here) -> HttpResponseBase:
    """Own settings, and the ways to password, two-step log-in and sessions."""
    user = ensure_signed_in(here.actor)
    form = SettingsForm(request.POST or None, initial={name: getattr(user, name) for name in SettingsForm.base_fields})

    def act() -> str:
        edit_profile(here.actor, **form.cleaned_data)
        kit.tell(request, "done", _("Your settings are saved."))
        return reverse("me-settings")

    two_step = Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).exists()
    context = {
        "email": user.email,
        "two_step": two_step,
        "sessions": UserSession.objects.filter(user=user).count(),
        "security": [
            (_("Mail address"), user.email, reverse("account_email"), _("Change")),
            (_("Password"), "••••••••", reverse("account_change_password"), _("Change")),
            (_("Two-step login"), _("On") if two_step else _("Off"), reverse("mfa_index"), _("Set up")),
            (_("Where you are logged in"), "", reverse("me-sessions"), _("Show")),
            (_("My access"), "", reverse("me-access"), _("Show")),
        ],
    }
    return parts.form_page(request, "me/settings.html", form, act, context)


@signed_in_page
def sessions(request: HttpRequest, here: Here) -> HttpResponseBase:
    """Where one is logged in; each session but this one can be ended, or all of them."""
    user = ensure_signed_in(here.actor)
    current = request.session.session_key
    found = sorted(UserSession.objects.purge_and_list(user), key=lambda one: one.created_at, reverse=True)
    if request.method == "POST":
        return _end(request, here, [one for one in found if one.session_key != current])
    lines = [{"session": one, "is_current": one.session_key == current} for one in found]
    return render(request, "me/sessions.html", {"lines": lines, "others": len(found) > 1})


def _end(request: HttpRequest, here: Here, others: list[Any]) -> HttpResponse:
    chosen = request.POST.get("session", "")
    ending = others if "others" in request.POST else [one for one in others if str(one.pk) == chosen]
    if chosen and not ending:
        raise Http404
    for one in ending:
        one.end()
    if ending:
        note_user_event(here.actor, user=ensure_signed_in(here.actor), kind="user.sessions_ended")
        kit.tell(request, "done", _("You are logged out there."))
    return redirect("me-sessions")
