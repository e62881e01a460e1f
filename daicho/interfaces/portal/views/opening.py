"""The requester's pages: is there an account already, the wizard, how far an opening is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from daicho.core.errors import BusinessError, FieldErrors, NotFound
from daicho.domain.accounts import rules
from daicho.domain.accounts.commands.contests import contest_account
from daicho.domain.accounts.commands.opening import (
    continue_opening,
    keep_draft,
    resend_link,
    save_step,
    start_opening,
    take_over_opening,
    withdraw_opening,
)
from daicho.domain.accounts.postal_codes import find_places
from daicho.domain.accounts.queries_openings import (
    company_accounts,
    identifier_standing,
    my_opening,
    my_openings,
    refusal_of,
)
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal.views import opening_words as words
from daicho.interfaces.portal.views.opening_forms import AccountForm, AddressForm, AuthorityForm, ContestForm
from daicho.interfaces.portal.web import Here, show_errors, signed_in_page

STEPS = {"company": 1, "authority": 2, "account": 3, "address": 4, "check": 5}
PATHS = {number: path for path, number in STEPS.items()}
FORMS: dict[int, type[forms.Form]] = {2: AuthorityForm, 3: AccountForm, 4: AddressForm}


@signed_in_page
def find(request: HttpRequest, here: Here) -> HttpResponse:
    """Has my company an account already? Only for the own domain (S9)."""
    context = {"found": company_accounts(here.actor), "refusal": refusal_of(here.actor)}
    return render(request, "opening/find.html", context)


@signed_in_page
def openings(request: HttpRequest, here: Here) -> HttpResponse:
    """The person's own requests."""
    rows = [(one, words.state_look(one.state), words.next_step(one)) for one in my_openings(here.actor)]
    return render(request, "opening/list.html", {"rows": rows, "refusal": refusal_of(here.actor)})


@require_POST
@signed_in_page
def start(request: HttpRequest, here: Here) -> HttpResponseBase:
    try:
        opening = start_opening(here.actor)
    except BusinessError as error:
        kit.tell(request, "error", error.text())
        return HttpResponseRedirect(reverse("opening-list"))
    return HttpResponseRedirect(reverse("opening-step", kwargs={"uid": opening.uid, "step": "company"}))


@signed_in_page
def status(request: HttpRequest, here: Here, uid: str) -> HttpResponse:
    """How far is my opening: state, what happens next, until when."""
    opening = my_opening(here.actor, uid)
    resume = PATHS[opening.step] if opening.state == rules.DRAFT else ""
    return render(
        request,
        "opening/status.html",
        {
            "opening": opening,
            "look": words.state_look(opening.state),
            "next": words.next_step(opening),
            "reasons": words.reasons(opening),
            "facts": words.request_facts(opening),
            "road": words.road(opening),
            "resume": resume and reverse("opening-step", kwargs={"uid": uid, "step": resume}),
            "may_resend": words.may_resend(opening),
            "may_withdraw": opening.state in rules.BEFORE_ACTIVE,
        },
    )


@signed_in_page
def step(request: HttpRequest, here: Here, uid: str, step: str) -> HttpResponseBase:
    """One page of the wizard; the next one opens when it is complete."""
    if step not in STEPS:
        raise NotFound
    opening = my_opening(here.actor, uid)
    number = STEPS[step]
    if opening.state != rules.DRAFT or number > opening.step:
        return HttpResponseRedirect(_place(opening))
    if request.method == "POST":
        return _posted(request, here, opening, number)
    form = FORMS[number](initial=_initial(opening, number)) if number in FORMS else None
    return _page(request, here, opening, number, form)


def _place(opening: Any) -> str:
    """Where an opening is to be looked at: its open step, or its state."""
    if opening.state == rules.DRAFT:
        return reverse("opening-step", kwargs={"uid": opening.uid, "step": PATHS[opening.step]})
    return reverse("opening-status", kwargs={"uid": opening.uid})


def _initial(opening: Any, number: int) -> dict[str, Any]:
    values = {name: getattr(opening, name) for name in rules.FIELDS_OF_STEP[number]}
    if number == 2:
        values["is_representative"] = {True: "yes", False: "no", None: ""}[opening.is_representative]
    return values


