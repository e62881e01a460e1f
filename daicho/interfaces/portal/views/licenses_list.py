"""ライセンス: do we have enough, and where is spare? (S1)"""

from __future__ import annotations

import datetime as dt
import functools
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from daicho.core.clock import day_of
from daicho.core.errors import NotFound
from daicho.domain.access.rules import Permission
from daicho.domain.ledger.queries.pools import PoolCriteria, branch_totals, families, list_pools, pool_totals, va_tags
from daicho.domain.ledger.queries.sight import Sight
from daicho.domain.ledger.queries.starts import NextStart, next_starts
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal import words
from daicho.interfaces.portal.lists import (
    BulkAct,
    ChoiceFilter,
    Column,
    Empty,
    FlagFilter,
    ListPage,
    ListQuery,
    Page,
)
from daicho.interfaces.portal.views.licenses_parts import (
    ENFORCEMENTS,
    KINDS,
    last_day_of,
    license_name,
    may_manage,
    pool_state,
    sight_of,
    start_text,
)
from daicho.interfaces.portal.web import Here, account_page

STATES = [
    *((code, words.STATES[code].word) for code in ("short", "ending", "ended", "not_started", "in_compliance")),
    ("pending", gettext_lazy("With licenses that have not started")),
    ("spare", gettext_lazy("With spare")),
    ("idle", gettext_lazy("No use for 90 days")),
]


