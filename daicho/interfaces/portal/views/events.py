"""イベントログ: who did what, what was before and after; as a file with its seal, and the proof of the seal."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.http import (
    FileResponse,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from daicho.core import clock, tabular
from daicho.domain.access.commands.events import export_all_events, export_events
from daicho.domain.access.event_export import COLUMNS, cells, json_lines
from daicho.domain.access.queries_events import (
    EventFilter,
    EventPage,
    EventRow,
    EventSight,
    get_event,
    list_events,
    look_at_all_events,
    look_at_events,
    sealed_rows,
)
from daicho.domain.access.rules import OperatorPermission, Permission
from daicho.domain.audit.kinds import LICENSE_KINDS, OPERATOR_KINDS
from daicho.domain.audit.seal import seal_pending, seal_status, verify_lines
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal import words
from daicho.interfaces.portal.events_text import (
    GROUP_WORDS,
    INTERFACE_WORDS,
    changes,
    changes_text,
    moment,
    sentence,
    who,
)
from daicho.interfaces.portal.lists import (
    ChoiceFilter,
    Column,
    DateFilter,
    Empty,
    ListPage,
    ListQuery,
    TextFilter,
    told,
)
from daicho.interfaces.portal.web import Here, account_page, operator_page

FILES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "json": "application/json; charset=utf-8",
}
LICENSE_GROUPS = {kind.partition(".")[0] for kind in LICENSE_KINDS}
OPERATOR_ONLY = {kind.partition(".")[0] for kind in OPERATOR_KINDS}


def from_where(row: EventRow) -> str:
    """Through which interface, and from which network address."""
    return " ".join(part for part in (str(INTERFACE_WORDS.get(row.interface, row.interface)), row.address) if part)


def side(row: EventRow) -> str:
    return row.virtual_account.name if row.virtual_account else ""


def groups(page: ListPage) -> list[tuple[str, Any]]:
    """The kinds a reader can ask for: without those he never sees."""
    unseen: frozenset[str] = getattr(page, "unseen", frozenset())
    return [(code, word) for code, word in GROUP_WORDS.items() if code not in unseen]


class EventList(ListPage):
    key = "events"
    title = lazy("Event log")
    text_label = lazy("Filter by target, person or memo")
    default_sort = ""
    default_size = 50
    sight: EventSight
    unseen: frozenset[str] = frozenset()
    detail_url: Callable[[EventRow], str] | None = None
    seal_for_file: Callable[[EventFilter, str], EventSight]
    filters = (
        ChoiceFilter("kind", lazy("Kind"), groups),
        TextFilter("who", lazy("Who")),
        DateFilter("since", lazy("From date")),
        DateFilter("until", lazy("Until date")),
    )
    empty = Empty(lazy("No events yet"), lazy("Whatever anybody does in this account appears here."))

    @property
    def columns(self) -> list[Column]:  # type: ignore[override]
        return [
            Column("at", lazy("Time"), kind="datetime", link=self.detail_url),
            Column("who", lazy("Who"), value=who, phone=True),
            Column("what", lazy("What"), value=sentence, phone=True),
            Column("virtual_account", lazy("Virtual account"), value=side),
            Column("changes", lazy("Before → after"), value=changes_text),
            Column("from", lazy("From where"), value=from_where),
            Column("memo", lazy("Memo"), optional=True),
            Column("account", lazy("Account"), optional=True),
            Column("kind", lazy("Code"), kind="code", optional=True),
        ]

    def wanted(self, q: ListQuery) -> EventFilter:
        """The conditions; a day means the whole day in the reader's zone."""
        return EventFilter(
            text=q.text,
            who=q.filters.get("who", ""),
            kind=q.filters.get("kind", ""),
            subject_uid=self.request.GET.get("subject", "")[:40],
            since=_midnight(q.filters.get("since")),
            until=_midnight(q.filters.get("until"), 1),
        )

    def fetch(self, q: ListQuery) -> EventPage:
        return list_events(self.sight, self.wanted(q), cursor=q.cursor, size=q.size, count=True)

    def response(self, context: Any = None) -> HttpResponse | StreamingHttpResponse:
        wanted = self.request.GET.get("export", "")
        if self.request.method == "GET" and wanted in FILES:
            return self.sealed_file(wanted)
        return super().response(context)

    def sealed_file(self, file_format: str) -> HttpResponse | StreamingHttpResponse:
        """Everything that is filtered, with digest and block; what was not sealed yet is sealed first."""
        conditions = self.wanted(self.query())
        seal_pending()
        rows = sealed_rows(self.seal_for_file(conditions, file_format), conditions)
        answer: HttpResponse | StreamingHttpResponse
        told_rows = told(self.request, rows)
        if file_format == "xlsx":
            answer = FileResponse(tabular.xlsx_file(COLUMNS, map(cells, told_rows), sheet=str(self.title)))
        else:
            lines = json_lines(rows) if file_format == "json" else tabular.csv_lines(COLUMNS, map(cells, told_rows))
            answer = StreamingHttpResponse(_encoded(lines))
        stamp = f"{timezone.localtime(clock.now()):%Y%m%d-%H%M}"
        answer["Content-Type"] = FILES[file_format]
        answer["Content-Disposition"] = f'attachment; filename="events-{stamp}.{file_format}"'
        return answer


