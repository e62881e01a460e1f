"""The facts of `world.py` become rows of every table: what the commands would have written, up to now.

Foreign keys are not asked while they are written; `check_ledger` proves the books afterwards.
"""

from __future__ import annotations

import datetime as dt
import json
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps

from benchmarks.bulk import insert, quick, stamp
from benchmarks.world import AccountFacts, Chance, Facts, LotFact
from daicho.core.text import name_key
from daicho.domain.ledger import rules

CLOCK, SYSTEM, DAY = "clock", "system", dt.timedelta(days=1)


def load(world: Facts) -> dict[str, float]:
    """Fill the migrated, empty database; returns the seconds that each part took."""
    loader = Loader(world)
    took: dict[str, float] = {}
    with quick():
        for part in (
            loader.catalog,
            loader.tenancy,
            loader.orders,
            loader.books,
            loader.devices,
            loader.pools,
            loader.events,
        ):
            started = time.perf_counter()
            part()
            took[part.__name__] = round(time.perf_counter() - started, 1)
        started = time.perf_counter()
    took["indexes"] = round(time.perf_counter() - started, 1)
    return took


@dataclass
class Shelf:
    """What a pool is made of, added up while lots are laid."""

    pending: int = 0
    on_hand: int = 0
    usage_on_hand: int = 0
    in_use: int = 0
    changes: list[dt.datetime] = field(default_factory=list)
    ends: list[dt.datetime] = field(default_factory=list)


