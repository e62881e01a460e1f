"""Partners find private virtual accounts by their exact name only, so names are not to be tried out (product.md §3).

A company gets ten wrong names an hour, all accounts together, and an account gives away ten an hour to all companies
together. Then names that the company has not ordered to before are not looked up, right or wrong, until the hour is over.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable

from daicho.core.clock import now
from daicho.core.outliving import outlive
from daicho.core.text import name_key
from daicho.domain.access.models import PartnerCompany
from daicho.domain.orders.models import OrderLine, WrongName
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount

LIMIT, WINDOW = 10, dt.timedelta(hours=1)
KEPT = dt.timedelta(days=1)


class Guesses:
    """What one company may still get wrong now. The same wrong name again tells nothing new and is not counted."""

    def __init__(self, company: PartnerCompany) -> None:
        self.company = company
        self._wrong: set[tuple[int, str]] | None = None
        self._of_account: dict[int, int] = {}
        self._known: dict[int, bool] = {}

    def may_answer(self, account: SmartAccount, name: str, place: VirtualAccount | None) -> bool:
        """Whether to say if there is such a virtual account (`place`, if there is); a wrong name is noted."""
        if place is not None and self._is_proven(place):
            return True
        key = (account.pk, _digest(name))
        if place is None and key in self.wrong:
            return True
        if len(self.wrong) >= LIMIT or self._against(account) >= LIMIT:
            return False
        if place is None:
            self.wrong.add(key)
            self._of_account[account.pk] += 1
            outlive(lambda: _note(self.company, *key))
        return True

    @property
    def wrong(self) -> set[tuple[int, str]]:
        """What the company got wrong within the hour."""
        if self._wrong is None:
            rows = WrongName.objects.filter(company=self.company, at__gt=now() - WINDOW)
            self._wrong = set(rows.values_list("account_id", "name_digest"))
        return self._wrong

    def _against(self, account: SmartAccount) -> int:
        if account.pk not in self._of_account:
            rows = WrongName.objects.filter(account=account, at__gt=now() - WINDOW)
            self._of_account[account.pk] = rows.count()
        return self._of_account[account.pk]

    def look_at(self, places: Iterable[VirtualAccount]) -> None:
        """Ask once which of many private ones the company has ordered to before."""
        private = [place.pk for place in places if place.visibility != VirtualAccount.Visibility.PUBLIC]
        lines = OrderLine.objects.filter(order__company=self.company, virtual_account__in=private)
        ordered = set(lines.values_list("virtual_account", flat=True).distinct()) if private else set()
        self._known |= {pk: pk in ordered for pk in private}

    def _is_proven(self, place: VirtualAccount) -> bool:
        if place.visibility == VirtualAccount.Visibility.PUBLIC:
            return True
        if place.pk not in self._known:
            self.look_at([place])
        return self._known[place.pk]


def _digest(name: str) -> str:
    return hashlib.sha256(name_key(name).encode()).hexdigest()


def _note(company: PartnerCompany, account_id: int, digest: str) -> None:
    at = now()
    WrongName.objects.filter(company=company, at__lt=at - KEPT).delete()
    WrongName.objects.update_or_create(company=company, account_id=account_id, name_digest=digest, defaults={"at": at})
