"""Who moved what: the entries in sight, and one of them line by line. What lies out of sight has no name here."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Exists, Min, OuterRef, Q, QuerySet, Sum

from daicho.core.clock import start_of_day
from daicho.core.errors import NotFound
from daicho.core.paging import Page, keyset_page
from daicho.core.text import clean
from daicho.domain.catalog.models import LicenseTag
from daicho.domain.ledger.models import Entry, Lot, Place, Pool, Posting, TransferRequest, UseChange
from daicho.domain.ledger.models.moves import TRANSFERS
from daicho.domain.ledger.queries.sight import Sight, tags_named
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount

MOST_LINES = 10_000  # of one act
TRANSFER_KINDS = tuple(map(Entry.Kind, TRANSFERS))


@dataclass(frozen=True, slots=True)
class Side:
    """One side of an act: virtual accounts that the reader may see, places outside, and whether something is hidden."""

    virtual_accounts: tuple[VirtualAccount, ...] = ()
    more: int = 0
    outside: tuple[str, ...] = ()
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class EntryRow:
    """An act that moved licenses, as far as the reader may see it."""

    entry: Entry
    source: Side
    target: Side
    quantity: int
    tag_count: int
    sku: str
    reversed_by: Entry | None
    may_undo: bool


@dataclass(frozen=True, slots=True)
class EntryLine:
    """So many of a lot from here to there. None: outside of all virtual accounts (see the place's kind), or hidden."""

    lot: Lot
    quantity: int
    source_kind: str
    source: VirtualAccount | None
    source_hidden: bool
    target_kind: str
    target: VirtualAccount | None
    target_hidden: bool


@dataclass(frozen=True, slots=True)
class EntryCriteria:
    """What the reader asks for; empty means any. Dates are days in the account's zone, both included."""

    text: str = ""
    kinds: tuple[str, ...] = TRANSFER_KINDS
    tag_uid: str = ""
    sku: str = ""
    since: dt.date | None = None
    until: dt.date | None = None
    undone: bool | None = None


def _visible(sight: Sight, tag: LicenseTag | None = None) -> Q:
    """Entries with a posting or a use that touches a virtual account in scope."""
    if sight.sees_all and sight.only is None and tag is None:
        return Q(account=sight.account)
    postings = Posting.objects.filter(entry=OuterRef("pk"))
    uses = UseChange.objects.filter(entry=OuterRef("pk"))
    if tag is not None:
        postings, uses = postings.filter(lot__tag=tag), uses.filter(tag=tag)
    touched = postings.filter(sight.condition("source__virtual_account") | sight.condition("target__virtual_account"))
    used = uses.filter(sight.condition("pool_before__virtual_account") | sight.condition("pool_after__virtual_account"))
    return Q(Exists(touched)) | Q(Exists(used))


def _matching(sight: Sight, criteria: EntryCriteria) -> QuerySet[Entry]:
    found = Entry.objects.filter(_visible(sight), account=sight.account)
    if criteria.kinds:
        found = found.filter(kind__in=criteria.kinds)
    for word in clean(criteria.text).split():
        of_tag = Posting.objects.filter(entry=OuterRef("pk"), lot__tag__in=tags_named(word))
        found = found.filter(
            Q(memo__icontains=word) | Q(actor_name__icontains=word) | Q(uid=word.lower()) | Q(Exists(of_tag))
        )
    zone = sight.account.time_zone
    if criteria.since:
        found = found.filter(at__gte=start_of_day(criteria.since, zone))
    if criteria.until:
        found = found.filter(at__lt=start_of_day(criteria.until + dt.timedelta(days=1), zone))
    if criteria.undone is not None:
        found = found.filter(reversed_by__isnull=not criteria.undone)
    if criteria.tag_uid or criteria.sku:
        named = {"lot__tag__uid": criteria.tag_uid} if criteria.tag_uid else {"lot__tag__sku": criteria.sku}
        lines = Posting.objects.filter(entry=OuterRef("pk"), **named)
        found = found.filter(Exists(lines))
    return found.select_related("reversed_by", "reverses")


def list_entries(
    sight: Sight, criteria: EntryCriteria, *, cursor: str | None = None, size: int = 25, oldest_first: bool = False
) -> Page[EntryRow]:
    """One page of acts, the newest first."""
    order = ("at", "uid") if oldest_first else ("-at", "-uid")
    page = keyset_page(_matching(sight, criteria), order, cursor=cursor, size=size)
    return Page(_rows(sight, page.rows), page.next_cursor, page.previous_cursor)


def _rows(sight: Sight, entries: list[Entry]) -> list[EntryRow]:
    ids = [entry.pk for entry in entries]
    postings = Posting.objects.filter(entry__in=ids)
    if not sight.sees_all:
        visible = sight.all_virtual_accounts().values("pk")
        postings = postings.filter(Q(source__virtual_account__in=visible) | Q(target__virtual_account__in=visible))
    sides = _sides(postings)
    tags = {
        row["entry_id"]: row
        for row in postings.values("entry_id")
        .annotate(tags=Count("lot__tag", distinct=True), sku=Min("lot__tag__sku"))
        .order_by()
    }
    moved = [entry.pk for entry in entries if entry.kind == Entry.Kind.MOVE_UNIT]
    if moved:
        changes = _visible_changes(sight, moved)
        sides += _sides_by_use(changes)
        tagged = changes.values("entry_id").annotate(tags=Count("tag", distinct=True), sku=Min("tag__sku")).order_by()
        tags |= {row["entry_id"]: row for row in tagged}
    wanted = {va for row in sides for va in (row[1], row[3]) if sight.sees(va)}
    places = VirtualAccount.objects.in_bulk(wanted)
    by_entry: dict[int, list[tuple[int | None, str, int | None, str, int]]] = defaultdict(list)
    for entry_id, va, kind, tva, tkind, total in sides:
        by_entry[entry_id].append((va, kind, tva, tkind, total))
    rows = []
    for entry in entries:
        moves = by_entry[entry.pk]
        tag = tags.get(entry.pk)
        reversed_by = getattr(entry, "reversed_by", None)
        rows.append(
            EntryRow(
                entry=entry,
                source=_side(sight, places, [(va, kind) for va, kind, _tva, _tkind, _n in moves]),
                target=_side(sight, places, [(tva, tkind) for _va, _kind, tva, tkind, _n in moves]),
                quantity=sum(move[-1] for move in moves),
                tag_count=tag["tags"] if tag else 0,
                sku=(tag["sku"] if tag else None) or "",
                reversed_by=reversed_by,
                may_undo=_may_undo(sight, entry, reversed_by, moves),
            )
        )
    return rows


def _sides(postings: QuerySet[Posting]) -> list[tuple[int, int | None, str, int | None, str, int]]:
    """Entry, virtual account and kind of source and target, how many: the most first. Places are few: read by key."""
    moved = list(postings.values_list("entry_id", "source_id", "target_id").annotate(total=Sum("quantity")).order_by())
    known = Place.objects.in_bulk({place for _entry, source, target, _n in moved for place in (source, target)})
    sums: dict[tuple[int, int | None, str, int | None, str], int] = defaultdict(int)
    for entry, source, target, total in moved:
        here, there = known[source], known[target]
        sums[entry, here.virtual_account_id, here.kind, there.virtual_account_id, there.kind] += total
    return sorted(((*key, total) for key, total in sums.items()), key=lambda row: (row[0], -row[-1]))


def _visible_changes(sight: Sight, ids: list[int]) -> QuerySet[UseChange]:
    changes = UseChange.objects.filter(entry__in=ids)
    if sight.sees_all:
        return changes
    visible = sight.all_virtual_accounts().values("pk")
    return changes.filter(Q(pool_before__virtual_account__in=visible) | Q(pool_after__virtual_account__in=visible))


def _sides_by_use(changes: QuerySet[UseChange]) -> list[tuple[int, int | None, str, int | None, str, int]]:
    """Acts that moved no lot but the use of a device: from pool to pool."""
    rows = changes.values_list("entry_id", "pool_before__virtual_account_id", "pool_after__virtual_account_id")
    on_hand = Place.Kind.ON_HAND
    return [
        (entry, before, on_hand, after, on_hand, total)
        for entry, before, after, total in rows.annotate(total=Sum("counted_after")).order_by()
    ]


def _side(sight: Sight, places: dict[int, VirtualAccount], ends: list[tuple[int | None, str]], most: int = 3) -> Side:
    seen: dict[int, VirtualAccount] = {}
    outside: dict[str, None] = {}
    hidden = False
    for va, kind in ends:
        if va is None:
            outside[kind] = None
        elif va in places:
            seen[va] = places[va]
        else:
            hidden = True
    return Side(tuple(seen.values())[:most], max(0, len(seen) - most), tuple(outside), hidden)


def _may_undo(
    sight: Sight, entry: Entry, reversed_by: Entry | None, moves: list[tuple[int | None, str, int | None, str, int]]
) -> bool:
    """Whether to offer the undo: the command asks the door and the ledger again."""
    touched = [va for va, _kind, tva, _tkind, _n in moves for va in (va, tva) if va is not None]
    return (
        entry.kind == Entry.Kind.TRANSFER
        and reversed_by is None
        and bool(moves)
        and all(sight.may_manage(va) for va in touched)
    )


def get_entry(sight: Sight, uid: str) -> EntryRow:
    """One act, or NotFound."""
    entry = (
        Entry.objects.filter(_visible(sight), account=sight.account, uid=uid)
        .select_related("reversed_by", "reverses")
        .first()
    )
    if entry is None:
        raise NotFound
    return _rows(sight, [entry])[0]


def entry_lines(sight: Sight, entry: Entry, *, limit: int = 1_000) -> list[EntryLine]:
    """The postings of a visible act that touch a virtual account in sight, `limit` at most."""
    postings = entry.postings.select_related(
        "lot", "lot__tag", "source", "source__virtual_account", "target", "target__virtual_account"
    ).order_by("lot__tag__sku_key", "pk")
    lines = []
    for posting in postings[: limit if sight.sees_all else MOST_LINES]:
        source, target = posting.source, posting.target
        sees = [sight.sees(place.virtual_account_id) for place in (source, target)]
        if not sight.sees_all and not any(sees):
            continue
        lines.append(
            EntryLine(
                posting.lot, posting.quantity,
                source.kind, source.virtual_account if sees[0] else None, _is_hidden(source, sees[0]),
                target.kind, target.virtual_account if sees[1] else None, _is_hidden(target, sees[1]),
            )
        )  # fmt: skip
    return lines[:limit]


def _is_hidden(place: Place, seen: bool) -> bool:
    return place.virtual_account_id is not None and not seen


def acts_on_lots(lot_ids: Iterable[int], *, limit: int = 20) -> list[str]:
    """Handles of the last acts that moved these lots, for the lines of the event log about them."""
    touched = Posting.objects.filter(lot__in=list(lot_ids)).values("entry")
    return list(Entry.objects.filter(pk__in=touched).order_by("-at", "-uid").values_list("uid", flat=True)[:limit])


def moves_again(sight: Sight, entry: Entry) -> list[tuple[Pool, VirtualAccount, int]]:
    """What a visible transfer moved, to be moved once more: from which pool, where to, how many; by license and source.

    Only from virtual accounts to virtual accounts whose licenses the reader may move now.
    """
    sums: dict[tuple[int, int, int], int] = defaultdict(int)
    places: dict[int, VirtualAccount] = {}
    for line in entry_lines(sight, entry, limit=MOST_LINES):
        source, target = line.source, line.target
        if source is None or target is None or not (sight.may_manage(source.pk) and sight.may_manage(target.pk)):
            continue
        places[target.pk] = target
        sums[source.pk, line.lot.tag_id, target.pk] += line.quantity
    found = Pool.objects.filter(
        account=sight.account, virtual_account__in={va for va, _, _ in sums}, tag__in={tag for _, tag, _ in sums},
        virtual_account__deleted_at=None,
    ).select_related("tag", "virtual_account")  # fmt: skip
    pools = {(pool.virtual_account_id, pool.tag_id): pool for pool in found}
    living = {va.pk for va in places.values() if va.deleted_at is None}
    return [
        (pools[va, tag], places[target], quantity)
        for (va, tag, target), quantity in sums.items()
        if (va, tag) in pools and target in living
    ]


def entries_of_license(sight: Sight, tag: LicenseTag, *, cursor: str | None = None, size: int = 25) -> Page[EntryRow]:
    """Every act that moved or used a license in scope, the newest first."""
    found = Entry.objects.filter(_visible(sight, tag), account=sight.account).select_related("reversed_by", "reverses")
    page = keyset_page(found, ("-at", "-uid"), cursor=cursor, size=size)
    return Page(_rows(sight, page.rows), page.next_cursor, page.previous_cursor)


def open_requests(sight: Sight, *, state: str = "open", limit: int = 200) -> list[TransferRequest]:
    """Transfers that wait for an approval at a source in scope, the oldest first (account setting)."""
    found = TransferRequest.objects.filter(sight.condition("source"), account=sight.account)
    if state:
        found = found.filter(state=state)
    return list(found.select_related("source", "entry").order_by("created_at", "uid")[:limit])


def get_request(sight: Sight, uid: str) -> TransferRequest:
    """One transfer request whose source is in sight, or NotFound."""
    found = TransferRequest.objects.filter(account=sight.account, uid=uid).select_related("source", "entry").first()
    if found is None or not sight.sees(found.source_id):
        raise NotFound
    return found


@dataclass(frozen=True, slots=True)
class Done:
    """What a request id led to: an entry, or a transfer request that waits."""

    entry_uid: str
    request_uid: str


def done_before(sight: Sight, request_id: str) -> Done | None:
    """What the same request did, if it was sent before: a double click is led to the first result."""
    try:
        key = uuid.UUID(request_id)
    except ValueError:
        return None
    waiting = TransferRequest.objects.filter(account=sight.account, request_id=key).first()
    entry = Entry.objects.filter(account=sight.account, request_id=key).first()
    if waiting is None and entry is None:
        return None
    return Done(entry.uid if entry else "", waiting.uid if waiting else "")


@dataclass(frozen=True, slots=True)
class LatestChange:
    """Who last changed the figures of some pools, and when. A change by the clock has no name."""

    actor_name: str
    at: dt.datetime


def latest_change(account: SmartAccount, places: list[tuple[int, int]]) -> LatestChange | None:
    """The last act on these (virtual account id, tag id), which the caller may see."""
    if not places:
        return None
    touched = Q(pk__in=[])
    for va, tag in places[:50]:
        touched |= Q(lot__tag_id=tag) & (Q(source__virtual_account_id=va) | Q(target__virtual_account_id=va))
    posting = Posting.objects.filter(touched, account=account).select_related("entry").order_by("-pk").first()
    if posting is None:
        return None
    by_person = posting.entry.actor_kind != "system"
    return LatestChange(posting.entry.actor_name if by_person else "", posting.entry.at)
