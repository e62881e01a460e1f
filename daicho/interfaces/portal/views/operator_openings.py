"""The operator's queue, the openings and the contests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from daicho.core.errors import BusinessError
from daicho.domain.access.rules import OperatorPermission
from daicho.domain.accounts import rules
from daicho.domain.accounts.commands.contests import decide_contest
from daicho.domain.accounts.commands.decisions import approve_held_opening, ask_opening_reason, decline_opening
from daicho.domain.accounts.queries_accounts import operators_queue
from daicho.domain.accounts.queries_openings import get_contest, get_opening, history, list_openings, similar_accounts
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal.lists import ChoiceFilter, Column, Empty, ListPage, ListQuery
from daicho.interfaces.portal.views import opening_words as words
from daicho.interfaces.portal.web import Here, operator_page, show_errors
from daicho.interfaces.portal.words import named

OPENINGS = OperatorPermission.OPENINGS


@operator_page(OPENINGS)
def queue(request: HttpRequest, here: Here) -> HttpResponse:
    """What waits, since when?"""
    found = operators_queue(here.actor)
    rows = [
        {
            "opening": one,
            "url": reverse("operator_openings-detail", kwargs={"uid": one.uid}),
            "waits_for": _("Your decision") if one.answered_at else _("The requester's answer"),
        }
        for one in found.held
    ]
    return render(request, "operator_openings/queue.html", {"queue": found, "rows": rows})


def _url(one: Any) -> str:
    return reverse("operator_openings-detail", kwargs={"uid": one.uid})


class OpeningList(ListPage):
    """Every request beyond draft."""

    key = "operator-openings"
    title = gettext_lazy("Openings")
    columns = (
        Column("identifier", gettext_lazy("Domain identifier"), link=_url),
        Column("state", gettext_lazy("State"), kind="state", value=lambda one: words.state_look(one.state)),
        Column("account_name", gettext_lazy("Account name")),
        Column("requester", gettext_lazy("Requested by"), value=lambda one: one.requester.email),
        Column("created_at", gettext_lazy("Started"), kind="datetime"),
        Column("last_step_at", gettext_lazy("Last step"), kind="datetime"),
    )
    filters = (
        ChoiceFilter(
            "state",
            gettext_lazy("State"),
            [(state, word) for state, (_code, word) in words.STATES.items() if state != rules.DRAFT],
        ),
    )
    text_label = gettext_lazy("Filter by domain, name or mail address")
    empty = Empty(gettext_lazy("No openings yet"), gettext_lazy("Requests to open an account appear here."))
    here: Here

    def fetch(self, q: ListQuery) -> Any:
        return list_openings(
            self.here.actor, state=q.filters.get("state") or "", text=q.text, cursor=q.cursor, size=q.size
        )


@operator_page(OPENINGS)
def listing(request: HttpRequest, here: Here) -> HttpResponseBase:
    return OpeningList(request, here=here).response({"frame": "frames/operator.html"})


class AskForm(forms.Form):
    """A question to the requester, mailed with a link to answer."""

    question = forms.CharField(
        label=gettext_lazy("Question"), max_length=1000, widget=forms.Textarea(attrs={"rows": 3, "maxlength": 1000})
    )


class DecisionForm(forms.Form):
    """A reason that is kept; for a refusal the requester reads it."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=500, widget=forms.Textarea(attrs={"rows": 3, "maxlength": 500})
    )


ACTS: dict[str, tuple[type[forms.Form] | None, Callable[..., Any], str]] = {
    "approve": (None, approve_held_opening, gettext_lazy("Approved. The requester is told by mail.")),  # type: ignore[dict-item]
    "decline": (DecisionForm, decline_opening, gettext_lazy("Declined. The requester is told by mail.")),  # type: ignore[dict-item]
    "ask": (AskForm, ask_opening_reason, gettext_lazy("The question is mailed.")),  # type: ignore[dict-item]
}


