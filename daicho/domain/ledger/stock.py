"""Which lots an act takes: read under the lock of their pool, then chosen by the rule."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from daicho.core.statements import among, as_table, ask, chunks, fetch
from daicho.domain.ledger import rules
from daicho.domain.ledger.book import Book, PlaceRow
from daicho.domain.ledger.models import Holding, Lot
from daicho.domain.ledger.rules import Choice, Stock

# Of each place and tag so many lots, in the order of choice, as together hold what is wanted of them.
_CHOSEN = (
    "SELECT place_id, lot_id, quantity FROM (SELECT holding.place_id, holding.lot_id, holding.quantity, v.column3,"
    " SUM(holding.quantity) OVER (PARTITION BY holding.place_id, lot.tag_id ORDER BY %s, holding.lot_id) AS running"
    " FROM %s JOIN ledger_holding AS holding ON holding.place_id = v.column1"
    " JOIN ledger_lot AS lot ON lot.id = holding.lot_id AND lot.tag_id = v.column2"
    " WHERE holding.quantity > 0) AS stock WHERE running < quantity + column3"
)


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
        order = (
            "lot.end_at IS NULL, lot.end_at"
            if choice is Choice.SOONEST_END
            else "lot.end_at IS NOT NULL, lot.end_at DESC"
        )
        rows = [
            (self.book.place("on_hand", virtual_account_id).id, tag_id, quantity)
            for (virtual_account_id, tag_id), quantity in sorted(wanted.items())
        ]
        for part in chunks(rows):
            values, parameters = as_table(["bigint"] * 3, part)
            self._keep(ask(_CHOSEN % (order, values), parameters))

    def load_lots(self, uids: Iterable[str], account_id: int) -> dict[str, Lot]:
        """Read lots by handle and how much of each lies at the places the book knows."""
        found: dict[str, Lot] = {}
        places = {place.id for place in self.book.places.values()}
        for part in chunks(sorted(set(uids))):
            found |= {lot.uid: lot for lot in Lot.objects.filter(account_id=account_id, uid__in=part)}
            rows = Holding.objects.filter(lot__account_id=account_id, lot__uid__in=part, place_id__in=places)
            self._keep(rows.values_list("place_id", "lot_id", "quantity"))
        self.lots.update({lot.pk: lot for lot in found.values()})
        return found

    def _keep(self, rows: Iterable[tuple[int, int, int]]) -> None:
        """Remember quantities (place, lot, quantity) once; what the act moved so far is added by the book itself."""
        fresh = [row for row in rows if row[:2] not in self.loaded]
        unknown = sorted({lot_id for _, lot_id, _ in fresh} - self.lots.keys())
        for part in chunks(unknown):
            condition, parameters = among("id", part)
            self.lots.update({lot.pk: lot for lot in fetch(Lot, f"WHERE {condition}", parameters)})
        for place_id, lot_id, quantity in fresh:
            self.loaded.add((place_id, lot_id))
            self.book.quantities[place_id, lot_id] += quantity
            self.by_spot[place_id, self.lots[lot_id].tag_id].add(lot_id)

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
