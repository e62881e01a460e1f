"""Who reads which lines of the event log (S3): the log itself stands below the door, so its readers stand here.

Account-wide roles see every line of the account, an approver those without licenses; within a virtual account one sees
its lines only, and the other side of an act only where one may see that side too.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from daicho.core.actor import Actor
from daicho.core.errors import NotFound
from daicho.core.paging import Page, keyset_page
from daicho.core.text import clean
from daicho.domain.access.policy import ensure_may, ensure_operator
from daicho.domain.access.rules import OperatorPermission, Permission
from daicho.domain.audit.kinds import KINDS, LICENSE_KINDS
from daicho.domain.audit.models import Event, Seal
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount

ORDER = ("-at", "-uid")
GROUPS = tuple(sorted({kind.partition(".")[0] for kind in KINDS}))
"""What stands before the dot of a kind: a filter takes one of these or a whole kind."""


@dataclass(frozen=True, slots=True)
class EventSight:
    """The lines an actor may read. `visible`: ids of virtual accounts whose words may be shown, None for all."""

    lines: QuerySet[Event]
    visible: frozenset[int] | None


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Conditions on the log; empty ones do not count. `until` is exclusive. `text` looks at subject, person and memo."""

    text: str = ""
    who: str = ""
    kind: str = ""
    subject_uid: str = ""
    subject_uids: tuple[str, ...] = ()
    act: uuid.UUID | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None

    def narrow(self, lines: QuerySet[Event]) -> QuerySet[Event]:
        if self.kind:
            lines = lines.filter(kind=self.kind) if "." in self.kind else lines.filter(kind__startswith=f"{self.kind}.")
        if self.subject_uid:
            lines = lines.filter(subject_uid=self.subject_uid)
        if self.subject_uids:
            lines = lines.filter(subject_uid__in=self.subject_uids)
        if self.act:
            lines = lines.filter(act=self.act)
        if self.since:
            lines = lines.filter(at__gte=self.since)
        if self.until:
            lines = lines.filter(at__lt=self.until)
        if self.who:
            lines = lines.filter(actor_name__icontains=clean(self.who))
        if self.text:
            text = clean(self.text)
            lines = lines.filter(Q(subject__icontains=text) | Q(actor_name__icontains=text) | Q(memo__icontains=text))
        return lines


@dataclass(frozen=True, slots=True)
class Side:
    """A virtual account as a line names it."""

    uid: str
    name: str


@dataclass(frozen=True, slots=True)
class EventRow:
    """A line as its reader may see it. `other_hidden`: there is another side, which he may not see."""

    uid: str
    at: dt.datetime
    kind: str
    act: uuid.UUID
    actor_kind: str
    actor_name: str
    interface: str
    address: str
    account: str
    virtual_account: Side | None
    other: Side | None
    other_hidden: bool
    subject: str
    subject_uid: str
    before: Any
    after: Any
    memo: str
    digest: str = ""
    block: int | None = None
    block_hash: str = ""


@dataclass(frozen=True, slots=True)
class EventPage:
    """Rows of the log and the cursors of their neighbours."""

    rows: list[EventRow]
    next_cursor: str | None
    previous_cursor: str | None
    count: int | None = None
    count_is_exact: bool = True


def look_at_events(actor: Actor, account: SmartAccount, virtual_account: VirtualAccount | None = None) -> EventSight:
    """The lines of an account (or one virtual account) that the actor may read, or NotFound."""
    scope = ensure_may(actor, Permission.EVENTS_VIEW, account, virtual_account)
    lines = Event.objects.filter(account=account)
    visible = scope.virtual_account_ids(Permission.EVENTS_VIEW)
    with_licenses = scope.virtual_account_ids(Permission.EVENTS_VIEW_LICENSES)
    if visible is not None:
        lines = lines.filter(virtual_account__in=visible)
    if with_licenses is not None:
        lines = lines.filter(~Q(kind__in=LICENSE_KINDS) | Q(virtual_account__in=with_licenses))
    if virtual_account is not None:
        lines = lines.filter(virtual_account=virtual_account)
    names = scope.virtual_account_ids(Permission.VIRTUAL_ACCOUNTS_VIEW)
    return EventSight(lines, None if names is None else frozenset(names))


