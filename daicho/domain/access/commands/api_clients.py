"""Programs: a secret shown once, scopes, an end, and rights of their own (product.md, Roles; design.md, API)."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from daicho.core.actor import Actor
from daicho.core.clock import now
from daicho.core.commands import command
from daicho.core.errors import NotFound
from daicho.core.ids import new_secret
from daicho.core.text import clean
from daicho.domain.access.errors import NameMissing, UnknownScope
from daicho.domain.access.giving import (
    close_grant,
    ensure_end,
    ensure_fits,
    ensure_may_grant,
    lock_account,
    proposed_end,
    write_grant,
)
from daicho.domain.access.models import ApiClient, Grant, PartnerCompany, User
from daicho.domain.access.policy import ensure_may, ensure_operator
from daicho.domain.access.rules import OperatorPermission, Permission, Role, is_outsider
from daicho.domain.audit.record import record
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount


@dataclass(frozen=True, slots=True)
class NewSecret:
    """A client and its secret: the only moment at which the secret can be read."""

    client: ApiClient
    secret: str


@dataclass(frozen=True, slots=True)
class Right:
    """A role that a program gets, in the account or in one virtual account."""

    role: Role
    virtual_account: VirtualAccount | None = None


def secret_hash(secret: str) -> str:
    """SHA-256: a secret of 256 random bits needs no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


@command(permission=Permission.API_CLIENTS_MANAGE, events=("api_client.created", "grant.given"))
def create_api_client(
    actor: Actor,
    *,
    account: SmartAccount,
    name: str,
    scopes: Sequence[str],
    rights: Sequence[Right] = (),
    ends_at: dt.datetime | None = None,
) -> NewSecret:
    """A program gets a secret, and rights of its own, within the scopes that are chosen for it.

    It may what both its scopes and its rights allow. Only the SHA-256 of the secret is kept. Raises `name_missing`,
    `unknown_scope`, `end_in_past`, `end_beyond_own`, `role_scope_mismatch`.
    """
    ensure_may(actor, Permission.API_CLIENTS_MANAGE, account)
    account = lock_account(account)
    for right in rights:
        ensure_fits(right.role, account, right.virtual_account)
        ensure_may_grant(actor, account, right.virtual_account, right.role)
    outsider = _is_outsider(actor, account)
    if ends_at is None:
        ends_at = proposed_end(actor, account, None, outsider=outsider)
    ensure_end(actor, account, None, ends_at, outsider=outsider)
    made = _create(actor, name=name, scopes=_known_scopes(scopes, Permission), ends_at=ends_at, account=account)
    for right in rights:
        write_grant(
            actor,
            account=account,
            virtual_account=right.virtual_account,
            role=right.role,
            ends_at=ends_at if outsider else None,
            api_client=made.client,
        )
    return made


@command(permission=OperatorPermission.PARTNERS, events=("api_client.created",))
def create_partner_api_client(
    actor: Actor, *, company: PartnerCompany, name: str, ends_at: dt.datetime | None = None
) -> NewSecret:
    """A program of a partner company records its orders."""
    ensure_operator(actor, OperatorPermission.PARTNERS)
    return _create(actor, name=name, scopes=[], ends_at=ends_at, company=company)


@command(permission=OperatorPermission.SUPPORT, events=("api_client.created",))
def create_operator_api_client(
    actor: Actor, *, name: str, scopes: Sequence[str] = (), ends_at: dt.datetime | None = None
) -> NewSecret:
    """A program of the operator acts within the operator's permissions that are chosen for it (none chosen: all)."""
    ensure_operator(actor, OperatorPermission.SUPPORT)
    known = _known_scopes(scopes or list(OperatorPermission), OperatorPermission)
    return _create(actor, name=name, scopes=known, ends_at=ends_at, is_operator=True)


@command(permission=Permission.API_CLIENTS_MANAGE, events=("api_client.changed",))
def change_api_client(
    actor: Actor,
    *,
    account: SmartAccount,
    client_uid: str,
    name: str,
    scopes: Sequence[str],
    ends_at: dt.datetime | None,
) -> ApiClient:
    """A program gets another name, other scopes or another end; its secret stays."""
    client = _lock_client(actor, account, client_uid)
    outsider = _is_outsider(actor, account)
    if ends_at != client.ends_at:
        ensure_end(actor, account, None, ends_at, outsider=outsider)
    before = _facts(client)
    client.name, client.ends_at = _name(name), ends_at
    client.scopes = _known_scopes(scopes, Permission)
    if _facts(client) != before:
        client.save(update_fields=["name", "scopes", "ends_at"])
        record(
            actor, "api_client.changed", account=account, subject=client.name, subject_uid=client.uid,
            before=before, after=_facts(client),
        )  # fmt: skip
    return client