def _encoded(lines: Iterable[str]) -> Iterator[bytes]:
    return (line.encode() for line in lines)


def _midnight(day: dt.date | None, later: int = 0) -> dt.datetime | None:
    if day is None:
        return None
    return clock.start_of_day(day + dt.timedelta(days=later), timezone.get_current_timezone_name())


@account_page(Permission.EVENTS_VIEW)
def event_list(request: HttpRequest, here: Here) -> HttpResponseBase:
    sight = look_at_events(here.actor, here.account, here.va)

    def note_export(conditions: EventFilter, file_format: str) -> EventSight:
        return export_events(
            here.actor, account=here.account, virtual_account=here.va, wanted=conditions, file_format=file_format
        )

    unseen: set[str] = OPERATOR_ONLY - {"support"}
    if not here.may(Permission.EVENTS_VIEW_LICENSES):
        unseen |= LICENSE_GROUPS
    page = EventList(
        request,
        sight=sight,
        unseen=frozenset(unseen),
        seal_for_file=note_export,
        detail_url=lambda row: here.url("events-detail", event=row.uid),
    )
    return page.response({"actions": _acts(here, page), "facts": seal_text()})


def _acts(here: Here, page: EventList) -> list[kit.MenuItem]:
    return [
        kit.MenuItem(_("Check the seal"), here.url("events-verify"), "certificate", post=True),
        kit.MenuItem(_("Export as JSON"), f"{page.link()}&export=json", "download"),
    ]


def seal_text() -> str:
    """How far the chain reaches, in a line."""
    status = seal_status()
    if not status.blocks or status.sealed_at is None:
        return _("Events are sealed within a minute.")
    values = {"block": words.num(status.blocks), "time": words.datetime(status.sealed_at)}
    return _("Sealed up to block %(block)s, %(time)s.") % values


@account_page(Permission.EVENTS_VIEW)
def verify(request: HttpRequest, here: Here) -> HttpResponseBase:
    """Prove the lines that the reader sees: the newest 10,000."""
    url = here.url("events-list")
    if request.method != "POST":
        return HttpResponseRedirect(url)
    seal_pending()
    count, wrong = verify_lines(look_at_events(here.actor, here.account, here.va).lines)
    if wrong:
        kit.tell(request, "error", str(wrong))
    else:
        text = ngettext("%(count)s event is as it was sealed.", "%(count)s events are as they were sealed.", count)
        kit.tell(request, "done", text % {"count": words.num(count)})
    return HttpResponseRedirect(url)


@account_page(Permission.EVENTS_VIEW)
def detail(request: HttpRequest, here: Here, event: str) -> HttpResponseBase:
    sight = look_at_events(here.actor, here.account, here.va)
    row = get_event(sight, event)
    same_act = list_events(sight, EventFilter(act=row.act), size=50).rows
    context = {
        "title": sentence(row),
        "crumbs": [kit.Crumb(_("Event log"), here.url("events-list")), kit.Crumb(words.datetime(row.at))],
        "facts": [
            kit.Fact(_("Time"), words.datetime(row.at, zone=True)),
            kit.Fact(_("Who"), who(row)),
            kit.Fact(_("From where"), from_where(row)),
            kit.Fact(_("Virtual account"), side(row) or words.NOTHING),
            kit.Fact(_("What it is about"), row.subject or words.NOTHING),
            kit.Fact(_("Memo"), row.memo or words.NOTHING),
            kit.Fact(_("Code"), row.kind),
            kit.Fact(_("Seal"), _seal(row)),
        ],
        "changes": changes(row),
        "others": [
            moment(one, here.url("events-detail", event=one.uid))
            for one in same_act
            if one.uid != row.uid
        ],
        "subject_url": f"{here.url('events-list')}?subject={row.subject_uid}" if row.subject_uid else "",
    }  # fmt: skip
    return render(request, "events/detail.html", context)


def _seal(row: EventRow) -> str:
    if row.block is None:
        return _("Not sealed yet")
    return _("Block %(block)s, digest %(digest)s") % {"block": words.num(row.block), "digest": row.digest[:16]}


@operator_page(OperatorPermission.SUPPORT)
def operator_list(request: HttpRequest, here: Here) -> HttpResponseBase:
    def note_export(conditions: EventFilter, file_format: str) -> EventSight:
        return export_all_events(here.actor, wanted=conditions, file_format=file_format)

    page = EventList(
        request,
        sight=look_at_all_events(here.actor),
        unseen=frozenset(LICENSE_GROUPS),
        seal_for_file=note_export,
    )
    actions = [
        kit.MenuItem(_("Check the seal"), reverse("operator_status-page"), "certificate"),
        kit.MenuItem(_("Export as JSON"), f"{page.link()}&export=json", "download"),
    ]
    return page.response({"actions": actions, "facts": seal_text(), "frame": "frames/operator.html"})
