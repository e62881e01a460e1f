"""Which lots an act takes: read under the lock of their pool, then chosen by the rule."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import F, Sum, Window

from daicho.domain.ledger import rules
from daicho.domain.ledger.book import Book, PlaceRow
from daicho.domain.ledger.models import Holding, Lot
from daicho.domain.ledger.rules import Choice, Stock
from daicho.domain.ledger.sql import chunks


@dataclass(eq=False)
class Store:
    """The lots an act may take from, by place. Lots that the act itself lays down there join them."""

    book: Book
    lots: dict[int, Lot] = field(default_factory=dict)
    by_spot: dict[tuple[int, int], set[int]] = field(default_factory=lambda: defaultdict(set))
    loaded: set[tuple[int, int]] = field(default_factory=set)

    def load(self, wanted: dict[tuple[int, int], int], choice: Choice) -> None:
        """Read enough lots on hand for each (virtual account, tag) to give what is wanted of it, in order of choice."""
        if not wanted:
            return
        end = F("lot__end_at")
        order = end.asc(nulls_last=True) if choice is Choice.SOONEST_END else end.desc(nulls_first=True)
        running = Window(Sum("quantity"), partition_by=["place_id", "lot__tag_id"], order_by=[order, "lot_id"])
        places = {self.book.place("on_hand", virtual_account_id).id for virtual_account_id, _ in wanted}
        rows = (
            Holding.objects.filter(
                place_id__in=places, lot__tag_id__in={tag_id for _, tag_id in wanted}, quantity__gt=0
            )
            .annotate(running=running)
            .filter(running__lt=F("quantity") + max(wanted.values()))
        )
        self._keep(rows)

    def load_lots(self, uids: Iterable[str], account_id: int) -> dict[str, Lot]:
        """Read lots by handle and how much of each lies at the places the book knows."""
        found: dict[str, Lot] = {}
        places = {place.id for place in self.book.places.values()}
        for part in chunks(sorted(set(uids))):
            found |= {lot.uid: lot for lot in Lot.objects.filter(account_id=account_id, uid__in=part)}
            self._keep(Holding.objects.filter(lot__account_id=account_id, lot__uid__in=part, place_id__in=places))
        self.lots.update({lot.pk: lot for lot in found.values()})
        return found

    def _keep(self, rows: Iterable[Holding]) -> None:
        """Remember quantities once; what the act moved so far is added by the book itself."""
        fresh = [row for row in rows if (row.place_id, row.lot_id) not in self.loaded]
        unknown = sorted({row.lot_id for row in fresh} - self.lots.keys())
        for part in chunks(unknown):
            self.lots.update(Lot.objects.in_bulk(list(part)))
        for row in fresh:
            self.loaded.add((row.place_id, row.lot_id))
            self.book.quantities[row.place_id, row.lot_id] += row.quantity
            self.by_spot[row.place_id, self.lots[row.lot_id].tag_id].add(row.lot_id)

    def put(self, place: PlaceRow, lot: Lot) -> None:
        """Let a lot that the act has just laid down be taken again."""
        self.lots[lot.pk] = lot
        self.by_spot[place.id, lot.tag_id].add(lot.pk)

    def choose(self, virtual_account_id: int, tag_id: int, quantity: int, choice: Choice) -> list[tuple[Lot, int]]:
        """Lots on hand in the order of the choice; together less than asked if there is not enough."""
        place = self.book.place("on_hand", virtual_account_id)
        stock = [
            Stock(lot_id, self.lots[lot_id].end_at, self.book.quantities[place.id, lot_id])
            for lot_id in self.by_spot[place.id, tag_id]
        ]
        return [(self.lots[lot_id], part) for lot_id, part in rules.choose(stock, quantity, choice)]