class LicenseList(ListPage):
    """The license table; `by` groups it by license or by virtual account."""

    key = "licenses"
    title: Any = gettext_lazy("Licenses")
    row_id = "uid"
    text_label = gettext_lazy("Filter by name, SKU or virtual account")
    default_sort = "license"
    default_size = 50
    stamps = True
    here: Here
    sight: Sight
    by = ""

    def __init__(self, request: HttpRequest, **given: Any) -> None:
        super().__init__(request, **given)
        self.starts: dict[int, NextStart] = {}
        if self.by == "virtual_account":
            self.default_sort = "virtual_account"
        if self.by:
            self.group = self._group
        self.empty = Empty(
            gettext_lazy("No licenses yet"),
            gettext_lazy("Licenses arrive when your partner or the vendor records your order for this account."),
        )

    @functools.cached_property
    def columns(self) -> list[Column]:  # type: ignore[override]
        here, zone = self.here, self.here.account.time_zone
        wide = self.sight.is_wide

        def detail(pool: Any) -> str:
            place = {"va": pool.virtual_account.uid} if wide else {}
            return here.url("licenses-detail", tag=pool.tag.uid, **place)

        columns = [
            Column(
                "license", gettext_lazy("License"), kind="code", sort=not self.by, value=lambda p: p.tag.sku, link=detail
            ),
            Column("name", gettext_lazy("Name"), optional=True, value=lambda p: license_name(p.tag)),
            Column("virtual_account", gettext_lazy("Virtual account"), sort=not self.by, value=lambda p: p.virtual_account.name, phone=True),
            Column("state", gettext_lazy("State"), kind="state", value=lambda p: pool_state(p, zone), phone=True),
            Column("purchased", gettext_lazy("Purchased"), kind="num", sort=not self.by, total=True),
            Column("in_use", gettext_lazy("In use"), kind="num", sort=not self.by, total=True, phone=True),
            Column("reserved", gettext_lazy("Reserved"), kind="num", sort=not self.by, total=True),
            Column("balance", gettext_lazy("Balance"), kind="balance", sort=not self.by, total=True, phone=True),
            Column("next_end", gettext_lazy("Next end"), kind="date", sort=not self.by, value=lambda p: last_day_of(p.next_end_at, zone)),
            Column("lent", gettext_lazy("Lent"), kind="num", optional=True, total=True),
            Column("borrowed", gettext_lazy("Borrowed"), kind="num", optional=True, total=True),
            Column("pending", gettext_lazy("Not started yet"), kind="num", optional=True, total=True),
            Column("next_start", gettext_lazy("Next start"), kind="date", optional=True, value=self._next_start),
            Column("family", gettext_lazy("Family"), optional=True, value=lambda p: p.tag.family),
            Column("enforcement", gettext_lazy("Class"), optional=True, value=lambda p: ENFORCEMENTS[p.tag.enforcement]),
        ]  # fmt: skip
        return columns if wide else [c for c in columns if c.key != "virtual_account"]

    @functools.cached_property
    def filters(self) -> list[Any]:  # type: ignore[override]
        found: list[Any] = [
            ChoiceFilter("state", gettext_lazy("State"), STATES),
            ChoiceFilter("kind", gettext_lazy("Kind"), list(KINDS.items())),
        ]
        labels = va_tags(self.sight) if self.sight.is_wide else []
        if labels:
            found.append(ChoiceFilter("tag", gettext_lazy("Label"), [(one, one) for one in labels]))
        names = families(self.sight)
        if len(names) > 1:
            found.append(ChoiceFilter("family", gettext_lazy("Family"), [(one, one) for one in names]))
        if self.here.va is not None:
            found.append(FlagFilter("below", gettext_lazy("With those below")))
        return found

    def criteria(self, q: ListQuery) -> PoolCriteria:
        state = q.filters.get("state", "")
        return PoolCriteria(
            text=q.text,
            state="" if state in ("spare", "idle", "pending") else state,
            kind=q.filters.get("kind", ""),
            va_tag=q.filters.get("tag", ""),
            family=q.filters.get("family", ""),
            spare=state == "spare",
            pending=state == "pending",
            idle=state == "idle",
        )

    def fetch(self, q: ListQuery) -> Page:
        criteria = self.criteria(q)
        sort = self.by or q.sort
        page = list_pools(
            self.sight, criteria, sort=sort, descending=q.descending and not self.by, cursor=q.cursor, size=q.size
        )
        self.starts |= next_starts(page.rows)
        if self.request.GET.get("export"):
            return Page(page.rows, page.next_cursor, page.previous_cursor)
        totals = pool_totals(self.sight, criteria)
        sums: dict[str, Any] = totals.sums or {c.key: None for c in self.columns if c.total}
        return Page(page.rows, page.next_cursor, page.previous_cursor, totals.count, totals.is_exact, sums)

    def _group(self, pool: Any) -> tuple[Any, str]:
        if self.by == "virtual_account":
            return pool.virtual_account_id, pool.virtual_account.name
        return pool.tag_id, f"{pool.tag.sku}  {license_name(pool.tag)}"

    def bulk_acts(self) -> list[BulkAct]:
        if not may_manage(self.here):
            return []
        return [BulkAct("transfer", _("Transfer"), self.here.url("transfers-start"))]

    def row_note(self, pool: Any) -> str:
        """What is bought and does not count yet, with the day from which the first of it does."""
        start = self.starts.get(pool.pk)
        return start_text(pool.pending, self._next_start(pool)) if start is not None else ""

    def _next_start(self, pool: Any) -> dt.date | None:
        start = self.starts.get(pool.pk)
        return day_of(start.at, self.here.account.time_zone) if start is not None else None

    def row_menu(self, pool: Any) -> list[kit.MenuItem]:
        if not self.sight.may_manage(pool.virtual_account_id):
            return []
        none = "" if pool.available else _("Nothing is spare here.")
        start = f"{self.here.url('transfers-start')}?row={pool.uid}"
        use = f"{self.here.url('licenses-use', tag=pool.tag.uid)}?pool={pool.uid}"
        return [
            kit.MenuItem(_("Transfer"), start, "arrows-exchange", unavailable=none),
            kit.MenuItem(_("Use on a device"), use, "server", unavailable=none),
        ]


def tabs(here: Here, sight: Sight, current: str) -> list[kit.Tab]:
    """The ways to look at the licenses; in one virtual account there is only one."""
    if not sight.is_wide:
        return []
    ways = [
        ("licenses-list", _("All")),
        ("licenses-by-license", _("By license")),
        ("licenses-by-place", _("By virtual account")),
    ]
    if sight.sees_all:
        ways.append(("licenses-branches", _("Totals per branch")))
    return [kit.Tab(label, here.url(name), current=name == current) for name, label in ways]


