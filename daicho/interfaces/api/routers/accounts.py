"""Accounts: read and edited by their people, suspended and looked into by the operator; guides and the tour."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import File, Query, Router, Schema, Status, UploadedFile
from pydantic import Field

from daicho.domain.access import policy
from daicho.domain.access.rules import Permission
from daicho.domain.accounts.commands import accounts, guides
from daicho.domain.accounts.commands.customers import import_customers
from daicho.domain.accounts.queries_accounts import account_for_operator, licenses_for_support, list_accounts
from daicho.domain.accounts.queries_guides import TOUR_STEPS, guides_for_operator, tour_of
from daicho.domain.accounts.queries_guides import guides as offered_guides
from daicho.interfaces.api.auth import actor_of
from daicho.interfaces.api.paging import Paged, PageParams, paged
from daicho.interfaces.api.problems import PROBLEMS
from daicho.interfaces.api.schemas import Text, Told, Uid

router = Router(tags=["Accounts"])


class AccountOut(Told):
    """A Smart Account. `good_standing_until`: from then on changes wait for an acceptance of the agreement."""

    identifier: str
    name: str
    state: Literal["provisional", "active", "suspended", "closed"]
    country: str
    postal_code: str
    region: str
    city: str
    street: str
    building: str
    phone: str
    time_zone: str
    transfers_need_approval: bool
    good_standing_until: dt.datetime | None
    activated_at: dt.datetime | None


@router.get("/accounts", response={200: list[AccountOut], **PROBLEMS}, operation_id="listMyAccounts")
def mine(request: HttpRequest) -> Any:
    """The accounts in which the caller has a right (200 at most), by name."""
    return list(policy.accounts_of(actor_of(request))[:200])


@router.get("/accounts/{identifier}", response={200: AccountOut, **PROBLEMS}, operation_id="getAccount")
def get(request: HttpRequest, identifier: str) -> Any:
    """One account."""
    return policy.get_account(actor_of(request), identifier, Permission.ACCOUNT_VIEW)


class AccountIn(Schema):
    """Properties to change; what is left out stays. The identifier never changes."""

    name: Text | None = Field(None, max_length=200)
    country: Text | None = Field(None, min_length=2, max_length=2)
    postal_code: Text | None = Field(None, max_length=20)
    region: Text | None = Field(None, max_length=100)
    city: Text | None = Field(None, max_length=100)
    street: Text | None = Field(None, max_length=200)
    building: Text | None = Field(None, max_length=200)
    phone: Text | None = Field(None, max_length=32)
    time_zone: Text | None = Field(None, max_length=64)


@router.patch("/accounts/{identifier}", response={200: AccountOut, **PROBLEMS}, operation_id="editAccount")
def edit(request: HttpRequest, identifier: str, body: AccountIn) -> Any:
    """Change the account's name, address or time zone."""
    actor = actor_of(request)
    account = policy.find_account(actor, identifier)
    return accounts.edit_account(actor, account=account, values=body.model_dump(exclude_none=True))


class SettingsIn(Schema):
    """How the account works."""

    transfers_need_approval: bool


@router.patch(
    "/accounts/{identifier}/settings", response={200: AccountOut, **PROBLEMS}, operation_id="changeAccountSettings"
)
def change_settings(request: HttpRequest, identifier: str, body: SettingsIn) -> Any:
    """Decide whether transfers wait for approval."""
    actor = actor_of(request)
    account = policy.find_account(actor, identifier)
    return accounts.change_account_settings(
        actor, account=account, transfers_need_approval=body.transfers_need_approval
    )


class GuideIn(Schema):
    """A document or video for customers."""

    title: Text = Field(min_length=1, max_length=200)
    url: Text = Field(min_length=1, max_length=500)
    language: Literal["ja", "en"]
    kind: Literal["document", "video"]
    minutes: int | None = Field(None, ge=1, le=1000)
    login_needed: bool = False
    is_main: bool = False
    position: int = Field(0, ge=0, le=1000)


class GuideOut(GuideIn):
    """A guide by its handle."""

    uid: str


@router.get("/guides", response={200: list[GuideOut], **PROBLEMS}, operation_id="listGuides")
def list_guides(request: HttpRequest, language: Literal["ja", "en"] = "en") -> Any:
    """Guides and videos, the main ones and those in the language first (S24)."""
    main, others = offered_guides(language)
    return [*main, *others]


class TourOut(Told):
    """The steps of the first tour and which are ticked."""

    steps: list[str]
    done: list[str]
    hidden: bool


class TourIn(Schema):
    """A step to tick or untick, or whether to hide the tour."""

    step: Literal["agreement", "people", "virtual_accounts", "licenses", "notices"] | None = None
    done: bool = True
    hidden: bool | None = None


@router.get("/me/tour", response={200: TourOut, **PROBLEMS}, operation_id="getTour")
def get_tour(request: HttpRequest) -> Any:
    """Where the person stands in the first tour."""
    tour = tour_of(actor_of(request))
    return {"steps": TOUR_STEPS, "done": [step for step in TOUR_STEPS if step in tour.done], "hidden": tour.hidden}


@router.patch("/me/tour", response={200: TourOut, **PROBLEMS}, operation_id="changeTour")
def change_tour(request: HttpRequest, body: TourIn) -> Any:
    """Tick a step of the tour, or hide it."""
    actor = actor_of(request)
    if body.step is not None:
        guides.tick_tour(actor, step=body.step, done=body.done)
    if body.hidden is not None:
        guides.hide_tour(actor, hidden=body.hidden)
    return get_tour(request)


