"""The operator's list of guides and videos (S24)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from daicho.core.errors import BusinessError
from daicho.domain.access.rules import OperatorPermission
from daicho.domain.accounts.commands.guides import GuideInput, add_guide, change_guide, remove_guide
from daicho.domain.accounts.queries_guides import guide_for_operator, guides_for_operator
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal.web import Here, operator_page, show_errors

GUIDES = OperatorPermission.GUIDES


class GuideForm(forms.Form):
    """What customers read of a document or video."""

    title = forms.CharField(label=gettext_lazy("Title"), max_length=200)
    url = forms.CharField(label=gettext_lazy("Link"), max_length=500, widget=forms.URLInput)
    language = forms.ChoiceField(label=gettext_lazy("Language"), choices=[("ja", "日本語"), ("en", "English")])
    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"), choices=[("document", gettext_lazy("Document")), ("video", gettext_lazy("Video"))]
    )
    minutes = forms.IntegerField(label=gettext_lazy("Minutes"), required=False, widget=kit.Quantity)
    login_needed = forms.BooleanField(label=gettext_lazy("A log-in is needed"), required=False)
    is_main = forms.BooleanField(
        label=gettext_lazy("Main material"),
        required=False,
        help_text=gettext_lazy("Shown first; the others are supplementary."),
    )
    position = forms.IntegerField(
        label=gettext_lazy("Position"),
        required=False,
        widget=kit.Quantity,
        help_text=gettext_lazy("Small numbers first."),
    )

    def guide(self) -> GuideInput:
        cleaned: dict[str, Any] = dict(self.cleaned_data)
        return GuideInput(**{**cleaned, "position": cleaned["position"] or 0})


@operator_page(GUIDES)
def manage(request: HttpRequest, here: Here) -> HttpResponse:
    return render(request, "guides/manage.html", {"rows": guides_for_operator(here.actor)})


@operator_page(GUIDES)
def edit(request: HttpRequest, here: Here, uid: str = "") -> HttpResponseBase:
    """Add a guide, or change one."""
    found = guide_for_operator(here.actor, uid) if uid else None
    initial = {name: getattr(found, name) for name in GuideForm.base_fields} if found else {"language": "ja"}
    form = GuideForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            if found is None:
                add_guide(here.actor, guide=form.guide())
            else:
                change_guide(here.actor, guide_uid=uid, guide=form.guide())
        except BusinessError as error:
            show_errors(form, error)
        else:
            kit.tell(request, "done", _("Saved. Customers see the list on the help and guide pages."))
            return HttpResponseRedirect(reverse("guides-manage"))
    context = {"form": form, "found": found, "crumbs": [kit.Crumb(_("Guides"), reverse("guides-manage"))]}
    return render(request, "guides/edit.html", context, status=422 if form.errors else 200)


@require_POST
@operator_page(GUIDES)
def remove(request: HttpRequest, here: Here, uid: str) -> HttpResponseBase:
    remove_guide(here.actor, guide_uid=uid)
    kit.tell(request, "done", _("The guide is removed."))
    return HttpResponseRedirect(reverse("guides-manage"))