def _posted(request: HttpRequest, here: Here, opening: Any, number: int) -> HttpResponseBase:
    if number == 5:
        return _continue(request, here, opening)
    form = FORMS[number](request.POST) if number in FORMS else None
    if number == 4 and (filled := _filled_in(request)) is not None:
        keep_draft(here.actor, opening_uid=opening.uid, values=filled)
        return HttpResponseRedirect(request.path + "#id_street_field")
    if form is not None and not form.is_valid():
        opening = keep_draft(here.actor, opening_uid=opening.uid, values=_typed(request, number))
        return _page(request, here, opening, number, form, status=422)
    try:
        values = form.values() if form is not None else {}  # type: ignore[attr-defined]
        saved = save_step(here.actor, opening_uid=opening.uid, step=number, values=values)
    except BusinessError as error:
        if form is None:
            raise
        opening = keep_draft(here.actor, opening_uid=opening.uid, values=_typed(request, number))
        show_errors(form, error)
        office = error.errors.get("postal_code") if isinstance(error, FieldErrors) else None
        return _page(request, here, opening, number, form, status=422, office=office)
    return HttpResponseRedirect(reverse("opening-step", kwargs={"uid": saved.uid, "step": PATHS[number + 1]}))


def _typed(request: HttpRequest, number: int) -> dict[str, Any]:
    """The fields of a step as they were posted."""
    values: dict[str, Any] = {name: request.POST[name] for name in rules.FIELDS_OF_STEP[number] if name in request.POST}
    if "is_representative" in values:
        values["is_representative"] = {"yes": True, "no": False}.get(values["is_representative"])
    return values


def _filled_in(request: HttpRequest) -> dict[str, Any] | None:
    """What a pressed button of the address page fills in: by postal code, by an offered code, by a chosen area."""
    typed = _typed(request, 4)
    if "use_code" in request.POST:
        return _by_code(typed | {"postal_code": request.POST["use_code"]}, 0)
    if "use_chosen" in request.POST:
        return _by_code(typed | {"postal_code": request.POST.get("use_code_choice", "")}, 0)
    if "use_place" in request.POST:
        number = request.POST["use_place"]
        return _by_code(typed, int(number) if number.isascii() and number.isdigit() else 0)
    if "look_up" in request.POST:
        return _by_code(typed, 0)
    return None


def _by_code(typed: dict[str, Any], number: int) -> dict[str, Any] | None:
    if typed.get("country", "JP") != "JP":
        return typed
    try:
        places = find_places(typed.get("postal_code", ""))
    except BusinessError:
        return None
    place = places[number] if number < len(places) else places[0]
    street = _with_area(typed.get("street", ""), place.neighborhood)
    return typed | {"postal_code": place.code, "region": place.region, "city": place.city, "street": street}


def _with_area(street: str, area: str) -> str:
    """The area before a bare number, or alone; what somebody wrote otherwise stays."""
    return area + street if not street or street[0].isdecimal() else street


def _continue(request: HttpRequest, here: Here, opening: Any) -> HttpResponseBase:
    take_over = "take_over" in request.POST
    try:
        command = take_over_opening if take_over else continue_opening
        done = command(here.actor, opening_uid=opening.uid)
    except BusinessError as error:
        return _page(request, here, opening, 5, None, status=error.http_status, refusal=error)
    kit.tell(request, "done", words.after_continue(done.state))
    return HttpResponseRedirect(reverse("opening-status", kwargs={"uid": opening.uid}))


def _page(
    request: HttpRequest,
    here: Here,
    opening: Any,
    number: int,
    form: forms.Form | None,
    *,
    status: int = 200,
    office: BusinessError | None = None,
    refusal: BusinessError | None = None,
) -> HttpResponse:
    context: dict[str, Any] = {
        "opening": opening,
        "form": form,
        "steps": _steps(opening, number),
        "title": words.STEP_TITLES[number],
        "back": reverse("opening-step", kwargs={"uid": opening.uid, "step": PATHS[number - 1]}) if number > 1 else "",
        "draft_url": reverse("opening-draft", kwargs={"uid": opening.uid}),
        "since": opening.last_step_at.isoformat(),
        "refusal": refusal,
    }
    if number == 1:
        context["found"] = company_accounts(here.actor)
    elif number == 3:
        context |= _standing(here, opening, str(form["identifier"].value() or "") if form else "")
    elif number == 4:
        known = bool(opening.street) and opening.step <= 4
        context |= {"known": known, "office": office} | _areas(form)
    elif number == 5:
        context |= {
            "sections": words.check_sections(opening),
            "outcome": words.outcome(_standing(here, opening, opening.identifier)["standing"], opening),
        }
    return render(request, f"opening/{PATHS[number]}.html", context, status=status)


