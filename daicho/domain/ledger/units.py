"""What a unit takes along when it goes elsewhere: its use, and the lots that are set aside for it."""

from __future__ import annotations

from daicho.domain.ledger.book import Book
from daicho.domain.ledger.locking import load_holder_places, make_holder_place
from daicho.domain.ledger.models import Entry, Holding, Place, Unit, Use
from daicho.domain.ledger.rules import Act
from daicho.domain.tenancy.models import VirtualAccount


def tags_of(unit: Unit) -> set[int]:
    """The tags that a locked unit uses or holds."""
    used = Use.objects.filter(unit=unit).values_list("tag_id", flat=True)
    held = Holding.objects.filter(place__holder__unit=unit, quantity__gt=0).values_list("lot__tag_id", flat=True)
    return {*used, *held}


def carry_unit(book: Book, entry: Entry, unit: Unit, target: VirtualAccount) -> None:
    """Let a locked unit draw in another virtual account from now on; its uses are loaded, its pools on both sides locked."""
    _carry_held(book, entry, unit, target)
    for use in [use for use in book.uses.values() if use.unit.pk == unit.pk]:
        before = use.pool
        book.move_use(use, book.pool(target.pk, use.tag.pk))
        if use.counted:
            book.note_use(
                use, before, use.counted, request_id=entry.request_id, fingerprint=entry.fingerprint,
                act=Act.ASK, cause="move", entry=entry,
            )  # fmt: skip
    unit.virtual_account = target
    unit.save(update_fields=["virtual_account"])


def _carry_held(book: Book, entry: Entry, unit: Unit, target: VirtualAccount) -> None:
    """Reserved and fulfilled lots go along with their unit."""
    held = Holding.objects.filter(place__holder__unit=unit, quantity__gt=0).select_related("place", "lot")
    rows = list(held.order_by("place_id", "lot_id"))
    load_holder_places(book, {row.place.holder_id for row in rows if row.place.holder_id})
    for row in rows:
        holder_id = row.place.holder_id or 0
        here = book.place(row.place.kind, unit.virtual_account_id, holder_id)
        there = make_holder_place(book, unit.account_id, Place.Kind(row.place.kind), target.pk, holder_id)
        book.move(entry, row.lot, here, there, row.quantity)
