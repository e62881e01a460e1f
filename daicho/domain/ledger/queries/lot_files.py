"""Files attached to lots: the company's, so seen by who sees the whole account."""

from __future__ import annotations

from collections.abc import Iterator

from daicho.core.errors import NotFound
from daicho.domain.files import store
from daicho.domain.ledger.models import Lot, LotAttachment
from daicho.domain.ledger.queries.lot_details import find_lot
from daicho.domain.ledger.queries.sight import Sight


def files_of(sight: Sight, lot: Lot) -> list[LotAttachment]:
    """The files of a lot, oldest first (at most 20); none for who does not see the whole account."""
    if not sight.sees_all:
        return []
    found = LotAttachment.objects.filter(lot=lot, account=sight.account).select_related("file")
    return list(found.order_by("added_at", "pk"))


def list_lot_files(sight: Sight, lot_uid: str) -> list[LotAttachment]:
    """The files of a lot by its handle, oldest first; NotFound for who does not see the whole account."""
    lot = find_lot(sight, lot_uid)
    if not sight.sees_all:
        raise NotFound
    return files_of(sight, lot)


def read_lot_file(sight: Sight, lot_uid: str, uid: str) -> tuple[LotAttachment, Iterator[bytes]]:
    """A file of a lot and its bytes, at most 1 MiB at a time. Raises NotFound."""
    if not sight.sees_all:
        raise NotFound
    lot = find_lot(sight, lot_uid)
    found = LotAttachment.objects.filter(lot=lot, uid=uid).select_related("file").first()
    if found is None:
        raise NotFound
    return found, store.parts(found.file)