class Loader:
    """Numbers rows by itself: the n-th thing of an account has the id `base + n`."""

    def __init__(self, world: Facts) -> None:
        self.world = world
        self.chance = Chance("rows")
        self.now = world.now
        self.bases: list[tuple[int, int]] = []  # first id of virtual accounts, of lots, per account
        places = lots = 1
        for account in world.accounts:
            self.bases.append((places, lots))
            places += len(account.virtual_accounts)
            lots += len(account.lots)
        self.shelves: dict[tuple[int, int], Shelf] = defaultdict(Shelf)  # by virtual account and tag
        self.account_of: dict[int, int] = {}
        self.pool_ids: dict[tuple[int, int], int] = {}

    def catalog(self) -> None:
        tags = self.world.tags
        insert(
            "catalog.Ladder",
            ("id", "uid", "name"),
            (
                (n + 1, self.chance.uid(), f"Ladder {n + 1}")
                for n in sorted({t.ladder for t in tags if t.ladder is not None})
            ),
        )
        insert(
            "catalog.LicenseTag",
            ("id", "uid", "sku", "sku_key", "name", "name_ja", "family", "enforcement", "ladder", "rank"),
            (
                (n, self.chance.uid(), t.sku, name_key(t.sku), t.name, t.name_ja, t.family, t.enforcement,
                 t.ladder + 1 if t.ladder is not None else None, t.rank)
                for n, t in enumerate(tags, 1)
            ),
        )  # fmt: skip
        insert(
            "catalog.Product",
            ("id", "uid", "vendor", "name", "part_number", "key"),
            (
                (n, self.chance.uid(), "Kasumi", f"ルーター KR-{n:02}", f"KR-{n:02}", f"kasumi kr-{n:02}")
                for n in range(1, 21)
            ),
        )

    def tenancy(self) -> None:
        insert(
            "tenancy.SmartAccount", ("id", "uid", "identifier", "name", "state", "good_standing_until", "activated_at"),
            (
                (n, self.chance.uid(), a.identifier, a.name, "active", "9999-01-01 00:00:00", stamp(self.now - 1200 * DAY))
                for n, a in enumerate(self.world.accounts, 1)
            ),
        )  # fmt: skip
        insert(
            "tenancy.VirtualAccount",
            ("id", "uid", "account", "name", "name_key", "parent", "path", "depth", "is_default", "visibility"),
            (row for n, account in enumerate(self.world.accounts) for row in self._virtual_accounts(n, account)),
        )

    def _virtual_accounts(self, number: int, account: AccountFacts) -> Iterator[tuple[Any, ...]]:
        base = self.bases[number][0]
        for n, name in enumerate(account.virtual_accounts):
            self.account_of[base + n] = number + 1
            path = [base + n]
            above = account.parents[n]
            while above is not None:
                path.insert(0, base + above)
                above = account.parents[above]
            parent = path[-2] if len(path) > 1 else None
            text = "/" + "".join(f"{step}/" for step in path)
            yield (base + n, self.chance.uid(), number + 1, name, name_key(name), parent, text, len(path), n == 0,
                   "public" if n == 0 else "private")  # fmt: skip

    def orders(self) -> None:
        rows: list[tuple[Any, ...]] = []
        self.order_base: list[int] = []
        for number, account in enumerate(self.world.accounts):
            self.order_base.append(len(rows) + 1)
            for n, at in enumerate(account.orders):
                name = f"PO-{number + 1}-{n:07}" if n % 3 else f"発注{at.year}-{number + 1}-{n:06}"
                rows.append((len(rows) + 1, self.chance.uid(), name, name_key(name), number + 1, stamp(at)[:10],
                             f"稟議第{n % 9999:04}号", "Operator", stamp(at)))  # fmt: skip
        self.order_rows = rows
        insert("orders.Order", ("id", "uid", "number", "number_key", "account", "ordered_on", "customer_reference",
                                "recorded_by_name", "created_at"), rows)  # fmt: skip
        self.line_uids = [self.chance.uid() for account in self.world.accounts for _ in account.lots]
        insert(
            "orders.OrderLine",
            ("id", "uid", "account", "order", "line_number", "tag", "quantity", "kind", "billing", "start_on", "end_on",
             "virtual_account", "state", "fingerprint", "created_at", "lot", "deposited_at"),
            (
                (pk, self.line_uids[pk - 1], a + 1, self.order_base[a] + lot.order, (pk - self.bases[a][1]) % 10 + 1 if
                 lot.order < len(account.orders) - 1 else pk - self.bases[a][1] - lot.order * 10 + 1, lot.tag + 1,
                 lot.quantity, lot.kind, lot.billing, stamp(lot.start + DAY / 2)[:10],
                 stamp(lot.end - DAY / 2)[:10] if lot.end else None,
                 self.bases[a][0] + lot.where if lot.where is not None else None,
                 "deposited" if lot.where is not None else "unassigned", "0" * 64, at, pk, at)
                for a, account, pk, lot, at in self._lots()
            ),
        )  # fmt: skip

    def _lots(self) -> Iterator[tuple[int, AccountFacts, int, LotFact, str]]:
        """Account's index, account, the lot's id, the lot, when it was deposited."""
        for number, account in enumerate(self.world.accounts):
            times = [stamp(at) for at in account.orders]
            for n, lot in enumerate(account.lots):
                yield number, account, self.bases[number][1] + n, lot, times[lot.order]

    def books(self) -> None:
        """Lots, and book 1: places, entries, postings, holdings."""
        insert(
            "ledger.Lot",
            ("id", "uid", "account", "tag", "kind", "billing", "start_at", "end_at", "order_number", "order_line_uid",
             "created_at"),
            (
                (pk, self.chance.uid(), a + 1, lot.tag + 1, lot.kind, lot.billing, stamp(lot.start),
                 stamp(lot.end) if lot.end else None, self.order_rows[self.order_base[a] + lot.order - 1][2],
                 self.line_uids[pk - 1], at)
                for a, _, pk, lot, at in self._lots()
            ),
        )  # fmt: skip
        outside = {place.kind: place.pk for place in apps.get_model("ledger.Place").objects.filter(account=None)}
        book = Book(outside["issued"], max(outside.values()))
        entries = Entries(self)
        for a in range(len(self.world.accounts)):
            book.place(a + 1, None, "unassigned")
        kinds = ("pending", "on_hand", "ended")
        for where, account_id in self.account_of.items():
            for kind in kinds:
                book.place(account_id, where, kind)
        for a, account, pk, lot, _ in self._lots():
            self._lay(book, entries, a, account, pk, lot)
        insert("ledger.Place", ("id", "account", "virtual_account", "kind"),
               ((pk, *key) for key, pk in book.places.items()))  # fmt: skip
        insert("ledger.Entry", ("id", "uid", "account", "request_id", "fingerprint", "kind", "actor_kind", "actor_name",
                                "at"), entries.rows)  # fmt: skip
        insert("ledger.Posting", ("account", "entry", "lot", "source", "target", "quantity"), book.postings)
        insert("ledger.Holding", ("account", "place", "lot", "is_issue", "quantity"),
               ((a, place, lot, place == book.issued, n) for (place, lot), (a, n) in book.holdings.items()))  # fmt: skip
        self.entries = entries

    def _lay(self, book: Book, entries: Entries, a: int, account: AccountFacts, pk: int, lot: LotFact) -> None:
        """Deposit, transfer half, start and end: what would have happened, up to now."""
        ordered = account.orders[lot.order]
        deposit = entries.of(("deposit", a, lot.order), a + 1, "deposit", "user", "Operator", ordered)
        if lot.where is None:
            book.post(a + 1, deposit, pk, book.issued, book.place(a + 1, None, "unassigned"), lot.quantity)
            return
        where = self.bases[a][0] + lot.where
        first = "pending" if lot.start > ordered else "on_hand"
        book.post(a + 1, deposit, pk, book.issued, book.place(a + 1, where, first), lot.quantity)
        parts = {where: lot.quantity}
        if lot.moved_to is not None:
            to, half = self.bases[a][0] + lot.moved_to, lot.quantity // 2
            entry = entries.of(("transfer", pk), a + 1, "transfer", "user", "管理 花子", ordered + DAY)
            book.post(a + 1, entry, pk, book.place(a + 1, where, first), book.place(a + 1, to, first), half)
            parts = {where: lot.quantity - half, to: half}
        for place, quantity in parts.items():
            ends = lot.end is not None and lot.end <= self.now
            if ends:
                clock = entries.of(("time", pk, place), a + 1, "time", SYSTEM, CLOCK, lot.end or self.now)
                book.post(
                    a + 1, clock, pk, book.place(a + 1, place, "on_hand"), book.place(a + 1, place, "ended"), quantity
                )
            shelf = self.shelves[place, lot.tag]
            if first == "pending":
                shelf.pending += quantity
                shelf.changes.append(lot.start)
            elif not ends:
                shelf.on_hand += quantity
                shelf.usage_on_hand += quantity if lot.billing == "usage" else 0
            if lot.end is not None and not ends:
                shelf.ends.append(lot.end)
                if first != "pending":
                    shelf.changes.append(lot.end)

    def devices(self) -> None:
        """Devices with their units, and book 2: uses and their changes."""
        facts = [(a, device) for a, account in enumerate(self.world.accounts) for device in account.devices]
        wheres = [self.bases[a][0] + device.where for a, device in facts]
        for (_, device), where in zip(facts, wheres, strict=True):
            if device.tag is not None:
                self.shelves[where, device.tag].in_use += device.quantity
        insert("ledger.Unit", ("id", "uid", "account", "virtual_account", "kind"),
               ((n, self.chance.uid(), a + 1, wheres[n - 1], "record") for n, (a, _) in enumerate(facts, 1)))  # fmt: skip
        insert(
            "devices.Device", ("uid", "account", "unit", "name", "name_key", "product_id", "serial", "catalog_product", "created_at"),
            (
                (self.chance.uid(), a + 1, n, f"rt-{n:06}", f"rt-{n:06}", f"KR-{n % 20:02}", f"JPN{n * 7919 % 10**8:08}",
                 n % 20 + 1, stamp(device.since))
                for n, (a, device) in enumerate(facts, 1)
            ),
        )  # fmt: skip
        self._number_pools()
        used = [(n, a, device, self.pool_ids[wheres[n - 1], device.tag])
                for n, (a, device) in enumerate(facts, 1) if device.tag is not None]  # fmt: skip
        insert("ledger.Use", ("account", "unit", "tag", "pool", "reported", "counted", "since"),
               ((a + 1, n, (d.tag or 0) + 1, pool, d.quantity, d.quantity, stamp(d.since)) for n, a, d, pool in used))  # fmt: skip
        insert(
            "ledger.UseChange",
            ("account", "unit", "tag", "request_id", "fingerprint", "pool_before", "counted_before", "pool_after",
             "counted_after", "act_class", "cause", "at"),
            (
                (a + 1, n, (d.tag or 0) + 1, uuid.UUID(int=n).hex, "0" * 64, None, 0, pool, d.quantity, "ask", "ask",
                 stamp(d.since))
                for n, a, d, pool in sorted(used, key=lambda one: one[2].since)
            ),
        )  # fmt: skip

    def _number_pools(self) -> None:
        """Whole ladders have pools once one tier is touched."""
        ladders: dict[int, list[int]] = defaultdict(list)
        for number, tag in enumerate(self.world.tags):
            if tag.ladder is not None:
                ladders[tag.ladder].append(number)
        for where, number in list(self.shelves):
            ladder = self.world.tags[number].ladder
            for tier in ladders[ladder] if ladder is not None else ():
                _ = self.shelves[where, tier]
        self.pool_ids = {key: pk for pk, key in enumerate(sorted(self.shelves), 1)}

    def pools(self) -> None:
        insert(
            "ledger.Pool",
            ("id", "uid", "account", "virtual_account", "tag", "pending", "on_hand", "usage_on_hand", "in_use", "lent",
             "borrowed", "metered", "next_change_at", "next_end_at"),
            self._pools(),
        )  # fmt: skip

    def _pools(self) -> Iterator[tuple[Any, ...]]:
        tags = self.world.tags
        ladders: dict[tuple[int, Any], list[tuple[int, int]]] = defaultdict(list)
        for key in self.pool_ids:
            ladder = tags[key[1]].ladder
            ladders[key[0], ("tag", key[1]) if ladder is None else ladder].append(key)
        for keys in ladders.values():
            shelves = [self.shelves[key] for key in keys]
            covers = rules.cover([rules.Tier(s.on_hand, s.in_use, s.usage_on_hand) for s in shelves])
            for key, shelf, cover in zip(keys, shelves, covers, strict=True):
                yield (self.pool_ids[key], self.chance.uid(), self.account_of[key[0]], key[0], key[1] + 1, shelf.pending,
                       shelf.on_hand, shelf.usage_on_hand, shelf.in_use, cover.lent, cover.borrowed, cover.metered,
                       stamp(min(shelf.changes)) if shelf.changes else None,
                       stamp(min(shelf.ends)) if shelf.ends else None)  # fmt: skip

    def events(self) -> None:
        """Two lines of the log for each order (recorded, deposited), one for each start, end and transfer."""
        insert(
            "audit.Event",
            ("uid", "account", "virtual_account", "kind", "act", "at", "actor_kind", "actor_name", "interface", "subject",
             "subject_uid", "after"),
            self._events(),
        )  # fmt: skip

    def _events(self) -> Iterator[tuple[Any, ...]]:
        kinds = {"deposit": "license.deposited", "transfer": "license.transferred", "time": "license.ended"}
        after = json.dumps(
            {"quantity": 10, "direction": "in", "on_hand": 100, "in_use": 0, "reserved": 0, "balance": 100}
        )
        for a in range(len(self.world.accounts)):
            for order in self.order_rows[self.order_base[a] - 1 :][: len(self.world.accounts[a].orders)]:
                yield (self.chance.uid(), a + 1, None, "order.recorded", uuid.UUID(int=order[0]).hex, order[8], "user",
                       "Operator", "portal", order[2], order[1], json.dumps({"partner": "", "count": 10, "lines": []}))  # fmt: skip
        for row in self.entries.rows:
            pk, uid, account, request, _, kind, actor_kind, actor, at = row
            first, count = self.bases[account - 1][0], len(self.world.accounts[account - 1].virtual_accounts)
            yield (self.chance.uid(), account, first + pk % count, kinds[kind], request, at, actor_kind, actor,
                   "portal" if actor_kind == "user" else "worker", self.world.tags[pk % 60].sku, uid, after)  # fmt: skip