# The operator.


class AccountFilter(Schema):
    """Filters of the operator's list."""

    state: Literal["provisional", "active", "suspended", "closed"] | None = None
    text: Text = Field("", max_length=200)


@router.get(
    "/operator/accounts", response={200: Paged[AccountOut], **PROBLEMS}, operation_id="listAccounts", tags=["Operator"]
)
def list_all(request: HttpRequest, paging: Query[PageParams], wanted: Query[AccountFilter]) -> Any:
    """Every account and provisional account, by identifier."""
    page = list_accounts(
        actor_of(request), text=wanted.text, state=wanted.state or "", cursor=paging.cursor, size=paging.size
    )
    return paged(page, lambda one: one)


class OperatorAccountOut(AccountOut):
    """An account with its people and counts, without its licenses."""

    administrators: list[str]
    users: int
    virtual_accounts: int


@router.get(
    "/operator/accounts/{identifier}",
    response={200: OperatorAccountOut, **PROBLEMS},
    operation_id="getAccountForOperator",
    tags=["Operator"],
)
def get_for_operator(request: HttpRequest, identifier: str) -> Any:
    """One account, for the operator."""
    found = account_for_operator(actor_of(request), identifier)
    own = {name: getattr(found.account, name) for name in AccountOut.model_fields}
    return own | {
        "administrators": [person.email for person in found.administrators],
        "users": found.users,
        "virtual_accounts": found.virtual_accounts,
    }


class AccountReasonIn(Schema):
    """Why; the account's administrators or its event log show it."""

    reason: Annotated[Text, Field(min_length=1, max_length=500)]


def _act(name: str, operation_id: str, command: Any, sentence: str) -> None:
    """One operation for each change of an account's state."""

    def act(request: HttpRequest, identifier: str, body: AccountReasonIn) -> Any:
        return command(actor_of(request), identifier=identifier, reason=body.reason)

    act.__doc__ = sentence
    router.post(
        f"/operator/accounts/{{identifier}}/{name}",
        response={200: AccountOut, **PROBLEMS},
        operation_id=operation_id,
        tags=["Operator"],
    )(act)


_act("suspend", "suspendAccount", accounts.suspend_account, "Suspend an account: it can be read, not changed.")
_act("resume", "resumeAccount", accounts.resume_account, "End the suspension of an account.")
_act("close", "closeAccount", accounts.close_account, "Close an account for good.")


class SupportPoolOut(Told):
    """Figures of a license in one virtual account."""

    sku: str
    virtual_account: str
    purchased: int
    in_use: int
    reserved: int
    balance: int


@router.post(
    "/operator/accounts/{identifier}/look",
    response={200: list[SupportPoolOut], **PROBLEMS},
    operation_id="lookIntoAccount",
    tags=["Operator"],
)
def look(request: HttpRequest, identifier: str, body: AccountReasonIn) -> Any:
    """An account's licenses, for support: the reason stands in the account's own event log."""
    actor = actor_of(request)
    account = accounts.look_into_account(actor, identifier=identifier, reason=body.reason)
    return [
        {
            "sku": pool.tag.sku,
            "virtual_account": pool.virtual_account.name,
            "purchased": pool.purchased,
            "in_use": pool.in_use,
            "reserved": pool.reserved,
            "balance": pool.balance,
        }
        for pool in licenses_for_support(actor, account)
    ]


class ImportedCustomersOut(Told):
    """How many customers the file added and changed."""

    added: int
    changed: int


@router.post(
    "/operator/customers/import",
    response={200: ImportedCustomersOut, **PROBLEMS},
    operation_id="importCustomers",
    tags=["Operator"],
)
def import_file(request: HttpRequest, file: File[UploadedFile], dry_run: bool = False) -> Any:
    """Take the customer file (CSV or XLSX), all or nothing; `dry_run` only checks (S14)."""
    return import_customers(actor_of(request), content=file.read(), dry_run=dry_run)


@router.get(
    "/operator/guides", response={200: list[GuideOut], **PROBLEMS}, operation_id="listAllGuides", tags=["Operator"]
)
def list_all_guides(request: HttpRequest) -> Any:
    """All guides in the order in which they are shown."""
    return guides_for_operator(actor_of(request))


@router.post("/operator/guides", response={201: GuideOut, **PROBLEMS}, operation_id="addGuide", tags=["Operator"])
def add_guide(request: HttpRequest, body: GuideIn) -> Any:
    """Offer a document or video to customers."""
    return Status(201, guides.add_guide(actor_of(request), guide=guides.GuideInput(**body.model_dump())))


@router.put(
    "/operator/guides/{uid}", response={200: GuideOut, **PROBLEMS}, operation_id="changeGuide", tags=["Operator"]
)
def change_guide(request: HttpRequest, uid: Uid, body: GuideIn) -> Any:
    """Change what is said of a document or video."""
    return guides.change_guide(actor_of(request), guide_uid=uid, guide=guides.GuideInput(**body.model_dump()))


@router.delete(
    "/operator/guides/{uid}", response={204: None, **PROBLEMS}, operation_id="removeGuide", tags=["Operator"]
)
def remove_guide(request: HttpRequest, uid: Uid) -> Any:
    """Offer a document or video no longer."""
    guides.remove_guide(actor_of(request), guide_uid=uid)
    return Status(204, None)
