"""How to order for an account: the card with the two names (S20)."""

from __future__ import annotations

from dataclasses import dataclass

from daicho.core.actor import Actor
from daicho.domain.access.policy import ensure_may, visible_virtual_accounts
from daicho.domain.access.rules import Permission
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount


@dataclass(frozen=True, slots=True)
class OrderCard:
    """The two names that a customer tells a partner. `public`: partners find the virtual account by typing."""

    identifier: str
    account_name: str
    virtual_account: str
    virtual_account_uid: str
    public: bool


def order_card(actor: Actor, account: SmartAccount, virtual_account: VirtualAccount | None = None) -> OrderCard:
    """The card of one virtual account, or of the default one (of what the actor may see)."""
    ensure_may(actor, Permission.ORDERS_VIEW, account, virtual_account)
    if virtual_account is None:
        seen = visible_virtual_accounts(actor, account, Permission.ORDERS_VIEW)
        virtual_account = seen.order_by("-is_default", "name_key")[0]
    return OrderCard(
        identifier=account.identifier,
        account_name=account.name,
        virtual_account=virtual_account.name,
        virtual_account_uid=virtual_account.uid,
        public=virtual_account.visibility == VirtualAccount.Visibility.PUBLIC,
    )


def destination_choices(actor: Actor, account: SmartAccount) -> list[VirtualAccount]:
    """The virtual accounts to which the actor may assign, the default one first."""
    ensure_may(actor, Permission.ORDERS_ASSIGN, account, standing=False)
    return list(VirtualAccount.objects.filter(account=account, deleted_at=None).order_by("-is_default", "name_key"))
