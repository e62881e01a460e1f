"""引き継ぎ: a colleague leaves, and another takes all his rights over on a day."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_POST

from daicho.core.clock import now, start_of_day, today
from daicho.domain.access.commands.hand_overs import cancel_hand_over, plan_hand_over
from daicho.domain.access.queries_people import find_successor, get_user, list_hand_overs, list_people
from daicho.domain.access.rules import Permission
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal.lists import Column, Empty, ListPage, ListQuery
from daicho.interfaces.portal.views import people_parts as parts
from daicho.interfaces.portal.views.people import MANAGE, tabs
from daicho.interfaces.portal.web import Here, account_page
from daicho.interfaces.portal.words import named

FAILURES = {
    "last_administrator": lazy("No administrator would have been left"),
    "nothing_to_hand_over": lazy("There was no right left to hand over"),
    "account_suspended": lazy("The account is suspended or closed"),
    "not_found": lazy("The successor cannot log in"),
}


class HandOverForm(forms.Form):
    """From whom, to whom, on which day."""

    person = forms.ChoiceField(label=lazy("Who leaves"), widget=kit.Combobox())
    email = forms.CharField(
        label=lazy("Mail address of the successor"),
        max_length=254,
        widget=forms.EmailInput(),
        help_text=lazy("Somebody with a right here, or a colleague who has signed up."),
    )
    due_on = forms.DateField(
        label=lazy("Day"),
        widget=kit.DateInput(),
        help_text=lazy("At the beginning of this day. Today: within a minute."),
    )

    def __init__(self, here: Here, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = list_people(here.actor, here.account, size=200).rows
        self.fields["person"].choices = [  # type: ignore[attr-defined]
            (person.uid, named(person.shown_name, person.email)) for person in people
        ]
        self.zone = here.account.time_zone
        self.initial.setdefault("due_on", today(self.zone))

    def clean_due_on(self) -> Any:
        day = self.cleaned_data["due_on"]
        if day < today(self.zone):
            raise forms.ValidationError(_("The day lies in the past. Choose today or a later one."), code="day_in_past")
        return day


@account_page(Permission.USERS_MANAGE)
def plan(request: HttpRequest, here: Here) -> HttpResponseBase:
    """Plan a hand-over."""
    form = HandOverForm(here, request.POST or None, initial={"person": request.GET.get("person", "")})

    def act() -> str:
        data = form.cleaned_data
        due_at = max(start_of_day(data["due_on"], here.account.time_zone), now())
        made = plan_hand_over(
            here.actor,
            account=here.account,
            from_user=get_user(here.actor, here.account, data["person"]),
            to_user=find_successor(here.actor, here.account, data["email"]),
            due_at=due_at,
        )
        text = _("All rights of %(old)s will become those of %(new)s.")
        kit.tell(request, "done", text % {"old": made.from_user, "new": made.to_user})
        return here.url("people-hand-overs", va=None)

    context = {
        "title": _("Hand over all rights"),
        "lead": _("On the day all rights of one person in this account become those of another. Where both have a role in the same scope, the stronger one and the later end count."),
        "button": _("Plan the hand-over"),
        "back": here.url("people-hand-overs", va=None),
        "crumbs": [kit.Crumb(_("Users"), here.url("people-list"))],
    }  # fmt: skip
    return parts.form_page(request, "people/plain_form.html", form, act, context)


class HandOverList(ListPage):
    """Planned, done and failed hand-overs."""

    key = "hand-overs"
    title = lazy("Hand-overs")
    here: Here
    columns = (
        Column("from", lazy("Who leaves"), value=lambda h: str(h.from_user)),
        Column("to", lazy("Successor"), value=lambda h: str(h.to_user)),
        Column("state", lazy("State"), kind="state", value=lambda h: state_of(h)),
        Column("due_at", lazy("Day"), kind="datetime", phone=True),
        Column("reason", lazy("Reason"), value=lambda h: str(FAILURES.get(h.failure, h.failure))),
        Column("by", lazy("Planned by"), value=lambda h: h.created_by_name),
    )

    def fetch(self, q: ListQuery) -> Any:
        return list_hand_overs(self.here.actor, self.here.account, cursor=q.cursor, size=q.size)

    def row_menu(self, row: Any) -> list[kit.MenuItem]:
        if row.done_at or row.cancelled_at or row.failure:
            return []
        url = self.here.url("people-hand-over-cancel", va=None, uid=row.uid)
        return [kit.MenuItem(_("Cancel the hand-over"), url, "x", post=True)]


def state_of(plan: Any) -> kit.State:
    """A hand-over's state in words."""
    if plan.failure:
        return kit.State("short", text=_("Failed"))
    if plan.done_at:
        return kit.State("in_compliance", text=_("Done"))
    if plan.cancelled_at:
        return kit.State("cancelled")
    return kit.State("waiting", text=_("Planned"))


@account_page(Permission.USERS_MANAGE)
def hand_overs(request: HttpRequest, here: Here) -> HttpResponseBase:
    """The list of hand-overs."""
    url = here.url("people-hand-over-new", va=None)
    empty = Empty(_("No hand-overs yet"), _("When a colleague leaves, another can take all rights over on a day."))
    context: dict[str, Any] = {"tabs": tabs(here, "hand_overs")}
    if here.may(MANAGE):
        context["primary"] = kit.Action(url, _("Hand over all rights"), "arrows-exchange")
    return HandOverList(request, here=here, empty=empty).response(context)


@require_POST
@account_page(Permission.USERS_MANAGE)
def cancel(request: HttpRequest, here: Here, uid: str) -> HttpResponseBase:
    """A planned hand-over will not happen."""

    def act() -> str:
        cancel_hand_over(here.actor, account=here.account, hand_over_uid=uid)
        kit.tell(request, "done", _("The hand-over is cancelled."))
        return here.url("people-hand-overs", va=None)

    return parts.once(request, act)
