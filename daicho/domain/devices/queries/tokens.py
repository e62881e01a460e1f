"""Which registration tokens are open, and who used one."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import F, QuerySet

from daicho.core.actor import Actor
from daicho.core.clock import now
from daicho.core.errors import NotFound
from daicho.core.paging import Page, keyset_page
from daicho.core.text import tidy
from daicho.domain.access.policy import ensure_may
from daicho.domain.access.rules import Permission
from daicho.domain.devices.models import Device, RegistrationToken
from daicho.domain.ledger.queries.sight import Sight, look
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount

STATES = tuple(RegistrationToken.State)


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token as it stands at a moment; never with its secret."""

    token: RegistrationToken
    state: str

    @property
    def name(self) -> str:
        return self.token.description or f"{self.token.secret_hint}…"


def look_at_tokens(actor: Actor, account: SmartAccount, virtual_account: VirtualAccount | None = None) -> Sight:
    """What the actor sees of tokens, or NotFound: who only reads sees none."""
    return look(actor, account, virtual_account, view=Permission.TOKENS_VIEW, manage=Permission.DEVICES_MANAGE)


def list_tokens(
    sight: Sight, *, state: str = "", text: str = "", cursor: str | None = None, size: int = 25
) -> Page[TokenRow]:
    """Tokens in sight, newest first; `state`: one of STATES, `text`: a part of the description."""
    at = now()
    found = RegistrationToken.objects.filter(sight.condition("virtual_account"), account=sight.account)
    found = _in_state(found, state, at).select_related("virtual_account")
    for word in tidy(text).split():
        found = found.filter(description__icontains=word)
    page = keyset_page(found, ("-created_at", "uid"), cursor=cursor, size=size, count=True)
    rows = [TokenRow(token, token.state_at(at)) for token in page.rows]
    return Page(rows, page.next_cursor, page.previous_cursor, page.count, page.count_is_exact)


def get_token(actor: Actor, account: SmartAccount, uid: str) -> TokenRow:
    """One token, if the actor may see those of its virtual account; raises NotFound."""
    token = RegistrationToken.objects.filter(account=account, uid=uid).select_related("virtual_account").first()
    if token is None:
        raise NotFound
    ensure_may(actor, Permission.TOKENS_VIEW, account, token.virtual_account)
    return TokenRow(token, token.state_at(now()))


def devices_of_token(sight: Sight, token: RegistrationToken, limit: int = 50) -> list[Device]:
    """The last devices in sight that registered with it, newest first; one that was moved away may be out of sight."""
    found = Device.objects.filter(sight.condition("unit__virtual_account"), instances__token=token)
    return list(found.select_related("unit__virtual_account").order_by("-instances__registered_at", "-pk")[:limit])


def _in_state(found: QuerySet[RegistrationToken], state: str, at: dt.datetime) -> QuerySet[RegistrationToken]:
    match state:
        case RegistrationToken.State.OPEN:
            return found.filter(revoked_at=None, expires_at__gt=at, uses__lt=F("max_uses"))
        case RegistrationToken.State.USED_UP:
            return found.filter(revoked_at=None, expires_at__gt=at, uses__gte=F("max_uses"))
        case RegistrationToken.State.EXPIRED:
            return found.filter(revoked_at=None, expires_at__lte=at)
        case RegistrationToken.State.REVOKED:
            return found.filter(revoked_at__isnull=False)
    return found