class Book:
    """Postings, and what they add up to."""

    def __init__(self, issued: int, last_place: int) -> None:
        self.issued = issued
        self.last_place = last_place
        self.places: dict[tuple[int, int | None, str], int] = {}
        self.postings: list[tuple[int, int, int, int, int, int]] = []
        self.holdings: dict[tuple[int, int], tuple[int, int]] = {}

    def place(self, account: int, where: int | None, kind: str) -> int:
        key = (account, where, kind)
        if key not in self.places:
            self.last_place += 1
            self.places[key] = self.last_place
        return self.places[key]

    def post(self, account: int, entry: int, lot: int, source: int, target: int, quantity: int) -> None:
        self.postings.append((account, entry, lot, source, target, quantity))
        for place, amount in ((source, -quantity), (target, quantity)):
            held = self.holdings.get((place, lot), (account, 0))[1]
            self.holdings[place, lot] = (account, held + amount)


class Entries:
    """One entry per act, numbered in the order in which it is first heard of."""

    def __init__(self, loader: Loader) -> None:
        self.loader = loader
        self.numbers: dict[tuple[Any, ...], int] = {}
        self.rows: list[tuple[Any, ...]] = []

    def of(self, key: tuple[Any, ...], account: int, kind: str, actor_kind: str, actor: str, at: dt.datetime) -> int:
        if key not in self.numbers:
            number = self.numbers[key] = len(self.rows) + 1
            self.rows.append((number, self.loader.chance.uid(), account, uuid.UUID(int=number).hex, "0" * 64, kind,
                              actor_kind, actor, stamp(at)))  # fmt: skip
        return self.numbers[key]