@operator_page(OPENINGS)
def detail(request: HttpRequest, here: Here, uid: str) -> HttpResponseBase:
    """Is this request real and allowed?"""
    opening = get_opening(here.actor, uid)
    bound: dict[str, forms.Form] = {"decline": DecisionForm(prefix="decline"), "ask": AskForm(prefix="ask")}
    refusal: BusinessError | None = None
    act = request.POST.get("act", "")
    if act in ACTS:
        kind, command, told = ACTS[act]
        form = kind(request.POST, prefix=act) if kind is not None else None
        if form is not None:
            bound[act] = form
        if form is None or form.is_valid():
            try:
                command(here.actor, opening_uid=uid, **(form.cleaned_data if form is not None else {}))
            except BusinessError as error:
                refusal = error
                if form is not None:
                    show_errors(form, error)
            else:
                kit.tell(request, "done", told)
                return HttpResponseRedirect(_url(opening))
    failed = refusal is not None or any(form.errors for form in bound.values() if form.is_bound)
    context = {
        "opening": opening,
        "look": words.state_look(opening.state),
        "facts": _facts(opening),
        "reasons": [words.REASONS[code] for code in opening.held_for],
        "similar": [(one, words.region_and_city(one)) for one in similar_accounts(here.actor, opening)],
        "events": [_event(event) for event in history(here.actor, opening)],
        "decline_form": bound["decline"],
        "ask_form": bound["ask"],
        "refusal": refusal,
        "may_approve": opening.state in rules.ACTS["approve"].from_states,
        "may_ask": opening.state in rules.ACTS["ask"].from_states,
        "may_decline": opening.state in rules.ACTS["decline"].from_states,
        "crumbs": [kit.Crumb(_("Openings"), reverse("operator_openings-list"))],
    }
    return render(request, "operator_openings/detail.html", context, status=422 if failed else 200)


def _facts(opening: Any) -> list[kit.Fact]:
    requester = opening.requester
    return [
        kit.Fact(_("Account name"), opening.account_name),
        kit.Fact(_("Head office address"), words.address(opening)),
        kit.Fact(_("Telephone"), opening.phone),
        kit.Fact(_("Requested by"), named(requester.get_full_name(), requester.email), hint=requester.department),
        kit.Fact(_("Mail domain"), requester.mail_domain),
        kit.Fact(
            _("Approver"),
            _("The requester") if opening.is_representative else f"{opening.approver_name} {opening.approver_email}",
        ),
        kit.Fact(_("Started"), words.moment(opening.created_at)),
        kit.Fact(_("Link valid until"), words.moment(opening.link_expires_at)),
        kit.Fact(_("Decided by"), opening.decided_by_name, hint=opening.decision_reason),
    ]


EVENTS = {
    "opening.started": gettext_lazy("Started"),
    "opening.held": gettext_lazy("Put on hold"),
    "opening.asked": gettext_lazy("Asked"),
    "opening.answered": gettext_lazy("Answered"),
    "opening.approver_asked": gettext_lazy("Approver asked"),
    "opening.approved": gettext_lazy("Approved"),
    "opening.declined": gettext_lazy("Declined"),
    "opening.provisional": gettext_lazy("Opened provisionally"),
    "opening.lapsed": gettext_lazy("Lapsed"),
    "opening.withdrawn": gettext_lazy("Withdrawn"),
    "opening.taken_over": gettext_lazy("Taken over"),
    "opening.link_resent": gettext_lazy("Mail sent again"),
}


def _event(event: Any) -> kit.Event:
    return kit.Event(event.at, event.actor_name, EVENTS.get(event.kind, event.kind), after=event.memo)


class ContestDecisionForm(DecisionForm):
    """The answer to who says that a domain is his."""

    decision = forms.ChoiceField(
        label=gettext_lazy("Decision"),
        choices=[("upheld", gettext_lazy("The domain is theirs")), ("rejected", gettext_lazy("It is not"))],
        widget=forms.RadioSelect,
    )
    field_order = ("decision", "reason")


@operator_page(OPENINGS)
def contest(request: HttpRequest, here: Here, uid: str) -> HttpResponseBase:
    """Whose domain is it?"""
    found, account = get_contest(here.actor, uid)
    form = ContestDecisionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            decide_contest(
                here.actor,
                contest_uid=uid,
                upheld=form.cleaned_data["decision"] == "upheld",
                reason=form.cleaned_data["reason"],
            )
        except BusinessError as error:
            show_errors(form, error)
        else:
            kit.tell(request, "done", _("The answer is mailed. What follows for the account is decided on its page."))
            target = reverse("operator_accounts-detail", kwargs={"identifier": account.identifier}) if account else ""
            return HttpResponseRedirect(target or reverse("operator_openings-queue"))
    context = {
        "contest": found,
        "contested": account,
        "form": form,
        "facts": [
            kit.Fact(_("Domain identifier"), found.identifier),
            kit.Fact(_("Told by"), named(found.user.get_full_name(), found.user.email)),
            kit.Fact(_("Time"), words.moment(found.created_at)),
            kit.Fact(_("What is wrong"), found.reason),
            kit.Fact(_("Decided by"), found.decided_by_name, hint=found.decision_reason),
        ],
        "crumbs": [kit.Crumb(_("To do"), reverse("operator_openings-queue"))],
    }
    return render(request, "operator_openings/contest.html", context, status=422 if form.errors else 200)
