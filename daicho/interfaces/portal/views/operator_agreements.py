"""Versions of the account agreement, for the operator: published after a look at both languages."""

from __future__ import annotations

from datetime import datetime

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from daicho.core.clock import now, start_of_day, today
from daicho.core.errors import BusinessError
from daicho.domain.access.rules import OperatorPermission
from daicho.domain.accounts.commands.agreements import MAX_TEXT, publish_agreement
from daicho.domain.accounts.queries_agreements import published_agreement, published_agreements
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal import prose
from daicho.interfaces.portal.views.agreements import language_now
from daicho.interfaces.portal.web import Here, operator_page, show_errors

AGREEMENTS = OperatorPermission.AGREEMENTS


class PublishForm(forms.Form):
    """Both languages and the day from which the version is in force."""

    title_ja = forms.CharField(label=gettext_lazy("Title in Japanese"), max_length=200)
    text_ja = forms.CharField(
        label=gettext_lazy("Text in Japanese"),
        max_length=MAX_TEXT,
        widget=forms.Textarea(attrs={"rows": 14, "lang": "ja"}),
    )
    title_en = forms.CharField(label=gettext_lazy("Title in English"), max_length=200)
    text_en = forms.CharField(
        label=gettext_lazy("Text in English"),
        max_length=MAX_TEXT,
        widget=forms.Textarea(attrs={"rows": 14, "lang": "en"}),
    )
    effective_at = forms.DateField(
        label=gettext_lazy("In force from"),
        required=False,
        widget=kit.DateInput,
        help_text=gettext_lazy("The day, in your time zone. Left empty: at once."),
    )

    def instant(self, zone: str) -> datetime:
        """The start of the day; now for today or no day."""
        day = self.cleaned_data["effective_at"]
        return start_of_day(day, zone) if day is not None and day != today(zone) else now()

    def texts(self) -> dict[str, str]:
        return {name: self.cleaned_data[name] for name in ("title_ja", "title_en", "text_ja", "text_en")}


@operator_page(AGREEMENTS)
def listing(request: HttpRequest, here: Here) -> HttpResponse:
    rows = published_agreements(here.actor)
    return render(request, "operator_agreements/list.html", {"rows": rows, "language": language_now()})


@operator_page(AGREEMENTS)
def text(request: HttpRequest, here: Here, uid: str) -> HttpResponse:
    """One version in both languages."""
    found = published_agreement(here.actor, uid)
    context = {
        "found": found,
        "text_ja": prose.html(found.text_ja, first_heading=3),
        "text_en": prose.html(found.text_en, first_heading=3),
        "crumbs": [kit.Crumb(_("Account agreement"), reverse("operator_agreements-list"))],
    }
    return render(request, "operator_agreements/text.html", context)


@operator_page(AGREEMENTS)
def publish(request: HttpRequest, here: Here) -> HttpResponseBase:
    """Write a version, look at both languages, publish it."""
    versions = published_agreements(here.actor)
    last = versions[0].agreement if versions else None
    names = ("title_ja", "title_en", "text_ja", "text_en")
    initial = {name: getattr(last, name) for name in names} if last else {}
    form = PublishForm(request.POST or None, initial=initial)
    preview: dict[str, object] = {}
    if request.method == "POST" and form.is_valid():
        instant = form.instant(request.user.time_zone)  # type: ignore[union-attr]
        if request.POST.get("act") == "publish":
            try:
                publish_agreement(here.actor, effective_at=instant, **form.texts())
            except BusinessError as error:
                show_errors(form, error)
            else:
                kit.tell(request, "done", _("The version is published. Administrators and approvers are told."))
                return HttpResponseRedirect(reverse("operator_agreements-list"))
        elif request.POST.get("act") == "preview":
            preview = {
                "preview": True,
                "instant": instant,
                "preview_ja": prose.html(form.cleaned_data["text_ja"], first_heading=4),
                "preview_en": prose.html(form.cleaned_data["text_en"], first_heading=4),
            }
    context = {
        "form": form,
        "next_version": last.version + 1 if last else 1,
        "crumbs": [kit.Crumb(_("Account agreement"), reverse("operator_agreements-list"))],
    }
    return render(request, "operator_agreements/publish.html", context | preview, status=422 if form.errors else 200)