def _steps(opening: Any, number: int) -> list[kit.Step]:
    def state(one: int) -> str:
        return "current" if one == number else "done" if one < opening.step else "later"

    return [
        kit.Step(words.STEP_TITLES[one], state(one), reverse("opening-step", kwargs={"uid": opening.uid, "step": path}))
        for one, path in sorted(PATHS.items())
    ]


def _standing(here: Here, opening: Any, entered: str) -> dict[str, Any]:
    if not entered:
        return {"standing": None}
    try:
        return {"standing": identifier_standing(here.actor, opening.uid, entered)}
    except BusinessError as error:
        return {"standing": None, "standing_error": error.text()}


def _areas(form: forms.Form | None) -> dict[str, Any]:
    """The areas of a postal code that stands for several, to choose from."""
    code = str(form["postal_code"].value() or "") if form is not None else ""
    if not code or form is None or form["country"].value() not in ("JP", "", None):
        return {"places": []}
    try:
        places = find_places(code)
    except BusinessError:
        return {"places": []}
    return {"places": list(enumerate(places)) if len(places) > 1 else []}


@signed_in_page
def identifier(request: HttpRequest, here: Here, uid: str) -> HttpResponse:
    """Part of the account step: what continuing with this identifier would lead to."""
    opening = my_opening(here.actor, uid)
    context = _standing(here, opening, request.GET.get("identifier", "")[:300])
    return render(request, "opening/account.html#standing", context | {"opening": opening})


@signed_in_page
def postal_code(request: HttpRequest, here: Here, uid: str) -> HttpResponse:
    """Part of the address step: the fields that a postal code fills in, or what to use instead of an office's code."""
    opening = my_opening(here.actor, uid)
    typed: dict[str, Any] = {name: request.GET.get(name, "")[:200] for name in rules.ADDRESS_FIELDS}
    office: BusinessError | None = None
    if typed["country"] in ("JP", "") and typed["postal_code"]:
        try:
            place = find_places(typed["postal_code"])[0]
            typed |= {"postal_code": place.code, "region": place.region, "city": place.city}
            typed["street"] = _with_area(typed["street"], place.neighborhood)
        except BusinessError as error:
            office = error
    form = AddressForm(initial=typed)
    context = {"opening": opening, "form": form, "office": office} | _areas(form)
    return render(request, "opening/address.html#address", context)


@require_POST
@signed_in_page
def draft(request: HttpRequest, here: Here, uid: str) -> HttpResponse:
    """What is typed is kept while it is typed."""
    fields: Mapping[str, Any] = {}
    for number in (2, 3, 4):
        fields = {**fields, **_typed(request, number)}
    keep_draft(here.actor, opening_uid=uid, values=fields, since=request.POST.get("since", ""))
    return HttpResponse(status=204)


@require_POST
@signed_in_page
def resend(request: HttpRequest, here: Here, uid: str) -> HttpResponseBase:
    try:
        resend_link(here.actor, opening_uid=uid)
        kit.tell(request, "done", _("The mail is on its way. The link in the mail before no longer works."))
    except BusinessError as error:
        if isinstance(error, NotFound):
            raise
        kit.tell(request, "error", error.text())
    return HttpResponseRedirect(reverse("opening-status", kwargs={"uid": uid}))


@require_POST
@signed_in_page
def withdraw(request: HttpRequest, here: Here, uid: str) -> HttpResponseBase:
    withdraw_opening(here.actor, opening_uid=uid)
    kit.tell(request, "done", _("The request is withdrawn. The domain is free again."))
    return HttpResponseRedirect(reverse("opening-list"))


@signed_in_page
def contest(request: HttpRequest, here: Here) -> HttpResponseBase:
    """ "This is our domain": tell the operator."""
    form = ContestForm(request.POST or None, initial={"identifier": request.GET.get("identifier", "")[:253]})
    if request.method == "POST" and form.is_valid():
        try:
            contest_account(here.actor, **form.cleaned_data)
        except BusinessError as error:
            show_errors(form, error)
        else:
            kit.tell(request, "done", _("The operator checks what you told us and answers by mail."))
            return HttpResponseRedirect(reverse("opening-find"))
    return render(request, "opening/contest.html", {"form": form}, status=422 if form.errors else 200)
