"""What an actor sees of an account's licenses: made by the door, asked for by every query of this room."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from daicho.core.actor import Actor
from daicho.core.errors import NotFound
from daicho.core.statements import among, ask, chunks, fetch
from daicho.core.text import name_key
from daicho.domain.access.policy import ensure_may
from daicho.domain.access.rules import Permission
from daicho.domain.catalog.models import LicenseTag
from daicho.domain.ledger.models import Pool
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount

LARGE = 5_000


@dataclass(frozen=True, slots=True)
class Sight:
    """The virtual accounts of one account whose licenses an actor may see now, narrowed to the scope of the page.

    `visible`: ids of all that the actor may see, None for the whole account. `only`: the virtual account of the page;
    `below`: with those below it. `manages`: where he may move licenses, None for everywhere. `is_large`: the account
    has more than 5,000 pools, so that lists must not read all of them.
    """

    account: SmartAccount
    visible: frozenset[int] | None
    manages: frozenset[int] | None
    only: VirtualAccount | None = None
    below: bool = False
    is_large: bool = False

    @property
    def sees_all(self) -> bool:
        return self.visible is None

    @property
    def is_wide(self) -> bool:
        """Whether the page may show more than one virtual account."""
        return self.only is None or self.below

    def sees(self, virtual_account_id: int | None) -> bool:
        return virtual_account_id is not None and (self.visible is None or virtual_account_id in self.visible)

    def may_manage(self, virtual_account_id: int | None) -> bool:
        if virtual_account_id is None:
            return self.manages is None
        return self.manages is None or virtual_account_id in self.manages

    def virtual_accounts(self) -> QuerySet[VirtualAccount]:
        """Those in the page's scope."""
        found = VirtualAccount.objects.filter(account=self.account, deleted_at=None)
        if self.visible is not None:
            found = found.filter(pk__in=self.visible)
        if self.only is not None:
            found = found.filter(path__startswith=self.only.path) if self.below else found.filter(pk=self.only.pk)
        return found

    def all_virtual_accounts(self) -> QuerySet[VirtualAccount]:
        """All that the actor may see, whatever the page's scope."""
        found = VirtualAccount.objects.filter(account=self.account, deleted_at=None)
        return found if self.visible is None else found.filter(pk__in=self.visible)

    def condition(self, path: str = "virtual_account") -> Q:
        """The rows in scope, by the path from the row to its virtual account. Deleted ones hold nothing any more."""
        if self.only is not None and not self.below:
            return Q(**{path: self.only})
        if self.only is None and self.visible is None:
            return Q()
        return Q(**{f"{path}__in": self.virtual_accounts().values("pk")})

    def pools(self) -> QuerySet[Pool]:
        """The pools in scope, with tag and virtual account."""
        return Pool.objects.filter(self.condition(), account=self.account).select_related("tag", "virtual_account")


def look(
    actor: Actor,
    account: SmartAccount,
    virtual_account: VirtualAccount | None = None,
    *,
    below: bool = False,
    lists: bool = True,
    view: Permission = Permission.LICENSES_VIEW,
    manage: Permission = Permission.LICENSES_MANAGE,
) -> Sight:
    """What the actor sees, or NotFound. `below` adds the virtual accounts under the given one that he may see too.

    `lists=False` for acts: they need not know whether the account is large.
    """
    scope = ensure_may(actor, view, account, virtual_account)
    visible = scope.virtual_account_ids(view)
    manages = scope.virtual_account_ids(manage)
    return Sight(
        account=account,
        visible=None if visible is None else frozenset(visible),
        manages=None if manages is None else frozenset(manages),
        only=virtual_account,
        below=below and virtual_account is not None,
        is_large=lists and _is_large(account),
    )


def _is_large(account: SmartAccount) -> bool:
    first = f"SELECT 1 FROM {Pool._meta.db_table} WHERE account_id = %s LIMIT {LARGE + 1}"  # noqa: S608
    return bool(ask(f"SELECT COUNT(*) FROM ({first}) AS first_ones", [account.pk])[0][0] > LARGE)  # noqa: S608


def find_tag(sight: Sight, **handle: Any) -> LicenseTag:
    """A license tag (by `uid` or `sku_key`) that lies in a virtual account in scope, or NotFound."""
    pools = sight.pools().filter(**{f"tag__{name}": value for name, value in handle.items()})
    tag_id = pools.values_list("tag_id", flat=True).first()
    if tag_id is None:
        raise NotFound
    return LicenseTag.objects.select_related("ladder").get(pk=tag_id)


def tags_named(word: str) -> QuerySet[LicenseTag, int]:
    """Ids of the tags whose SKU or name (either language) holds one typed word; NFKC, case folded."""
    named = Q(sku_key__contains=name_key(word)) | Q(name__icontains=word) | Q(name_ja__icontains=word)
    return LicenseTag.objects.filter(named).values_list("pk", flat=True)


def manageable(
    sight: Sight, *, text: str = "", uids: Iterable[str] | None = None, limit: int = 500
) -> list[VirtualAccount]:
    """The virtual accounts whose licenses the actor may move, in tree order by path, at most `limit`."""
    found = sight.all_virtual_accounts()
    if sight.manages is not None:
        found = found.filter(pk__in=sight.manages)
    if uids is not None:
        found = found.filter(uid__in=list(uids))
    for word in text.split():
        found = found.filter(name_key__contains=name_key(word))
    return list(found.order_by("-is_default", "name_key")[:limit])


def pools_by_uid(sight: Sight, uids: Iterable[str], limit: int = 200) -> list[Pool]:
    """Visible pools by their handles, in the order of license and virtual account."""
    pools = Pool.objects.filter(
        account=sight.account, uid__in=list(uids), virtual_account__in=sight.all_virtual_accounts().values("pk")
    )
    ordered = pools.select_related("tag", "virtual_account").order_by("tag__sku_key", "virtual_account__name_key")
    return list(ordered[:limit])


def tags_by_uid(uids: Iterable[str]) -> dict[str, LicenseTag]:
    """License tags by their handles."""
    return {tag.uid: tag for tag in LicenseTag.objects.filter(uid__in=list(uids))}


def places_by_uid(sight: Sight, uids: Iterable[str]) -> dict[str, VirtualAccount]:
    """Visible virtual accounts by their handles; what is out of sight is not among them."""
    return places_seen([(sight, uids)])[0]


def places_seen(wanted: Sequence[tuple[Sight, Iterable[str]]]) -> list[dict[str, VirtualAccount]]:
    """The same for many at once, each with a sight of its own."""
    asked = [(sight, set(uids)) for sight, uids in wanted]
    living: dict[str, VirtualAccount] = {}
    for part in chunks(sorted(set().union(*(uids for _, uids in asked))), 500):
        condition, parameters = among("uid", part)
        rows = fetch(VirtualAccount, f"WHERE deleted_at IS NULL AND {condition}", parameters)
        living |= {place.uid: place for place in rows}
    return [
        {
            uid: place
            for uid in uids
            if (place := living.get(uid)) is not None and place.account_id == sight.account.pk and sight.sees(place.pk)
        }
        for sight, uids in asked
    ]
