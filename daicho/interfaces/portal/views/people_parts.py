"""What pages about rights share: choosing a role in words, refusals at their fields, acts that a double click does once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django import forms
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from daicho.core.clock import end_of_day, last_day
from daicho.core.errors import BusinessError, FieldErrors
from daicho.core.text import fingerprint
from daicho.domain.access.commands.idempotency import claim_request, keep_answer
from daicho.domain.access.queries_people import Right, grantable_scopes, latest_grantable_end
from daicho.domain.access.rules import Role, explain
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal import words
from daicho.interfaces.portal.web import Here, request_id_of, show_errors

if TYPE_CHECKING:
    from daicho.domain.tenancy.models import SmartAccount, VirtualAccount

KINDS = {
    "administrator": lazy("Administrator"),
    "approver": lazy("Approver (whole account only)"),
    "user": lazy("User"),
    "viewer": lazy("Viewer"),
}
WHOLE, TOP = "account", "top"
MANY = 200  # choices; beyond that a field asks for them while one types
FIELD_OF = {
    "role_scope_mismatch": "kind",
    "last_administrator": "kind",
    "end_in_past": "ends_on",
    "end_required": "ends_on",
    "end_beyond_own": "ends_on",
    "bad_address": "email",
    "grant_exists": "email",
    "already_invited": "email",
    "unknown_user": "email",
    "address_of_another_domain": "email",
    "same_person": "email",
    "reason_missing": "reason",
    "name_taken": "name",
    "name_missing": "name",
    "name_not_typed": "typed_name",
    "too_deep": "parent",
    "nested_in_itself": "parent",
    "same_virtual_account": "target",
    "file_too_large": "file",
    "file_unreadable": "file",
    "too_many_rows": "file",
    "too_many_invitations": "file",
    "columns_missing": "file",
}


@dataclass(frozen=True)
class RoleWords:
    """A role with what it may and may not do, as the permission matrix says."""

    name: str
    may: str
    may_not: str


def explained(roles: Sequence[Role]) -> list[RoleWords]:
    """These roles in words."""
    between = _(", ")
    told = []
    for role in roles:
        may, may_not = explain(role)
        told.append(RoleWords(str(role.label), between.join(map(str, may)), between.join(map(str, may_not)) or _("–")))
    return told


def scope_name(virtual_account: VirtualAccount | None) -> str:
    return virtual_account.name if virtual_account is not None else _("Whole account")


def right_text(right: Right) -> str:
    """One right in a line: role and scope."""
    if right.virtual_account is None:
        return str(right.role.label)
    return _("%(role)s: %(place)s") % {"role": right.role.label, "place": right.virtual_account.name}


def end_day(ends_at: dt.datetime | None, account: SmartAccount) -> dt.date | None:
    """The last day on which something holds, in the account's zone."""
    return last_day(ends_at, account.time_zone) if ends_at is not None else None


class RoleForm(forms.Form):
    """Where and what: the scope, the kind of role, and until when."""

    scope = forms.ChoiceField(label=lazy("Scope"), required=False, widget=kit.Combobox())
    kind = forms.ChoiceField(label=lazy("Role"), choices=list(KINDS.items()), widget=forms.RadioSelect)
    ends_on = forms.DateField(
        label=lazy("Ends on"),
        required=False,
        widget=kit.DateInput(),
        help_text=lazy("The last day. People of another company get a year when you leave it empty."),
    )

    def __init__(self, here: Here, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.here = here
        self.whole, self.places = grantable_scopes(here.actor, here.account)
        choices = [(WHOLE, _("Whole account"))] if self.whole else []
        if not self.whole:
            self.choices_of("kind", [(code, label) for code, label in KINDS.items() if code != "approver"])
            self.fields["scope"].required = True
        usual = here.va or (None if self.whole or len(self.places) != 1 else self.places[0])
        self.initial["scope"] = self.initial.get("scope") or (usual.uid if usual is not None else WHOLE)
        choices += [(place.uid, place.name) for place in self.places]
        offer_places(self, "scope", choices, here, first=WHOLE if self.whole else "")

    def choices_of(self, name: str, choices: Sequence[tuple[str, Any]]) -> None:
        field = self.fields[name]
        if isinstance(field, forms.ChoiceField):
            field.choices = list(choices)

    def roles(self) -> list[Role]:
        """The roles to choose from, to be explained beside the form."""
        return [role for role in Role if self.whole or not role.is_account_wide]

    @property
    def place(self) -> VirtualAccount | None:
        return next((place for place in self.places if place.uid == self.cleaned_data["scope"]), None)

    @property
    def role(self) -> Role:
        kind = self.cleaned_data["kind"]
        wanted = f"{'account' if self.place is None else 'va'}_{kind}"
        return Role(wanted) if wanted in Role.values else Role.ACCOUNT_APPROVER

    @property
    def ends_at(self) -> dt.datetime | None:
        day = self.cleaned_data["ends_on"]
        return end_of_day(day, self.here.account.time_zone) if day is not None else None


def offer_places(
    form: forms.Form, name: str, choices: Sequence[tuple[str, Any]], here: Here, *, first: str = ""
) -> None:
    """Let a field choose among virtual accounts: by typing where there are many, out of all of them otherwise.

    `first`: the choice that stands for no virtual account, "account" or "top".
    """
    field = form.fields[name]
    if not isinstance(field, forms.ChoiceField):
        raise TypeError(name)
    field.choices = list(choices)
    if len(choices) > MANY:
        chosen = {str(form[name].value() or ""), first}
        source = f"{here.url('virtual_accounts-choices', va=None)}?first={first}"
        field.widget = kit.Combobox(choices=[one for one in choices if one[0] in chosen], source=source)


def kind_of(role: Role) -> str:
    return role.value.partition("_")[2]


def latest_day(here: Here) -> dt.date | None:
    """The last day on which a right that the reader gives may end; None: no limit."""
    return end_day(latest_grantable_end(here.actor, here.account, here.va), here.account)


def until(right_end: dt.datetime | None, account: SmartAccount) -> str:
    day = end_day(right_end, account)
    return words.date(day) if day is not None else _("No end")


def once(request: HttpRequest, act: Callable[[], str]) -> HttpResponseRedirect:
    """Do an act and go where it says; the same form sent twice acts once and goes there again."""
    content = sorted((name, values) for name, values in request.POST.lists() if name != "csrfmiddlewaretoken")
    with transaction.atomic():
        claim = claim_request(
            owner=f"user:{request.user.pk}",
            key=f"portal:{request_id_of(request)}",
            fingerprint=fingerprint([request.path, content]),
        )
        if claim.status is not None and not claim.is_other_content:
            return HttpResponseRedirect(claim.answer)
        target = act()
        if claim.status is None:
            keep_answer(claim, status=302, answer=target)
    return HttpResponseRedirect(target)


def place_error(form: forms.Form, error: BusinessError) -> None:
    """Put a refusal at the field it is about, or on top of the form."""
    field = FIELD_OF.get(error.code, "")
    if field in form.fields and not isinstance(error, FieldErrors):
        form.add_error(field, forms.ValidationError(error.text(), code=error.code))
    else:
        show_errors(form, error)


def form_page(
    request: HttpRequest, template: str, form: forms.Form, act: Callable[[], str], context: dict[str, Any]
) -> HttpResponse:
    """A page with one form: shown, or done once, or shown again with what is wrong (422)."""
    if request.method == "POST" and form.is_valid():
        try:
            return once(request, act)
        except BusinessError as error:
            if error.http_status == 404:
                raise
            place_error(form, error)
    return render(request, template, {"form": form, **context}, status=422 if form.errors else 200)
