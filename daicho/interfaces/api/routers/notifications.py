"""How one hears of an account, the account's further addresses, and the operator's mails."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import AwareDatetime, Field

from daicho.domain.access.policy import find_account
from daicho.domain.alerts.commands.notifications import (
    add_extra_address,
    confirm_extra_address,
    remove_extra_address,
    set_notifications,
)
from daicho.domain.alerts.commands.outbox import retry_failed_mails, retry_mail
from daicho.domain.alerts.queries import list_extra_addresses, list_troubled_mails, my_notifications
from daicho.interfaces.api.auth import actor_of
from daicho.interfaces.api.problems import PROBLEMS
from daicho.interfaces.api.schemas import Text, Told

router = Router(tags=["Notifications"])

Day = Annotated[int, Field(ge=1, le=90)]


class NotificationsOut(Told):
    """Mail at once, the daily summary, how many days before an end (90, 60, 30, 14, 7, 1), kinds one does not hear of."""

    at_once: bool
    daily_summary: bool
    days: list[int]
    muted_kinds: list[str]


class NotificationsIn(Schema):
    """All four are set."""

    at_once: bool
    daily_summary: bool
    days: list[Day] = Field(max_length=6)
    muted_kinds: list[Annotated[Text, Field(max_length=40)]] = Field([], max_length=30)


class AddressIn(Schema):
    """An address in the account's own domain."""

    email: Text = Field(min_length=3, max_length=254)
    language: Literal["ja", "en"] = "ja"


class AddressOut(Told):
    """`confirmed_at`: null until the link that was mailed to it is used."""

    uid: str
    email: str
    language: str
    confirmed_at: AwareDatetime | None
    created_at: AwareDatetime


class ConfirmIn(Schema):
    """The secret of the mailed link."""

    token: Text = Field(min_length=1, max_length=100)


class MailOut(Told):
    """A mail that the server has not taken yet; its content is not shown."""

    uid: str
    to: str
    template: str
    state: str
    attempts: int
    next_attempt_at: AwareDatetime
    last_error: str
    created_at: AwareDatetime


class CountOut(Told):
    """How many."""

    count: int


@router.get(
    "/accounts/{identifier}/notifications",
    response={200: NotificationsOut, **PROBLEMS},
    operation_id="getNotifications",
)
def get_notifications(request: HttpRequest, identifier: str) -> Any:
    """How the caller hears of the account."""
    actor = actor_of(request)
    return _told(my_notifications(actor, find_account(actor, identifier)))


@router.put(
    "/accounts/{identifier}/notifications",
    response={200: NotificationsOut, **PROBLEMS},
    operation_id="setNotifications",
)
def put_notifications(request: HttpRequest, identifier: str, body: NotificationsIn) -> Any:
    """Choose how to hear of the account."""
    actor = actor_of(request)
    setting = set_notifications(
        actor,
        account=find_account(actor, identifier),
        at_once=body.at_once,
        daily_summary=body.daily_summary,
        days=body.days,
        muted_kinds=body.muted_kinds,
    )
    return _told(setting)


def _told(setting: Any) -> dict[str, Any]:
    return {
        "at_once": setting.at_once,
        "daily_summary": setting.daily_summary,
        "days": list(setting.days),
        "muted_kinds": list(setting.muted_kinds),
    }


@router.get(
    "/accounts/{identifier}/extra-addresses",
    response={200: list[AddressOut], **PROBLEMS},
    operation_id="listExtraAddresses",
)
def get_extra_addresses(request: HttpRequest, identifier: str) -> Any:
    """Further addresses that get the mails of the whole account; at most 20."""
    actor = actor_of(request)
    return list_extra_addresses(actor, find_account(actor, identifier))


@router.post(
    "/accounts/{identifier}/extra-addresses", response={201: AddressOut, **PROBLEMS}, operation_id="addExtraAddress"
)
def post_extra_address(request: HttpRequest, identifier: str, body: AddressIn) -> Any:
    """Add a further address; it hears nothing before it is confirmed by the link it gets."""
    actor = actor_of(request)
    account = find_account(actor, identifier)
    return Status(201, add_extra_address(actor, account=account, email=body.email, language=body.language))


@router.delete(
    "/accounts/{identifier}/extra-addresses/{uid}", response={204: None, **PROBLEMS}, operation_id="removeExtraAddress"
)
def delete_extra_address(request: HttpRequest, identifier: str, uid: str) -> Any:
    """Send no more mails to a further address."""
    actor = actor_of(request)
    remove_extra_address(actor, account=find_account(actor, identifier), uid=uid)
    return Status(204, None)


@router.post("/extra-addresses/confirm", response={204: None, **PROBLEMS}, operation_id="confirmExtraAddress")
def post_confirmation(request: HttpRequest, body: ConfirmIn) -> Any:
    """Confirm a further address with the secret that was mailed to it."""
    confirm_extra_address(actor_of(request), token=body.token)
    return Status(204, None)


@router.get("/operator/mails", response={200: list[MailOut], **PROBLEMS}, operation_id="listTroubledMails")
def get_troubled_mails(request: HttpRequest) -> Any:
    """Mails that failed or wait for another attempt, the failed first; at most 200."""
    return list_troubled_mails(actor_of(request))


@router.post("/operator/mails/retry", response={200: CountOut, **PROBLEMS}, operation_id="retryFailedMails")
def post_retry_all(request: HttpRequest) -> Any:
    """Send all failed mails again."""
    return {"count": retry_failed_mails(actor_of(request))}


@router.post("/operator/mails/{uid}/retry", response={200: MailOut, **PROBLEMS}, operation_id="retryMail")
def post_retry(request: HttpRequest, uid: str) -> Any:
    """Send one mail again."""
    return retry_mail(actor_of(request), uid=uid)
