"""`bin/bench sweep`: 100,000 lots that end at one instant, while transfers go on at half of their peak in the same pools.

The worker sweeps them, as it does everywhere: it finds them due, and nobody tells it. The limit: plain SQL that moves as
many other lots in the same pools and writes the same rows, 5,000 lots to a statement and a commit, beside the same
transfers. Rows of both sides are counted and must be equal. Latencies of transfers count from the moment at which each
should have been sent.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import random
import re
import sys
import time
import uuid
from typing import Any

from benchmarks.measure import Line, Result, percentile
from benchmarks.setting import Setting

ENDS, TAGS, PART = 100_000, 5, 10_000
STOCK_PLACES = 200
ROWS = ("ledger_entry", "ledger_posting", "audit_event", "ledger_holding")
# First, so that the next statement sees what transfers have left there.
LOCK = """
SELECT FROM ledger_pool WHERE id IN (
  SELECT p.id FROM (SELECT * FROM ledger_lot WHERE end_at = %s AND id > %s ORDER BY id LIMIT 5000) l
  JOIN ledger_holding h ON h.lot_id = l.id AND h.quantity > 0
  JOIN ledger_place s ON s.id = h.place_id AND s.kind = 'on_hand'
  JOIN ledger_pool p ON p.virtual_account_id = s.virtual_account_id AND p.tag_id = l.tag_id)
ORDER BY virtual_account_id, tag_id FOR NO KEY UPDATE
"""
LIMIT = """
WITH due AS MATERIALIZED (
  SELECT h.id, h.account_id, h.lot_id, h.place_id, h.quantity, l.end_at, l.uid, t.sku, s.virtual_account_id va,
         p.id pool, p.balance, e.id ended, nextval(pg_get_serial_sequence('ledger_entry', 'id')) entry,
         gen_random_uuid() request
  FROM (SELECT * FROM ledger_lot WHERE end_at = %s AND id > %s ORDER BY id LIMIT 5000) l
  JOIN ledger_holding h ON h.lot_id = l.id AND h.quantity > 0
  JOIN ledger_place s ON s.id = h.place_id AND s.kind = 'on_hand'
  JOIN ledger_place e ON e.virtual_account_id = s.virtual_account_id AND e.kind = 'ended'
  JOIN catalog_licensetag t ON t.id = l.tag_id
  JOIN ledger_pool p ON p.virtual_account_id = s.virtual_account_id AND p.tag_id = l.tag_id),
e AS (INSERT INTO ledger_entry (id, uid, account_id, request_id, fingerprint, kind, actor_kind, actor_name, at, memo,
    answer)
  SELECT entry, substr(md5(uid || 'entry'), 1, 13), account_id, request, encode(sha256(uid::bytea), 'hex'), 'time',
    'system', 'clock', end_at, '', '{}' FROM due),
po AS (INSERT INTO ledger_posting (account_id, entry_id, lot_id, source_id, target_id, quantity)
  SELECT account_id, entry, lot_id, place_id, ended, quantity FROM due),
less AS (UPDATE ledger_holding h SET quantity = h.quantity - due.quantity FROM due WHERE h.id = due.id),
more AS (INSERT INTO ledger_holding (account_id, place_id, lot_id, is_issue, quantity)
  SELECT account_id, ended, lot_id, false, quantity FROM due
  ON CONFLICT (place_id, lot_id) DO UPDATE SET quantity = ledger_holding.quantity + excluded.quantity),
pl AS (UPDATE ledger_pool p SET on_hand = p.on_hand - d.quantity
  FROM (SELECT pool, SUM(quantity) quantity FROM due GROUP BY pool) d
  WHERE p.id = d.pool),
ev AS (INSERT INTO audit_event (uid, account_id, virtual_account_id, kind, act, at, actor_kind, actor_name, interface,
    address, subject, subject_uid, before, after, memo)
  SELECT substr(md5(uid || 'event'), 1, 13), account_id, va, 'license.ended', request, now(), 'system', 'clock', 'worker',
    '', sku, uid, jsonb_build_object('balance', balance),
    jsonb_build_object('quantity', quantity, 'balance', balance, 'at', end_at), '' FROM due)