@command(permission=Permission.API_CLIENTS_MANAGE, events=("grant.given",))
def give_api_client_grant(
    actor: Actor,
    *,
    account: SmartAccount,
    client_uid: str,
    role: Role | str,
    virtual_account: VirtualAccount | None = None,
) -> Grant:
    """A program gets a role in the account or in one virtual account."""
    role = Role(role)
    client = _lock_client(actor, account, client_uid)
    ensure_fits(role, account, virtual_account)
    ensure_may_grant(actor, account, virtual_account, role)
    ends_at = proposed_end(actor, account, virtual_account, outsider=_is_outsider(actor, account))
    return write_grant(
        actor, account=account, virtual_account=virtual_account, role=role, ends_at=ends_at, api_client=client
    )


@command(permission=Permission.API_CLIENTS_MANAGE, events=("api_client.secret_rotated",))
def rotate_api_client_secret(actor: Actor, *, account: SmartAccount, client_uid: str) -> NewSecret:
    """A program gets a new secret; the old one stops working at once."""
    client = _lock_client(actor, account, client_uid)
    secret = new_secret()
    client.secret_hash, client.secret_hint = secret_hash(secret), secret[-4:]
    client.save(update_fields=["secret_hash", "secret_hint"])
    record(actor, "api_client.secret_rotated", account=account, subject=client.name, subject_uid=client.uid)
    return NewSecret(client, secret)


@command(permission=Permission.API_CLIENTS_MANAGE, events=("api_client.revoked", "grant.revoked"))
def revoke_api_client(actor: Actor, *, account: SmartAccount, client_uid: str) -> None:
    """A program is shut out at once and for good; also while the account agreement waits for acceptance."""
    client = _lock_client(actor, account, client_uid, standing=False)
    _revoke(actor, client)


@command(permission=OperatorPermission.SUPPORT, events=("api_client.revoked",))
def revoke_foreign_api_client(actor: Actor, *, client_uid: str) -> None:
    """The operator shuts out a program of his own or of a partner company."""
    ensure_operator(actor, OperatorPermission.SUPPORT)
    client = ApiClient.objects.select_for_update().filter(uid=client_uid, account=None, revoked_at=None).first()
    if client is None:
        raise NotFound
    _revoke(actor, client)


def _revoke(actor: Actor, client: ApiClient) -> None:
    client.revoked_at = now()
    client.save(update_fields=["revoked_at"])
    for grant in client.grants.select_related("account", "virtual_account").filter(revoked_at=None, ended_at=None):
        close_grant(actor, grant)
    record(actor, "api_client.revoked", account=client.account, subject=client.name, subject_uid=client.uid)


def _create(
    actor: Actor,
    *,
    name: str,
    scopes: list[str],
    ends_at: dt.datetime | None,
    account: SmartAccount | None = None,
    company: PartnerCompany | None = None,
    is_operator: bool = False,
) -> NewSecret:
    secret = new_secret()
    client = ApiClient.objects.create(
        account=account,
        company=company,
        is_operator=is_operator,
        name=_name(name),
        scopes=scopes,
        ends_at=ends_at,
        secret_hash=secret_hash(secret),
        secret_hint=secret[-4:],
        created_by_id=actor.user_id,
    )
    record(
        actor, "api_client.created", account=account, subject=client.name, subject_uid=client.uid, after=_facts(client)
    )
    return NewSecret(client, secret)


def _lock_client(actor: Actor, account: SmartAccount, client_uid: str, *, standing: bool = True) -> ApiClient:
    ensure_may(actor, Permission.API_CLIENTS_MANAGE, account, standing=standing)
    lock_account(account)
    client = ApiClient.objects.filter(account=account, uid=client_uid, revoked_at=None).first()
    if client is None:
        raise NotFound
    return client


def _is_outsider(actor: Actor, account: SmartAccount) -> bool:
    person = User.objects.filter(pk=actor.user_id).first() if actor.user_id is not None else None
    return person is not None and is_outsider(person.mail_domain, account.identifier)


def _name(text: str) -> str:
    name = clean(text)[:100]
    if not name:
        raise NameMissing
    return name


def _known_scopes(scopes: Sequence[str], known: type[Permission] | type[OperatorPermission]) -> list[str]:
    codes = {code.value for code in known}
    for scope in scopes:
        if scope not in codes:
            raise UnknownScope(scope)
    return sorted(set(map(str, scopes)))


def _facts(client: ApiClient) -> dict[str, object]:
    return {
        "name": client.name,
        "scopes": list(client.scopes),
        "ends_at": client.ends_at.isoformat() if client.ends_at else None,
    }
