"""The account agreement: read, accepted, published (S17, S21)."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field

from daicho.core.clock import now
from daicho.domain.access.policy import find_account
from daicho.domain.accounts.commands.agreements import MAX_TEXT, accept_agreement, publish_agreement
from daicho.domain.accounts.queries_agreements import (
    AgreementInAccount,
    PublishedAgreement,
    agreement_in_account,
    agreements_of,
    published_agreement,
    published_agreements,
)
from daicho.interfaces.api.auth import actor_of
from daicho.interfaces.api.problems import PROBLEMS
from daicho.interfaces.api.schemas import Text, Told, Uid

router = Router(tags=["Agreements"])


class AcceptanceOut(Told):
    """Who accepted which text when. `text_hash`: SHA-256."""

    user_name: str
    user_email: str
    role: str
    language: str
    text_hash: str
    at: dt.datetime


class AgreementOut(Told):
    """A version in one account. `is_next`: the one that waits for acceptance now."""

    uid: str
    version: int
    title_ja: str
    title_en: str
    published_at: dt.datetime
    effective_at: dt.datetime
    state: Literal["pending", "accepted", "superseded"]
    is_next: bool
    acceptance: AcceptanceOut | None


class AgreementTextOut(AgreementOut):
    """A version with its text."""

    text_ja: str
    text_en: str


def agreement_out(one: AgreementInAccount, *, text: bool = False) -> dict[str, Any]:
    row = one.agreement
    out = {
        "uid": row.uid,
        "version": row.version,
        "title_ja": row.title_ja,
        "title_en": row.title_en,
        "published_at": row.published_at,
        "effective_at": row.effective_at,
        "state": one.state,
        "is_next": one.is_next,
        "acceptance": one.acceptance,
    }
    return out | ({"text_ja": row.text_ja, "text_en": row.text_en} if text else {})


@router.get(
    "/accounts/{identifier}/agreements", response={200: list[AgreementOut], **PROBLEMS}, operation_id="listAgreements"
)
def listing(request: HttpRequest, identifier: str) -> Any:
    """Every version and its state in the account, newest first."""
    actor = actor_of(request)
    return [agreement_out(one) for one in agreements_of(actor, find_account(actor, identifier))]


@router.get(
    "/accounts/{identifier}/agreements/{uid}",
    response={200: AgreementTextOut, **PROBLEMS},
    operation_id="getAgreement",
)
def get(request: HttpRequest, identifier: str, uid: Uid) -> Any:
    """One version with its text."""
    actor = actor_of(request)
    return agreement_out(agreement_in_account(actor, find_account(actor, identifier), uid)[0], text=True)


class AcceptIn(Schema):
    """In which language the text was read."""

    language: Literal["ja", "en"]


@router.post(
    "/accounts/{identifier}/agreements/{uid}/accept",
    response={200: AgreementOut, **PROBLEMS},
    operation_id="acceptAgreement",
)
def accept(request: HttpRequest, identifier: str, uid: Uid, body: AcceptIn) -> Any:
    """Accept a version for the account: a person does, an API client cannot. Waiting licenses land."""
    actor = actor_of(request)
    account = find_account(actor, identifier)
    accept_agreement(actor, account=account, agreement_uid=uid, language=body.language)
    return agreement_out(agreement_in_account(actor, account, uid)[0])


class PublishIn(Schema):
    """A new version in both languages. Without `effective_at` it is in force at once."""

    title_ja: Text = Field(min_length=1, max_length=200)
    title_en: Text = Field(min_length=1, max_length=200)
    text_ja: Text = Field(min_length=1, max_length=MAX_TEXT)
    text_en: Text = Field(min_length=1, max_length=MAX_TEXT)
    effective_at: dt.datetime | None = None


class PublishedOut(Told):
    """A version as the operator sees it."""

    uid: str
    version: int
    title_ja: str
    title_en: str
    published_at: dt.datetime
    effective_at: dt.datetime
    published_by_name: str
    in_force: bool
    accepted: int


def published_out(one: PublishedAgreement) -> dict[str, Any]:
    row = one.agreement
    own = ("uid", "version", "title_ja", "title_en", "published_at", "effective_at", "published_by_name")
    return {name: getattr(row, name) for name in own} | {"in_force": one.in_force, "accepted": one.accepted}


@router.get(
    "/operator/agreements",
    response={200: list[PublishedOut], **PROBLEMS},
    operation_id="listPublishedAgreements",
    tags=["Operator"],
)
def list_published(request: HttpRequest) -> Any:
    """Every version with the number of accounts that accepted it, newest first."""
    return [published_out(one) for one in published_agreements(actor_of(request))]


class TextOut(Told):
    """A version's texts."""

    uid: str
    version: int
    title_ja: str
    title_en: str
    text_ja: str
    text_en: str


@router.get(
    "/operator/agreements/{uid}",
    response={200: TextOut, **PROBLEMS},
    operation_id="getPublishedAgreement",
    tags=["Operator"],
)
def get_published(request: HttpRequest, uid: Uid) -> Any:
    """One version in both languages."""
    return published_agreement(actor_of(request), uid)


@router.post(
    "/operator/agreements", response={201: PublishedOut, **PROBLEMS}, operation_id="publishAgreement", tags=["Operator"]
)
def publish(request: HttpRequest, body: PublishIn) -> Any:
    """Publish a new version; it can be neither changed nor withdrawn."""
    actor = actor_of(request)
    values = body.model_dump()
    values["effective_at"] = _aware(body.effective_at)
    made = publish_agreement(actor, **values)
    return Status(201, published_out(next(one for one in published_agreements(actor) if one.agreement.pk == made.pk)))


def _aware(instant: dt.datetime | None) -> dt.datetime:
    """Now without an instant; an instant without a zone is UTC."""
    if instant is None:
        return now()
    return instant if instant.tzinfo else instant.replace(tzinfo=dt.UTC)
