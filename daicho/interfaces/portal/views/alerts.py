"""アラート: what needs somebody, the most urgent first; each can be put aside for a while."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from daicho.core.clock import last_day, today
from daicho.core.errors import BusinessError
from daicho.domain.access.rules import Permission
from daicho.domain.alerts.commands.hide import USUAL_DAYS, hide_alert, show_alert
from daicho.domain.alerts.kinds import KINDS
from daicho.domain.alerts.queries import AlertFilter, AlertRow, get_alert, kinds_for, list_alerts
from daicho.interfaces.mail import alert_words
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal import words
from daicho.interfaces.portal.lists import ChoiceFilter, Column, Empty, FlagFilter, ListPage, ListQuery
from daicho.interfaces.portal.web import Here, account_page, show_errors

SEVERITIES = [(code, words.STATES[code].word) for code in ("major", "minor", "informational")]


def message(row: AlertRow) -> str:
    """The alert in a sentence, with the figures of now."""
    if row.kind == "insufficient_licenses" and row.missing:
        return _("%(sku)s is short of %(count)s.") % {"sku": row.data["sku"], "count": words.num(row.missing)}
    due = row.due.isoformat() if row.due else None
    return alert_words.sentence({**row.data, "kind": row.kind, "due": due})


def details(row: AlertRow) -> str:
    """Who uses what is short, and what would cover it."""
    if row.kind != "insufficient_licenses" or not row.missing:
        return ""
    parts = []
    named = [one for one in row.used_by if one.name]
    if named:
        used = _(", ").join(f"{one.name} {words.num(one.quantity)}" for one in named)
        rest = row.users - len(named)
        if rest > 0:
            text = ngettext(
                "Used by %(devices)s and %(count)s more device.",
                "Used by %(devices)s and %(count)s more devices.",
                rest,
            )
            parts.append(text % {"devices": used, "count": words.num(rest)})
        else:
            parts.append(_("Used by %(devices)s.") % {"devices": used})
    if row.spares:
        spare = _(", ").join(
            f"{one.virtual_account} {words.num(one.quantity)}" + ("" if one.sku == row.data["sku"] else f" ({one.sku})")
            for one in row.spares
        )
        parts.append(_("Spare: %(places)s.") % {"places": spare})
    else:
        parts.append(_("No other virtual account that you see has spare ones."))
    return parts[0] if len(parts) == 1 else _("%(used)s %(spare)s") % {"used": parts[0], "spare": parts[1]}


def source_url(here: Here, row: AlertRow) -> str:
    """The page where the matter is seen and settled."""
    place = {"va": row.virtual_account_uid} if row.virtual_account_uid else {"va": None}
    match row.kind:
        case "insufficient_licenses" | "ending":
            return here.url("licenses-detail", tag=row.data["tag"], **place)
        case "ended":
            return here.url("ends-ended", **place)
        case "agreement_pending" | "agreement_updated":
            return reverse("agreements-list", kwargs={"identifier": _identifier(here)})
        case "order_waiting":
            return here.url("orders-detail", uid=row.source, va=None)
        case "access_request_waiting":
            return reverse("access_requests-list", kwargs={"identifier": _identifier(here)})
        case "transfer_waiting":
            return here.url("transfers-request", waiting=row.source, **place)
        case "token_about_to_end":
            return here.url("tokens-detail", registration=row.source, **place)
        case "reserved_license_ended" | "reserved_licenses_returned":
            return here.url("reservations-detail", reservation=row.source.partition(":")[0], **place)
        case _:
            return here.url("devices-detail", device=row.source, **place)


ACTS: dict[str, Any] = {
    "insufficient_licenses": lazy("Transfer or see what covers it"),
    "ending": lazy("See what ends"),
    "ended": lazy("See what ended"),
    "agreement_pending": lazy("Check the content"),
    "agreement_updated": lazy("Check the content"),
    "order_waiting": lazy("Assign"),
    "access_request_waiting": lazy("Answer the request"),
    "transfer_waiting": lazy("Approve or decline"),
    "duplicate_licenses": lazy("Open the device"),
    "instance_failed_to_connect": lazy("Open the device"),
    "instance_failed_to_renew": lazy("Open the device"),
    "identity_used_twice": lazy("Open the device"),
    "token_about_to_end": lazy("Open the token"),
    "reserved_license_ended": lazy("Open the reservation"),
    "reserved_licenses_returned": lazy("Open the reservation"),
}


def _identifier(here: Here) -> str:
    return here.account.identifier


class AlertList(ListPage):
    key = "alerts"
    title = lazy("Alerts")
    text_label = lazy("Filter by license, device, order or person")
    default_sort = ""
    default_size = 50
    here: Here
    empty = Empty(lazy("Nothing needs anybody"), lazy("There are no alerts."))

    @property
    def filters(self) -> list[Any]:  # type: ignore[override]
        kinds = [(code, KINDS[code].label) for code in kinds_for(self.here.actor, self.here.account)]
        return [
            ChoiceFilter("severity", lazy("Severity"), SEVERITIES),
            ChoiceFilter("kind", lazy("Kind"), kinds),
            FlagFilter("hidden", lazy("Show hidden")),
        ]

    @property
    def columns(self) -> list[Column]:  # type: ignore[override]
        return [
            Column("message", lazy("Message"), value=message, link=lambda row: source_url(self.here, row)),
            Column("severity", lazy("Severity"), kind="severity"),
            Column("kind", lazy("Kind"), value=lambda row: KINDS[row.kind].label, optional=True),
            Column("virtual_account", lazy("Virtual account"), value=lambda row: row.virtual_account, phone=True),
            Column("due", lazy("Action due"), kind="date", value=self.due, phone=True),
            Column("since", lazy("Since when"), kind="datetime"),
            Column("hidden_until", lazy("Hidden until"), kind="date", value=self.hidden, optional=True),
        ]

    def due(self, row: AlertRow) -> dt.date | None:
        """An end is an instant after the last day; people read the day."""
        if row.due is None:
            return None
        return last_day(row.due, self.here.account.time_zone)

    def hidden(self, row: AlertRow) -> dt.date | None:
        return last_day(row.hidden_until, self.here.account.time_zone) if row.hidden_until else None

    def fetch(self, q: ListQuery) -> Any:
        wanted = AlertFilter(
            severity=q.filters.get("severity", ""),
            kind=q.filters.get("kind", ""),
            text=q.text,
            hidden=bool(q.filters.get("hidden")),
        )
        return list_alerts(
            self.here.actor,
            self.here.account,
            self.here.va,
            wanted=wanted,
            cursor=q.cursor,
            size=q.size,
        )

    def row_note(self, row: AlertRow) -> str:
        return details(row)

    def row_menu(self, row: AlertRow) -> list[kit.MenuItem]:
        items = [kit.MenuItem(ACTS[row.kind], source_url(self.here, row), "arrow-right")]
        if not row.may_answer:
            return items
        if row.hidden_until:
            return [
                *items,
                kit.MenuItem(_("Show again"), self.here.url("alerts-show", alert=row.uid), "eye", post=True),
            ]
        hide_url = self.here.url("alerts-hide", alert=row.uid)
        days = ngettext("Hide for %(count)s day", "Hide for %(count)s days", USUAL_DAYS) % {"count": USUAL_DAYS}
        return [
            *items,
            kit.MenuItem(days, hide_url, "eye-off", post=True),
            kit.MenuItem(_("Hide until…"), hide_url, "calendar-due"),
        ]


@account_page(Permission.ALERTS_VIEW)
def alert_list(request: HttpRequest, here: Here) -> HttpResponseBase:
    settings = reverse("notifications-settings", kwargs={"identifier": _identifier(here)})
    actions = [kit.MenuItem(_("Choose notifications"), settings, "mail")]
    return AlertList(request, here=here).response({"actions": actions})


class HideForm(forms.Form):
    until = forms.DateField(
        label=lazy("Hide until"), widget=kit.DateInput(), help_text=lazy("The alert comes back after this day.")
    )


@account_page(Permission.ALERTS_VIEW)
def hide(request: HttpRequest, here: Here, alert: str) -> HttpResponseBase:
    """At once for 30 days from the menu; with a day of one's own by the form."""
    row = get_alert(here.actor, here.account, alert)
    day = today(here.account.time_zone) + dt.timedelta(days=USUAL_DAYS)
    posted = request.POST if "until" in request.POST else None
    form = HideForm(posted, initial={"until": day})
    if request.method == "POST" and (posted is None or form.is_valid()):
        try:
            hidden = hide_alert(
                here.actor, account=here.account, uid=alert, until=form.cleaned_data["until"] if posted else None
            )
        except BusinessError as error:
            if error.http_status in (403, 404):
                raise
            show_errors(form, error)
        else:
            until = last_day(hidden.hidden_until, here.account.time_zone) if hidden.hidden_until else day
            text = _("The alert is hidden until %(day)s.") % {"day": words.date(until)}
            kit.tell(request, "done", text, undo=here.url("alerts-show", alert=alert))
            return HttpResponseRedirect(here.url("alerts-list"))
    context = {
        "title": _("Hide the alert"),
        "crumbs": [kit.Crumb(_("Alerts"), here.url("alerts-list")), kit.Crumb(_("Hide the alert"))],
        "form": form,
        "message": message(row),
        "details": details(row),
        "back": here.url("alerts-list"),
    }
    return render(request, "alerts/hide.html", context, status=422 if form.is_bound and form.errors else 200)


@account_page(Permission.ALERTS_VIEW)
def show(request: HttpRequest, here: Here, alert: str) -> HttpResponseBase:
    if request.method == "POST":
        show_alert(here.actor, account=here.account, uid=alert)
        kit.tell(request, "done", _("The alert is shown again."))
    return HttpResponseRedirect(here.url("alerts-list"))