def look_at_all_events(actor: Actor) -> EventSight:
    """The installation's own lines and the account-wide ones, for the operator; never a license line (support.viewed)."""
    ensure_operator(actor, OperatorPermission.SUPPORT)
    return EventSight(Event.objects.exclude(kind__in=LICENSE_KINDS), None)


def list_events(
    sight: EventSight,
    wanted: EventFilter,
    *,
    cursor: str | None = None,
    size: int = 50,
    count: bool = False,
    sealed: bool = False,
) -> EventPage:
    """One page of the log, newest first; `sealed` adds digests and blocks. Raises `bad_cursor`."""
    lines = wanted.narrow(sight.lines).select_related("account", "virtual_account", "other_virtual_account")
    page: Page[Event] = keyset_page(lines, ORDER, cursor=cursor, size=size, count=count)
    rows = list(_with_seals(sight, page.rows)) if sealed else [_row(sight, event) for event in page.rows]
    return EventPage(rows, page.next_cursor, page.previous_cursor, page.count, page.count_is_exact)


def get_event(sight: EventSight, uid: str) -> EventRow:
    """One line with its seal, or NotFound."""
    rows = list(describe_sealed(EventSight(sight.lines.filter(uid=uid), sight.visible)))
    if not rows:
        raise NotFound
    return rows[0]


def latest_events(
    actor: Actor,
    account: SmartAccount,
    virtual_account: VirtualAccount | None = None,
    *,
    subject_uid: str = "",
    subject_uids: tuple[str, ...] = (),
    limit: int = 10,
) -> list[EventRow]:
    """The last lines of an account, a virtual account or some subjects, for home and detail pages."""
    sight = look_at_events(actor, account, virtual_account)
    return list_events(sight, EventFilter(subject_uid=subject_uid, subject_uids=subject_uids), size=limit).rows


def sealed_rows(sight: EventSight, wanted: EventFilter) -> Iterator[EventRow]:
    """All lines with their digests and blocks, oldest first, however many: what an export carries."""
    yield from describe_sealed(EventSight(wanted.narrow(sight.lines).order_by("at", "uid"), sight.visible))


def describe_sealed(sight: EventSight) -> Iterator[EventRow]:
    """The lines of a sight with their digests and blocks."""
    lines = sight.lines.select_related("account", "virtual_account", "other_virtual_account")
    batch: list[Event] = []
    for event in lines.iterator(chunk_size=500):
        batch.append(event)
        if len(batch) == 500:
            yield from _with_seals(sight, batch)
            batch = []
    yield from _with_seals(sight, batch)


def _with_seals(sight: EventSight, events: list[Event]) -> Iterator[EventRow]:
    seals = {s.event_id: s for s in Seal.objects.filter(event_id__in=[e.pk for e in events]).select_related("block")}
    for event in events:
        yield _row(sight, event, seals.get(event.pk))


def _row(sight: EventSight, event: Event, seal: Seal | None = None) -> EventRow:
    other = event.other_virtual_account
    hidden = other is not None and sight.visible is not None and other.pk not in sight.visible
    return EventRow(
        uid=event.uid,
        at=event.at,
        kind=event.kind,
        act=event.act,
        actor_kind=event.actor_kind,
        actor_name=event.actor_name,
        interface=event.interface,
        address=event.address,
        account=event.account.identifier if event.account else "",
        virtual_account=_side(event.virtual_account),
        other=None if hidden else _side(other),
        other_hidden=hidden,
        subject=event.subject,
        subject_uid=event.subject_uid,
        before=event.before,
        after=event.after,
        memo=event.memo,
        digest=seal.digest if seal else "",
        block=seal.block.number if seal else None,
        block_hash=seal.block.hash if seal else "",
    )


def _side(virtual_account: VirtualAccount | None) -> Side | None:
    return Side(virtual_account.uid, virtual_account.name) if virtual_account else None