@account_page(Permission.LICENSES_VIEW)
def license_list(request: HttpRequest, here: Here) -> HttpResponseBase:
    return _list(request, here, "licenses-list", "")


@account_page(Permission.LICENSES_VIEW)
def by_license(request: HttpRequest, here: Here) -> HttpResponseBase:
    return _list(request, here, "licenses-by-license", "license")


@account_page(Permission.LICENSES_VIEW)
def by_virtual_account(request: HttpRequest, here: Here) -> HttpResponseBase:
    return _list(request, here, "licenses-by-place", "virtual_account")


def _list(request: HttpRequest, here: Here, current: str, by: str) -> HttpResponseBase:
    sight = sight_of(request, here)
    page = LicenseList(request, here=here, sight=sight, by=by)
    actions = [
        kit.MenuItem(_("Statement"), here.url("statement-lines"), "report-analytics"),
        kit.MenuItem(_("Transfer history"), here.url("transfers-list"), "history"),
    ]
    context: dict[str, Any] = {"tabs": tabs(here, sight, current)}
    if may_manage(here):
        context["primary"] = kit.Action(here.url("transfers-new"), _("Transfer"), "arrows-exchange")
        actions.insert(0, kit.MenuItem(_("Transfer by CSV"), here.url("transfers-csv"), "file-type-csv"))
        actions.append(kit.MenuItem(_("Register devices"), here.url("devices-new"), "server"))
    return page.response({**context, "actions": actions})


class BranchList(ListPage):
    """Totals per branch, in tree order; only for who may see all of the account (S26)."""

    key = "license-branches"
    title = gettext_lazy("Totals per branch")
    here: Here
    sight: Sight
    columns = (
        Column("name", gettext_lazy("Virtual account"), value=lambda t: t.virtual_account.name),
        Column("purchased", gettext_lazy("Purchased"), kind="num", value=lambda t: t.branch["purchased"]),
        Column("in_use", gettext_lazy("In use"), kind="num", value=lambda t: t.branch["in_use"]),
        Column("reserved", gettext_lazy("Reserved"), kind="num", value=lambda t: t.branch["reserved"]),
        Column("balance", gettext_lazy("Balance"), kind="balance", value=lambda t: t.branch["balance"]),
        Column("own_purchased", gettext_lazy("Own: purchased"), kind="num", value=lambda t: t.own["purchased"]),
        Column("own_in_use", gettext_lazy("Own: in use"), kind="num", value=lambda t: t.own["in_use"]),
        Column("own_balance", gettext_lazy("Own: balance"), kind="balance", value=lambda t: t.own["balance"]),
    )
    filters = (
        ChoiceFilter("family", gettext_lazy("Family"), lambda page: [(one, one) for one in families(page.sight)]),
    )

    def fetch(self, q: ListQuery) -> Page:
        rows = branch_totals(self.sight, PoolCriteria(family=q.filters["family"]) if "family" in q.filters else None)
        start = int(q.cursor) if q.cursor and q.cursor.isdigit() else 0
        end = start + q.size
        return Page(
            rows[start:end],
            str(end) if end < len(rows) else None,
            str(max(0, start - q.size)) if start else None,
            len(rows),
        )

    def depth(self, total: Any) -> int:
        return int(total.virtual_account.depth)


@account_page(Permission.LICENSES_VIEW)
def branches(request: HttpRequest, here: Here) -> HttpResponseBase:
    sight = sight_of(request, here)
    if not sight.sees_all:
        raise NotFound
    page = BranchList(request, here=here, sight=sight)
    page.columns = (
        Column(
            "name", gettext_lazy("Virtual account"), value=lambda t: t.virtual_account.name,
            link=lambda t: here.url("licenses-list", va=t.virtual_account.uid),
        ),
        *BranchList.columns[1:],
    )  # fmt: skip
    return page.response({"tabs": tabs(here, sight, "licenses-branches")})
