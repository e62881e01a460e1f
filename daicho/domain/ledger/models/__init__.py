"""The two books (ledger.md): lots lie at places and are moved by postings; use is counted by unit and tag.

Only this room writes these tables. Every large one carries the account. What people write down about a lot stands beside
it (`LotDetails`) and is no part of the books.
"""

from daicho.domain.ledger.models.details import LotAttachment, LotDetails
from daicho.domain.ledger.models.lots import Holder, HolderLine, Lot, Unit
from daicho.domain.ledger.models.moves import Entry, Holding, Place, Posting, TransferRequest
from daicho.domain.ledger.models.use import Pool, Use, UseChange

__all__ = [
    "Entry", "Holder", "HolderLine", "Holding", "Lot", "LotAttachment", "LotDetails", "Place", "Pool", "Posting",
    "TransferRequest", "Unit", "Use", "UseChange",
]  # fmt: skip
