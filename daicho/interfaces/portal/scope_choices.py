"""The selector of virtual accounts: choosing one keeps the page and changes the path.

An account may have ten thousand of them. A few stand in every page; more are looked for when the selector is opened.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from daicho.domain.access.queries_tree import has_more_virtual_accounts, search_virtual_accounts, tree
from daicho.domain.access.rules import Permission as P
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal.web import Here

if TYPE_CHECKING:
    from daicho.domain.tenancy.models import VirtualAccount

FEW = 20
MOST = 50

WHOLE_ACCOUNT_PAGES = frozenset(
    {
        "agreements-list",
        "access_requests-list",
        "account-settings",
        "jobs-list",
        "search-results",
        "notifications-settings",
        "notifications-addresses",
        "virtual_accounts-choose",
    }
)


def page_to_keep(name: str, kept: Iterable[str] = ()) -> str:
    """The page to stay on in another virtual account: the same, but for pages of one thing or of the whole account."""
    return "licenses-list" if set(kept) - {"identifier", "va"} or name in WHOLE_ACCOUNT_PAGES else name


def few(here: Here, page: str) -> tuple[list[kit.Choice], bool]:
    """The lines of the selector in the page, and whether there are more than stand there."""
    if has_more_virtual_accounts(here.actor, here.account, FEW):
        current = [] if here.va is None else [(here.va, 0)]
        return _choices(here, page, current), True
    found = tree(here.actor, here.account)
    if len(found) < 2 and here.va is not None:
        return [], False
    return _choices(here, page, found), False


def found(here: Here, page: str, text: str) -> list[kit.Choice]:
    """The virtual accounts whose name holds the typed words, 50 at most; without words the upper levels of the tree."""
    if text:
        rows = [(row, 0) for row in search_virtual_accounts(here.actor, here.account, text, limit=MOST)]
        return _choices(here, page, rows, whole=False)
    return _choices(here, page, tree(here.actor, here.account, limit=MOST))


def _choices(
    here: Here, page: str, rows: Iterable[tuple[VirtualAccount, int]], *, whole: bool = True
) -> list[kit.Choice]:
    try:
        target = reverse(page, kwargs={"identifier": here.account.identifier, "va": "."})
    except NoReverseMatch:
        page = "licenses-list"
        target = reverse(page, kwargs={"identifier": here.account.identifier, "va": "."})
    before, after = target.split("/./", 1)
    lines = []
    if whole and here.scope.allows(P.VIRTUAL_ACCOUNTS_VIEW):
        everything = reverse(page, kwargs={"identifier": here.account.identifier})
        lines.append(kit.Choice(_("All virtual accounts"), everything, current=here.va is None))
    return lines + [
        kit.Choice(
            row.name, f"{before}/{row.uid}/{after}", depth=depth, current=here.va is not None and row.pk == here.va.pk
        )
        for row, depth in rows
    ]
