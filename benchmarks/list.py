"""`bin/bench list`: pages of fifty through the API and the portal, filters and searches, one request after the other.

Each line is asked for several times with the same words, as `curl` or a browser would: authentication, rights and the
count are in it. Beside the pages of the API stands the same page of the same table by one plain keyset statement.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from benchmarks import http
from benchmarks.limits import statement_ms
from benchmarks.measure import Line, Result, percentile
from benchmarks.people import session_of
from benchmarks.setting import Setting

API_MS, PORTAL_MS, SEARCH_MS = 5, 40, 20
WARM = 3


@dataclass(frozen=True)
class Asked:
    """One line of the table. `limit`: the same rows in SQL, `{account}` stands for the account's id."""

    name: str
    path: str
    target_ms: float
    limit: str = ""


POOLS = """SELECT p.*, t.*, v.* FROM ledger_pool p JOIN catalog_licensetag t ON t.id = p.tag_id
JOIN tenancy_virtualaccount v ON v.id = p.virtual_account_id WHERE p.account_id = {account} AND {more}
ORDER BY p.balance, p.uid LIMIT 51"""
LOTS = """SELECT h.*, l.*, t.*, p.*, v.* FROM ledger_lot l JOIN ledger_holding h ON h.lot_id = l.id
JOIN catalog_licensetag t ON t.id = l.tag_id JOIN ledger_place p ON p.id = h.place_id
JOIN tenancy_virtualaccount v ON v.id = p.virtual_account_id
WHERE l.account_id = {account} AND h.account_id = {account} AND h.quantity > 0 AND {more}
ORDER BY l.end_at, l.uid, v.uid LIMIT 51"""
LINES = """SELECT n.*, o.*, t.*, v.*, l.* FROM orders_orderline n JOIN orders_order o ON o.id = n.order_id
JOIN catalog_licensetag t ON t.id = n.tag_id LEFT JOIN tenancy_virtualaccount v ON v.id = n.virtual_account_id
LEFT JOIN ledger_lot l ON l.id = n.lot_id WHERE n.account_id = {account} AND {more}
ORDER BY n.created_at DESC, n.uid DESC LIMIT 51"""
DEVICES = """SELECT d.*, u.*, v.* FROM devices_device d JOIN ledger_unit u ON u.id = d.unit_id
JOIN tenancy_virtualaccount v ON v.id = u.virtual_account_id
WHERE d.account_id = {account} AND d.removed_at IS NULL AND {more} ORDER BY d.name_key, d.uid LIMIT 51"""
EVENTS = """SELECT e.* FROM audit_event e WHERE e.account_id = {account} AND {more} ORDER BY e.at DESC, e.uid DESC LIMIT 51"""


def api(setting: Setting) -> list[Asked]:
    at = f"/api/v1/accounts/{setting.who['identifier']}"
    small = [
        Asked(
            f"API licenses, {name}", f"{at}/licenses?size=50&sort=balance{query}", API_MS, POOLS.replace("{more}", more)
        )
        for name, query, more in (
            ("first page", "", "p.on_hand > 0"),
            ("short", "&state=short", "p.balance < 0"),
        )
    ]
    return [
        *small,
        Asked("API licenses by name", f"{at}/licenses?size=50", API_MS),
        Asked("API lots", f"{at}/lots?size=50", API_MS, LOTS.replace("{more}", "true")),
        Asked("API lots, ending", f"{at}/ends?size=50", API_MS, LOTS.replace("{more}", "p.kind = 'on_hand'")),
        Asked("API order lines", f"{at}/order-lines?size=50", API_MS, LINES.replace("{more}", "true")),
        Asked("API devices", f"{at}/devices?size=50", API_MS, DEVICES.replace("{more}", "true")),
        Asked("API events", f"{at}/events?size=50", API_MS, EVENTS.replace("{more}", "true")),
        Asked("API transfers", f"{at}/transfers?size=50", API_MS),
        Asked("API users", f"{at}/users?size=50", API_MS),
        Asked("API alerts", f"{at}/alerts?size=50", API_MS),
    ]


def searches(setting: Setting) -> list[Asked]:
    at = f"/api/v1/accounts/{setting.who['identifier']}"
    words = ("東京", "ネッ", "07", "zz")
    lists = (("licenses", "text"), ("lots", "text"), ("order-lines", "text"), ("devices", "text"), ("ends", "text"))
    return [
        Asked(f"search {name} “{word}”", f"{at}/{name}?size=50&{key}={quote(word)}", SEARCH_MS)
        for name, key in lists
        for word in words
    ]


def portal(setting: Setting) -> list[Asked]:
    at = f"/a/{setting.who['identifier']}"
    pages = {
        "home": "/", "licenses": "/licenses/", "licenses, short": "/licenses/?state=short",
        "licenses, idle": "/licenses/?idle=1", "by license": "/licenses/by-license/",
        "by virtual account": "/licenses/by-virtual-account/", "lots": "/subscriptions/", "ending": "/ending/",
        "ended": "/ended/", "orders": "/orders/", "unassigned": "/orders/unassigned/", "devices": "/devices/",
        "devices, short": "/devices/?state=out_of_compliance", "virtual accounts": "/virtual-accounts/",
        "people": "/people/", "events": "/events/", "alerts": "/alerts/", "transfers": "/transfers/",
        "search “東京”": f"/search/?q={quote('東京')}", "search “07”": "/search/?q=07",
    }  # fmt: skip
    return [Asked(f"page {name}", at + path, PORTAL_MS) for name, path in pages.items()]


def run(setting: Setting) -> Result:
    from daicho.domain.tenancy.models import SmartAccount

    account = SmartAccount.objects.get(identifier=setting.who["identifier"]).pk
    result = Result()
    program = {"Authorization": setting.who["authorization"]}
    person = {"Cookie": session_of(setting.who["admin"]), "Accept-Language": "ja"}
    with setting.serving() as port:
        for asked in [*api(setting), *searches(setting)]:
            result.lines.append(measured(setting, port, asked, program, account))
        for asked in portal(setting):
            result.lines.append(measured(setting, port, asked, person, account))
    of_api = [line for line in result.lines if line.name.startswith("API")]
    with_limit = [line for line in of_api if line.limit_ms]
    result.p50_ms = percentile([line.p50_ms for line in of_api], 50)
    result.p99_ms = max(line.p99_ms for line in of_api)
    result.rate = 1_000 / result.p50_ms
    result.limit = 1_000 / percentile([line.limit_ms or 0 for line in with_limit], 50)
    result.ratio = result.rate / result.limit
    result.more = {"missed": [line.name for line in result.lines if line.missed]}
    for name, prefix in (("search_p50_ms", "search"), ("page_p50_ms", "page")):
        result.more[name] = round(percentile([n.p50_ms for n in result.lines if n.name.startswith(prefix)], 50), 2)
    return result


def measured(setting: Setting, port: int, asked: Asked, headers: dict[str, str], account: int) -> Line:
    """One line: warm, then ask until the time is over (three times at least)."""
    sent = http.request("GET", asked.path, port, headers)
    http.run(port, lambda _client, _turn: sent, clients=2, turns=WARM)
    answers = http.run(port, lambda _client, _turn: sent, clients=setting.clients, seconds=setting.seconds / 2)
    worst = max(answers.statuses)
    limit = statement_ms(setting.url, asked.limit.format(account=account)) if asked.limit else None
    return Line(
        asked.name, answers.ms(50), answers.ms(99), rate=answers.rate, limit_ms=limit,
        target_ms=asked.target_ms, status=worst,
    )  # fmt: skip
