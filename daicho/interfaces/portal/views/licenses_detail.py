"""ライセンス詳細: why is this number so? Formula, ladder, and the tabs lots, devices, places, use over time, orders, acts."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from daicho.core.clock import day_of
from daicho.domain.access.rules import Permission
from daicho.domain.devices.queries.devices import devices_of_license, look_at_devices
from daicho.domain.ledger.queries.entries import entries_of_license
from daicho.domain.ledger.queries.explain import Explanation, explain
from daicho.domain.ledger.queries.pools import PoolCriteria, list_pools, pool_totals
from daicho.domain.ledger.queries.sight import Sight, find_tag
from daicho.domain.ledger.queries.starts import next_starts
from daicho.domain.ledger.queries.uses import use_over_time
from daicho.domain.orders.queries.lines import Filters, list_account_lines
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal.lists import Column, Empty, ListPage, ListQuery, Page
from daicho.interfaces.portal.views.licenses_lots import LotList
from daicho.interfaces.portal.views.licenses_parts import (
    ENFORCEMENTS,
    ENTRY_KINDS,
    KINDS,
    dotted,
    last_day_of,
    license_name,
    licenses_crumb,
    may_manage,
    pool_state,
    side_text,
    sight_of,
    start_text,
)
from daicho.interfaces.portal.views.licenses_trend import Trend
from daicho.interfaces.portal.web import Here, account_page


def detail_context(here: Here, sight: Sight, found: Explanation, current: str) -> dict[str, Any]:
    """Head, formula, advice and tabs of every page about one license."""
    tag, formula = found.tag, found.formula
    names = (
        ("licenses-detail", _("Lots")),
        ("licenses-devices", _("Devices")),
        ("licenses-places", _("By virtual account")),
        ("licenses-trend", _("Use over time")),
        ("licenses-orders", _("Orders")),
        ("licenses-acts", _("History")),
    )
    state = (
        kit.State("short", found.short)
        if found.short
        else (pool_state(found.pools[0], here.account.time_zone) if found.pools else "")
    )
    own = found.pools[0] if len(found.pools) == 1 else None
    actions = []
    primary = None
    if may_manage(here):
        none = "" if found.spare else _("Nothing is spare here.")
        if found.spare or not found.short:
            primary = kit.Action(transfer_url(here, found), _("Transfer"), "arrows-exchange", unavailable=none)
        actions.append(
            kit.MenuItem(_("Use on a device"), here.url("licenses-use", tag=tag.uid), "server", unavailable=none)
        )
    return {
        "title": tag.sku,
        "crumbs": [licenses_crumb(here), kit.Crumb(tag.sku)],
        "tag": tag,
        "license_name": license_name(tag),
        "state": state,
        "facts": dotted(
            license_name(tag),
            here.va.name if here.va is not None else _("All virtual accounts"),
            str(ENFORCEMENTS[tag.enforcement]),
            tag.family,
        ),
        "formula": formula,
        "pending_text": pending_text(found, here.account.time_zone),
        "found": found,
        "own": own,
        "substitution": found.substitution,
        "advice": advice(here, found),
        "purchase_text": purchase_text(here, found) if found.short else "",
        "primary": primary,
        "actions": actions,
        "tabs": [kit.Tab(label, here.url(name, tag=tag.uid), current=name == current) for name, label in names],
    }


def pending_text(found: Explanation, zone: str) -> str:
    """What has not started, and when the first of it does."""
    starts = next_starts(found.pools)
    if not starts:
        return ""
    return start_text(found.formula.pending, day_of(min(start.at for start in starts.values()), zone))


def transfer_url(here: Here, found: Explanation) -> str:
    rows = "&".join(f"row={pool.uid}" for pool in found.pools if pool.available)
    return f"{here.url('transfers-start')}?{rows}"


def advice(here: Here, found: Explanation) -> list[dict[str, Any]]:
    """Where spare licenses lie that would cover what is short, each with the act that brings them here."""
    target = next((pool for pool in found.pools if pool.short), None)
    if target is None:
        return []
    givers = found.elsewhere or [pool for pool in reversed(found.pools) if pool.available]
    lines = []
    for giver in givers[:3]:
        quantity = min(giver.available, target.short)
        url = f"{here.url('transfers-start', va=None)}?row={giver.uid}&target={target.virtual_account.uid}&quantity={quantity}"
        lines.append(
            {
                "text": _("%(virtual_account)s has %(count)s spare.")
                % {"virtual_account": giver.virtual_account.name, "count": f"{giver.available:,}"},
                "label": _("Transfer %(count)s") % {"count": f"{quantity:,}"},
                "url": url if may_manage(here) else "",
            }
        )
    return lines


def purchase_text(here: Here, found: Explanation) -> str:
    """What to send a partner when more has to be bought."""
    target = next(pool for pool in found.pools if pool.short)
    lines = [
        (_("Domain identifier"), here.account.identifier),
        (_("Virtual account"), target.virtual_account.name),
        (_("License"), f"{found.tag.sku} {license_name(found.tag)}"),
        (_("Quantity"), f"{target.short:,}"),
    ]
    return "\n".join(f"{label}: {value}" for label, value in lines)


@account_page(Permission.LICENSES_VIEW)
def lots(request: HttpRequest, here: Here, tag: str) -> HttpResponseBase:
    sight, found = _found(request, here, tag)
    page = LotList(request, here=here, sight=sight, tag_uid=tag, key="license-lots")
    return page.response(detail_context(here, sight, found, "licenses-detail"))


class DeviceUseList(ListPage):
    """The devices that use a license."""

    key = "license-devices"
    title = gettext_lazy("Devices")
    template = "licenses/detail_list.html"
    here: Here
    sight: Sight
    tag_uid = ""
    empty = Empty(
        gettext_lazy("No device uses this license"),
        gettext_lazy("Assign it to a device, or transfer it to where it is needed."),
    )

    @property
    def columns(self) -> list[Column]:  # type: ignore[override]
        here = self.here
        return [
            Column("name", gettext_lazy("Device"), value=lambda r: r.device.name, link=lambda r: here.url("devices-detail", device=r.device.uid)),
            Column("state", gettext_lazy("State"), kind="state"),
            Column("quantity", gettext_lazy("In use"), kind="num", value=self._quantity, total=True),
            Column("product_id", gettext_lazy("Product"), kind="code", value=lambda r: r.device.product_id),
            Column("serial", gettext_lazy("Serial number"), kind="code", value=lambda r: r.device.serial),
            Column("virtual_account", gettext_lazy("Virtual account"), value=lambda r: r.virtual_account.name),
            Column("since", gettext_lazy("Since"), kind="date", value=self._since),
        ]  # fmt: skip

    def _use(self, row: Any) -> Any:
        return next((use for use in row.uses if use.tag.uid == self.tag_uid), None)

    def _quantity(self, row: Any) -> int:
        use = self._use(row)
        return use.reported if use else 0

    def _since(self, row: Any) -> Any:
        use = self._use(row)
        return use.since if use else None

    def fetch(self, q: ListQuery) -> Page:
        page = devices_of_license(self.sight, self.tag_uid, cursor=q.cursor, size=q.size)
        return Page(page.rows, page.next_cursor, page.previous_cursor, page.count, page.count_is_exact)


@account_page(Permission.LICENSES_VIEW)
def devices(request: HttpRequest, here: Here, tag: str) -> HttpResponseBase:
    sight, found = _found(request, here, tag)
    seen = look_at_devices(here.actor, here.account, here.va)
    page = DeviceUseList(request, here=here, sight=seen, tag_uid=tag)
    return page.response(detail_context(here, sight, found, "licenses-devices"))


class PlaceList(ListPage):
    """One license, virtual account by virtual account."""

    key = "license-places"
    title = gettext_lazy("By virtual account")
    template = "licenses/detail_list.html"
    default_sort = "balance"
    here: Here
    sight: Sight
    tag_uid = ""

    @property
    def columns(self) -> list[Column]:  # type: ignore[override]
        here, zone = self.here, self.here.account.time_zone
        return [
            Column("virtual_account", gettext_lazy("Virtual account"), value=lambda p: p.virtual_account.name, sort=True,
                   link=lambda p: here.url("licenses-detail", tag=p.tag.uid, va=p.virtual_account.uid)),
            Column("state", gettext_lazy("State"), kind="state", value=lambda p: pool_state(p, zone)),
            Column("purchased", gettext_lazy("Purchased"), kind="num", sort=True, total=True),
            Column("in_use", gettext_lazy("In use"), kind="num", sort=True, total=True),
            Column("reserved", gettext_lazy("Reserved"), kind="num", total=True),
            Column("lent", gettext_lazy("Lent"), kind="num", total=True),
            Column("borrowed", gettext_lazy("Borrowed"), kind="num", total=True),
            Column("balance", gettext_lazy("Balance"), kind="balance", sort=True, total=True),
            Column("next_end", gettext_lazy("Next end"), kind="date", value=lambda p: last_day_of(p.next_end_at, zone)),
        ]  # fmt: skip

    def fetch(self, q: ListQuery) -> Page:
        criteria = PoolCriteria(tag_uid=self.tag_uid)
        page = list_pools(self.sight, criteria, sort=q.sort, descending=q.descending, cursor=q.cursor, size=q.size)
        totals = pool_totals(self.sight, criteria)
        sums: dict[str, Any] = totals.sums or {c.key: None for c in self.columns if c.total}
        return Page(page.rows, page.next_cursor, page.previous_cursor, totals.count, totals.is_exact, sums)


@account_page(Permission.LICENSES_VIEW)
def places(request: HttpRequest, here: Here, tag: str) -> HttpResponseBase:
    sight, found = _found(request, here, tag)
    page = PlaceList(request, here=here, sight=sight, tag_uid=tag)
    return page.response(detail_context(here, sight, found, "licenses-places"))


@account_page(Permission.LICENSES_VIEW)
def trend(request: HttpRequest, here: Here, tag: str) -> HttpResponseBase:
    sight, found = _found(request, here, tag)
    spans = {"90": (90, 3), "365": (365, 7), "730": (730, 14)}
    span = request.GET.get("days", "365")
    days, step = spans.get(span, spans["365"])
    points = use_over_time(sight, found.tag, days=days, step=step)
    context = detail_context(here, sight, found, "licenses-trend")
    here_url = here.url("licenses-trend", tag=tag)
    spans_shown = [("90", _("90 days")), ("365", _("12 months")), ("730", _("24 months"))]
    context |= {
        "trend": Trend(points),
        "points": list(reversed(points)),
        "spans": [
            {"label": label, "url": f"{here_url}?days={key}", "current": key == str(days)} for key, label in spans_shown
        ],
    }
    return render(request, "licenses/trend.html", context)


class OrderLineList(ListPage):
    """The order lines that brought this license."""

    key = "license-orders"
    title = gettext_lazy("Orders")
    template = "licenses/detail_list.html"
    here: Here
    sku = ""
    empty = Empty(
        gettext_lazy("No order brought this license here"),
        gettext_lazy("It was transferred here, or it is used without a purchase."),
    )

    columns = (
        Column("order", gettext_lazy("Order"), kind="code", value=lambda r: r.line.order.number),
        Column("line", gettext_lazy("Line"), kind="num", value=lambda r: r.line.line_number),
        Column("state", gettext_lazy("State"), kind="state", value=lambda r: r.status),
        Column("quantity", gettext_lazy("Quantity"), kind="num"),
        Column("kind", gettext_lazy("Kind"), value=lambda r: KINDS[r.line.kind]),
        Column("start", gettext_lazy("Start"), kind="date", value=lambda r: r.line.start_on),
        Column("end", gettext_lazy("End"), kind="date", value=lambda r: r.line.end_on),
        Column("recorded", gettext_lazy("Recorded"), kind="date", value=lambda r: r.line.order.created_at),
    )

    def fetch(self, q: ListQuery) -> Page:
        page = list_account_lines(
            self.here.actor, self.here.account, virtual_account=self.here.va, filters=Filters(text=self.sku),
            cursor=q.cursor, size=q.size,
        )  # fmt: skip
        rows = [row for row in page.rows if row.line.tag.sku == self.sku]
        return Page(rows, page.next_cursor, page.previous_cursor)


@account_page(Permission.LICENSES_VIEW)
def orders(request: HttpRequest, here: Here, tag: str) -> HttpResponseBase:
    sight, found = _found(request, here, tag)
    page = OrderLineList(request, here=here, sku=found.tag.sku)
    return page.response(detail_context(here, sight, found, "licenses-orders"))


class ActList(ListPage):
    """Every act that moved this license, the newest first."""

    key = "license-history"
    title = gettext_lazy("History")
    template = "licenses/detail_list.html"
    here: Here
    sight: Sight
    tag: Any = None
    empty = Empty(gettext_lazy("Nothing happened yet"))

    @property
    def columns(self) -> list[Column]:  # type: ignore[override]
        here = self.here
        return [
            Column("number", gettext_lazy("No."), kind="code", value=lambda r: r.entry.uid,
                   link=lambda r: here.url("transfers-detail", entry=r.entry.uid)),
            Column("at", gettext_lazy("Time"), kind="datetime", value=lambda r: r.entry.at),
            Column("act", gettext_lazy("Act"), value=lambda r: ENTRY_KINDS[r.entry.kind], phone=True),
            Column("source", gettext_lazy("Source"), value=lambda r: side_text(r.source)),
            Column("target", gettext_lazy("Target"), value=lambda r: side_text(r.target)),
            Column("quantity", gettext_lazy("Quantity"), kind="num"),
            Column("actor", gettext_lazy("Done by"), value=lambda r: r.entry.actor_name),
            Column("memo", gettext_lazy("Memo"), value=lambda r: r.entry.memo),
        ]  # fmt: skip

    def fetch(self, q: ListQuery) -> Page:
        page = entries_of_license(self.sight, self.tag, cursor=q.cursor, size=q.size)
        return Page(page.rows, page.next_cursor, page.previous_cursor)


@account_page(Permission.LICENSES_VIEW)
def acts(request: HttpRequest, here: Here, tag: str) -> HttpResponseBase:
    sight, found = _found(request, here, tag)
    page = ActList(request, here=here, sight=sight, tag=found.tag)
    return page.response(detail_context(here, sight, found, "licenses-acts"))


def _found(request: HttpRequest, here: Here, tag: str) -> tuple[Sight, Explanation]:
    sight = sight_of(request, here)
    return sight, explain(sight, find_tag(sight, uid=tag))