SELECT COUNT(*), MAX(lot_id) FROM due
"""


def run(setting: Setting) -> Result:
    """Rate and limit are lots per second; p50 and p99 are of the transfers meanwhile."""
    ends = min(ENDS, setting.lots)
    world, at = prepare(setting, ends)
    clients = max(2, setting.clients)
    with setting.serving() as port:
        storm = Storm(port, world, clients)
        asyncio.run(storm.run(2, None))
        peak = asyncio.run(storm.run(max(5, setting.seconds), None)).rate
        quiet = asyncio.run(storm.run(max(5, setting.seconds), peak / 2))
        limit, limit_rows, beside_limit = None, None, None
        if setting.database == "postgres":
            limit, limit_rows, beside_limit = asyncio.run(beside(storm, peak / 2, lambda: raw(setting, at[1])))
        wait = (at[0] - dt.datetime.now(dt.UTC)).total_seconds()
        if wait < 0:
            sys.exit("the machine is too slow: the lots ended before all was ready; ask for fewer with --lots")
        print(f"{ends:,} lots end in {wait:.0f} s", file=sys.stderr)
        time.sleep(wait)
        with setting.working():
            rate, rows, meanwhile = asyncio.run(beside(storm, peak / 2, lambda: swept(at[0])))
            behind = last_alert(at[0], rows["ledger_holding"])
    print(f"rows of the sweep {rows}\nrows of the limit {limit_rows}", file=sys.stderr)
    if limit_rows is not None and per_end(rows) != per_end(limit_rows):
        sys.exit("the two sides write different rows")
    result = Result(rate, limit, rate / limit if limit else None, meanwhile.p50, meanwhile.p99)
    for name, found in (
        ("transfers at half of their peak, nothing else", quiet),
        ("transfers beside the limit", beside_limit),
        ("transfers beside the sweep", meanwhile),
    ):
        if found is not None:
            result.lines.append(Line(name, found.p50, found.p99, found.rate))
    result.more = {"ends": ends, "peak": round(peak, 1), "alerts_behind_s": behind, "rows": rows, "limit_rows": limit_rows,
                   "p99_missed": meanwhile.p99 > 100}  # fmt: skip
    return result


def per_end(rows: dict[str, int]) -> dict[str, float]:
    """A transfer meanwhile may have laid a part of a lot into another virtual account: that is one more end."""
    return {name: count / rows["ledger_entry"] for name, count in rows.items()}


# ── the world ──


def prepare(setting: Setting, ends: int) -> tuple[dict[str, Any], tuple[dt.datetime, dt.datetime]]:
    """Twice so many lots of one license each over all virtual accounts, and plenty to transfer in two hundred of them.

    Half of them end once everything is ready, the others never during the run: the limit takes those.
    """
    from daicho.core.actor import Actor
    from daicho.core.clock import now
    from daicho.domain.ledger.commands.deposit import NewLot, deposit_lots
    from daicho.domain.ledger.models import Pool
    from daicho.domain.tenancy.models import SmartAccount, VirtualAccount
    from tests.world import make_tag

    account = SmartAccount.objects.get(identifier=setting.who["identifier"])
    places = list(VirtualAccount.objects.filter(account=account).order_by("pk"))[: max(STOCK_PLACES, ends // 10)]
    tags = [make_tag(f"SWEEP-{number}", f"Sweep {number}") for number in range(TAGS)]
    kinds = [(tags[n // len(places) % TAGS], places[n % len(places)]) for n in range(ends)]

    def deposit(lots: list[NewLot]) -> float:
        began = time.perf_counter()
        for start in range(0, len(lots), PART):
            deposit_lots(Actor.system("benchmark"), account=account, request_id=uuid.uuid4(),
                         lots=lots[start : start + PART])  # fmt: skip
        return time.perf_counter() - began

    stock = places[:STOCK_PLACES]
    deposit([NewLot(tag, 100_000, "perpetual", now(), None, place) for place in stock for tag in tags])
    later = now() + dt.timedelta(days=3650)
    took = deposit([NewLot(tag, 1, "term", now(), later, place) for tag, place in kinds])
    soon = now() + dt.timedelta(seconds=45 + 4 * setting.seconds + 4 * took)
    took += deposit([NewLot(tag, 1, "term", now(), soon, place) for tag, place in kinds])
    pools = Pool.objects.filter(tag__in=tags).count()
    print(f"made {2 * ends:,} lots in {took:.0f} s, in {pools:,} pools", file=sys.stderr)
    world = {
        "identifier": account.identifier, "authorization": setting.who["authorization"],
        "places": [place.uid for place in stock], "skus": [tag.sku for tag in tags],
    }  # fmt: skip
    return world, (soon, later)


# ── both sides ──


async def beside(storm: Storm, rate: float, act: Any) -> tuple[float, dict[str, int], Told]:
    """Run it while transfers go on; its rate, the rows it wrote, and what the transfers saw."""
    over = asyncio.Event()
    going = asyncio.create_task(storm.run(600, rate, over))
    await asyncio.sleep(1)
    try:
        found = await asyncio.to_thread(act)
    finally:
        over.set()
        told = await going
    return *found, told


def swept(end: dt.datetime) -> tuple[float, dict[str, int]]:
    """Wait for the worker to have posted all; from its first posting to its last."""
    from django.db.models import Max, Min

    from daicho.domain.audit.models import Event
    from daicho.domain.ledger.models import Entry, Holding, Pool, Posting

    due = Pool.objects.filter(next_change_at__lte=end)  # by an index: looking must not weigh on what is measured
    for _ in range(600):
        if not due.exists():
            break
        time.sleep(0.5)
    else:
        sys.exit("after five minutes not all is posted")
    lots = Holding.objects.filter(lot__end_at=end)
    events = Event.objects.filter(kind="license.ended", after__at=end.isoformat())
    postings = Posting.objects.filter(entry__kind=Entry.Kind.TIME, lot__end_at=end)
    found = (
        postings.values("entry").distinct().count(),
        postings.count(),
        events.count(),
        lots.filter(place__kind="ended").count(),
    )
    span = events.aggregate(first=Min("at"), last=Max("at"))
    return found[0] / (span["last"] - span["first"]).total_seconds(), dict(zip(ROWS, found, strict=True))


def last_alert(end: dt.datetime, ends: int) -> float | None:
    """Seconds from the instant until every end was an alert; None if that took longer than two minutes."""
    from django.db.models import Max

    from daicho.domain.alerts.models import Alert

    alerts = Alert.objects.filter(kind="ended", since__gte=end)
    for _ in range(240):
        if alerts.count() >= ends:
            found: dt.datetime = alerts.aggregate(last=Max("since"))["last"]
            return round((found - end).total_seconds(), 1)
        time.sleep(0.5)
    return None


def raw(setting: Setting, end: dt.datetime) -> tuple[float, dict[str, int]]:
    """The same rows by plain SQL."""
    import psycopg

    total, last = 0, 0
    with psycopg.connect(setting.url, autocommit=True) as session:
        began = time.perf_counter()
        while True:
            with session.transaction():
                session.execute(LOCK, [end, last])
                done, last = session.execute(LIMIT, [end, last]).fetchone()  # type: ignore[misc]
            if not done:
                break
            total += done
        took = time.perf_counter() - began
        counted = session.execute(
            "SELECT COUNT(DISTINCT p.entry_id), COUNT(DISTINCT p.id), COUNT(DISTINCT h.id) FROM ledger_posting p"
            " JOIN ledger_lot l ON l.id = p.lot_id JOIN ledger_place e ON e.id = p.target_id AND e.kind = 'ended'"
            " JOIN ledger_holding h ON h.lot_id = l.id AND h.place_id = e.id WHERE l.end_at = %s", [end],
        ).fetchone()  # fmt: skip
        events = session.execute(
            "SELECT COUNT(*) FROM audit_event ev JOIN ledger_lot l ON l.uid = ev.subject_uid"
            " WHERE ev.kind = 'license.ended' AND l.end_at = %s", [end],
        ).fetchone()  # fmt: skip
    entries, postings, holdings = counted  # type: ignore[misc]
    return total / took, dict(zip(ROWS, (entries, postings, events[0], holdings), strict=True))  # type: ignore[index]


# ── the crowd ──


class Told:
    """How long the transfers took, in seconds, and how many there were in a second."""

    def __init__(self, times: list[float], took: float) -> None:
        self.p50, self.p99 = percentile(times, 50) * 1_000, percentile(times, 99) * 1_000
        self.rate = len(times) / took


class Storm:
    """Clients that transfer one license at a time; a given rate is held by a timetable, whoever is late is late."""

    def __init__(self, port: int, world: dict[str, Any], clients: int) -> None:
        self.port, self.world, self.clients = port, world, clients

    async def run(self, seconds: float, rate: float | None, over: asyncio.Event | None = None) -> Told:
        self.times: list[float] = []
        began = time.perf_counter()
        pause = self.clients / rate if rate else 0.0
        await asyncio.gather(
            *(self._client(number, began + seconds, pause, over or asyncio.Event()) for number in range(self.clients))
        )
        return Told(self.times, time.perf_counter() - began)

    async def _client(self, number: int, until: float, pause: float, over: asyncio.Event) -> None:
        dice = random.Random(number)
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        head = (
            f"POST /api/v1/accounts/{self.world['identifier']}/transfers HTTP/1.1\r\nHost: localhost:{self.port}\r\n"
            f"Authorization: {self.world['authorization']}\r\nContent-Type: application/json\r\n"
        )
        due = time.perf_counter() + pause * dice.random()
        while not over.is_set() and due < until:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            source, target = dice.sample(self.world["places"], 2)
            move = {"source": source, "target": target, "sku": dice.choice(self.world["skus"]), "quantity": 1}
            body = json.dumps({"moves": [move]})
            writer.write(f"{head}Idempotency-Key: {uuid.uuid4()}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
            answer = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: *(\d+)", answer.lower())
            content = await reader.readexactly(int(length[1]) if length else 0)
            self.times.append(time.perf_counter() - due)
            if answer[9:12] != b"201":
                sys.exit(f"a transfer was refused: {content!r}")
            due = due + pause if pause else time.perf_counter()
        writer.close()
