"""Lots: of one license, and the subscriptions of the account."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import batched
from operator import attrgetter
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy

from daicho.core import tabular
from daicho.core.clock import today
from daicho.domain.access.rules import Permission
from daicho.domain.ledger.details import FIELDS, Details
from daicho.domain.ledger.queries.details_file import cell
from daicho.domain.ledger.queries.lot_details import UNSEEN, details_by_uid, details_of
from daicho.domain.ledger.queries.lots import LotCells, LotCriteria, every_lot, list_lots
from daicho.domain.ledger.queries.lots_csv import Words, csv_of_lots
from daicho.domain.ledger.queries.sight import Sight
from daicho.interfaces.portal.lists import ChoiceFilter, Column, Empty, ListPage, ListQuery, Page
from daicho.interfaces.portal.views.licenses_parts import KINDS, last_day_of, license_name, sight_of
from daicho.interfaces.portal.views.lots_parts import details_columns
from daicho.interfaces.portal.web import Here, account_page

LOT_STATES = [
    ("in_force", gettext_lazy("In force")), ("ending", gettext_lazy("Ending")), ("not_started", gettext_lazy("Not started")),
    ("ended", gettext_lazy("Ended")),
]  # fmt: skip
LOT_LOOK = {"fulfilled": "reserved"}


CELLS: dict[str, Callable[[LotCells], Any]] = {
    "lot": attrgetter("uid"),
    "sku": attrgetter("sku"),
    "license": lambda r: license_name(r),  # type: ignore[arg-type]  # it has the three names of a tag
    "virtual_account": attrgetter("virtual_account"),
    "state": lambda r: LOT_LOOK.get(r.state, r.state),
    "quantity": attrgetter("quantity"),
    "order": attrgetter("order_number"),
}


FILE_KEYS = {*CELLS, "kind", "start", "end", "days_left"}
DETAILS_PART = 5_000


def file_cells(rows: Iterable[LotCells], keys: Sequence[str], zone: str) -> Iterator[list[tabular.Cell]]:
    """The cells of the CSV file. Days and words are made once each: a million lots share some thousands of them."""
    kinds = {code: str(word) for code, word in KINDS.items()}
    day = functools.lru_cache(20_000)(lambda end_at: last_day_of(end_at, zone))
    begins = functools.lru_cache(20_000)(lambda at: timezone.localtime(at).isoformat(timespec="seconds"))
    this_day = today(zone)

    def days_left(row: LotCells) -> int | None:
        end = day(row.end_at)
        return (end - this_day).days if end is not None and row.state != "ended" else None

    def iso(row: LotCells) -> str | None:
        end = day(row.end_at)
        return end.isoformat() if end is not None else None

    made = CELLS | {
        "kind": lambda r: kinds[r.kind], "start": lambda r: begins(r.start_at), "end": iso, "days_left": days_left,
    }  # fmt: skip
    cells = [made[key] for key in keys]
    for row in rows:
        yield [cell(row) for cell in cells]


def cells_with_details(
    sight: Sight, rows: Iterable[LotCells], keys: Sequence[str], zone: str
) -> Iterator[list[tabular.Cell]]:
    """The same with ledger columns, which are read for some thousands of lots at a time."""
    plain = [key for key in keys if key in FILE_KEYS]
    for part in batched(rows, DETAILS_PART):
        kept = details_by_uid(sight, {row.uid for row in part})
        for row, cells in zip(part, file_cells(part, plain, zone), strict=True):
            details, found = kept.get(row.uid, UNSEEN), iter(cells)
            yield [next(found) if key in FILE_KEYS else cell(details, key) for key in keys]


def order_url(here: Here, number: str) -> str:
    """The orders of this number, for who may see orders."""
    if not number or not here.may(Permission.ORDERS_VIEW):
        return ""
    return f"{here.url('orders-list')}?{urlencode({'q': number})}"


class LotList(ListPage):
    """The lots of a license (or of all): where each lies, how many, until when, from which order."""

    key = "lots"
    title = gettext_lazy("Lots")
    template = "licenses/detail_list.html"
    default_sort = "end"
    here: Here
    sight: Sight
    tag_uid = ""
    kinds: tuple[str, ...] = ()
    empty = Empty(gettext_lazy("No lots here"), gettext_lazy("What is used here is not covered by lots of its own."))
    filters: tuple[ChoiceFilter, ...] = (
        ChoiceFilter("state", gettext_lazy("State"), LOT_STATES),
        ChoiceFilter("kind", gettext_lazy("Kind"), list(KINDS.items())),
    )

    def __init__(self, request: HttpRequest, **given: Any) -> None:
        self.kept: dict[int, Details] = {}  # ledger columns of the rows that are shown, by lot
        super().__init__(request, **given)

    @property
    def columns(self) -> list[Column]:  # type: ignore[override]
        here, zone = self.here, self.here.account.time_zone
        columns = [
            Column("lot", gettext_lazy("Lot"), kind="code", value=lambda r: r.lot.uid,
                   link=lambda r: here.url("lots-detail", lot=r.lot.uid)),
            Column("virtual_account", gettext_lazy("Virtual account"), value=lambda r: r.place.virtual_account.name),
            Column("state", gettext_lazy("State"), kind="state", value=lambda r: LOT_LOOK.get(r.state, r.state)),
            Column("kind", gettext_lazy("Kind"), value=lambda r: KINDS[r.lot.kind]),
            Column("quantity", gettext_lazy("Quantity"), kind="num", total=True, phone=True),
            Column("start", gettext_lazy("Start"), kind="date", sort=True, value=lambda r: r.lot.start_at),
            Column(
                "end",
                gettext_lazy("End"),
                kind="date",
                sort=True,
                value=lambda r: last_day_of(r.lot.end_at, zone),
                phone=True,
            ),
            Column(
                "days_left",
                gettext_lazy("Days left"),
                kind="num",
                value=lambda r: r.days_left if r.state != "ended" else None,
            ),
            Column(
                "order",
                gettext_lazy("Order"),
                kind="code",
                value=lambda r: r.lot.order_number,
                link=lambda r: order_url(here, r.lot.order_number),
            ),
            *details_columns(self.sight, self.kept),
        ]  # fmt: skip
        return columns if self.sight.is_wide else [c for c in columns if c.key != "virtual_account"]

    def criteria(self, q: ListQuery) -> LotCriteria:
        kinds = (q.filters["kind"],) if "kind" in q.filters else self.kinds
        return LotCriteria(tag_uid=self.tag_uid, state=q.filters.get("state", ""), kinds=kinds, text=q.text)

    def plain_rows(self, q: ListQuery, keys: Sequence[str]) -> Iterator[Sequence[tabular.Cell]] | None:
        details = set(keys) & set(FIELDS)
        if not set(keys) <= FILE_KEYS | details:
            return None
        rows = every_lot(self.sight, self.criteria(q), sort=q.sort or "end", descending=q.descending)
        zone = self.here.account.time_zone
        return cells_with_details(self.sight, rows, keys, zone) if details else file_cells(rows, keys, zone)

    def plain_lines(self, q: ListQuery, keys: Sequence[str]) -> Iterator[bytes] | None:
        words = Words(
            {code: str(word) for code, word in KINDS.items()}, LOT_LOOK, (get_language() or "").startswith("ja"),
            timezone.get_current_timezone_name(),
        )  # fmt: skip
        return csv_of_lots(self.sight, self.criteria(q), keys, words, sort=q.sort or "end", descending=q.descending)

    def fetch(self, q: ListQuery) -> Page:
        page = list_lots(
            self.sight, self.criteria(q), sort=q.sort or "end", descending=q.descending, cursor=q.cursor, size=q.size
        )
        if any(column.key in FIELDS for column in self.shown()):
            self.kept.clear()
            self.kept.update(details_of(self.sight, {row.lot.pk for row in page.rows}))
        return Page(page.rows, page.next_cursor, page.previous_cursor, page.count, page.count_is_exact)


def license_columns(here: Here) -> list[Column]:
    """Which license a lot is of, for lists of several."""
    return [
        Column("license", gettext_lazy("License"), value=lambda r: license_name(r.lot.tag), phone=True,
               link=lambda r: here.url("licenses-detail", tag=r.lot.tag.uid)),
        Column("sku", gettext_lazy("SKU"), kind="code", value=lambda r: r.lot.tag.sku),
    ]  # fmt: skip


class SubscriptionList(LotList):
    """サブスクリプション: which contracts run?"""

    key = "subscriptions"
    title = gettext_lazy("Subscriptions")
    template = "kit/list_page.html"
    text_label = gettext_lazy("Filter by ID, license, order or virtual account")
    kinds = ("subscription",)
    stamps = True
    filters = (ChoiceFilter("state", gettext_lazy("State"), LOT_STATES),)
    empty = Empty(
        gettext_lazy("No subscriptions"),
        gettext_lazy("Subscriptions arrive with an order, like other licenses, and are listed here."),
    )

    @property
    def columns(self) -> list[Column]:  # type: ignore[override]
        head, *rest = super().columns
        return [head, *license_columns(self.here), *(column for column in rest if column.key != "kind")]


@account_page(Permission.LICENSES_VIEW)
def subscriptions(request: HttpRequest, here: Here) -> HttpResponseBase:
    page = SubscriptionList(request, here=here, sight=sight_of(request, here))
    return page.response()
