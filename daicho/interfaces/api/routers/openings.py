"""Opening a Smart Account: the requester's own requests, what a mailed link allows, the operator's decisions (S8–S16)."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import Field

from daicho.domain.accounts import rules
from daicho.domain.accounts.commands import contests, decisions, opening
from daicho.domain.accounts.commands.activation import activate_account
from daicho.domain.accounts.countries import country_choices
from daicho.domain.accounts.postal_codes import find_places
from daicho.domain.accounts.queries_accounts import operators_queue
from daicho.domain.accounts.queries_openings import (
    company_accounts,
    get_contest,
    get_opening,
    identifier_standing,
    list_openings,
    my_opening,
    my_openings,
    open_contests,
    similar_accounts,
)
from daicho.interfaces.api.auth import actor_of
from daicho.interfaces.api.paging import Paged, PageParams, paged
from daicho.interfaces.api.problems import PROBLEMS
from daicho.interfaces.api.schemas import Text, Told, Uid

router = Router(tags=["Openings"])

State = Literal["draft", "held", "awaiting_approver", "awaiting_activation", "active", "declined", "lapsed"]
Secret = Annotated[Text, Field(min_length=1, max_length=100)]
Reason = Annotated[Text, Field(min_length=1, max_length=500)]
LongText = Annotated[Text, Field(min_length=1, max_length=1000)]


class OpeningIn(Schema):
    """Any fields of a draft; what is left out stays. `is_representative`: false names an approver."""

    is_representative: bool | None = None
    approver_email: Text | None = Field(None, max_length=254)
    approver_name: Text | None = Field(None, max_length=100)
    identifier: Text | None = Field(None, max_length=253)
    account_name: Text | None = Field(None, max_length=200)
    country: Text | None = Field(None, min_length=2, max_length=2)
    postal_code: Text | None = Field(None, max_length=20)
    region: Text | None = Field(None, max_length=100)
    city: Text | None = Field(None, max_length=100)
    street: Text | None = Field(None, max_length=200)
    building: Text | None = Field(None, max_length=200)
    phone: Text | None = Field(None, max_length=32)


class OpeningOut(Told):
    """A request: its state, what was entered, why it is held, until when its mailed link works."""

    uid: str
    state: State
    step: int
    is_representative: bool | None
    approver_email: str
    approver_name: str
    identifier: str
    account_name: str
    country: str
    postal_code: str
    region: str
    city: str
    street: str
    building: str
    phone: str
    held_for: list[str]
    question: str
    answer: str
    decision_reason: str
    link_expires_at: dt.datetime | None
    created_at: dt.datetime
    last_step_at: dt.datetime


class OperatorOpeningOut(OpeningOut):
    """A request as the operator sees it."""

    requester_name: str
    requester_email: str
    decided_by_name: str
    answered_at: dt.datetime | None
    similar_accounts: list[str] = []


def opening_out(row: Any, *, operator: bool = False) -> dict[str, Any]:
    out = {name: getattr(row, name) for name in OpeningOut.model_fields if name != "held_for"}
    out["held_for"] = row.held_for if operator else rules.reasons_shown(row.held_for)
    if operator:
        out |= {
            "requester_name": row.requester.get_full_name(),
            "requester_email": row.requester.email,
            "decided_by_name": row.decided_by_name,
            "answered_at": row.answered_at,
        }
    return out


@router.get("/openings", response={200: list[OpeningOut], **PROBLEMS}, operation_id="listMyOpenings")
def list_mine(request: HttpRequest) -> Any:
    """The person's own requests, newest first (50 at most)."""
    return [opening_out(one) for one in my_openings(actor_of(request))]


@router.post("/openings", response={201: OpeningOut, **PROBLEMS}, operation_id="startOpening")
def start(request: HttpRequest, body: OpeningIn) -> Any:
    """Start a request as a draft; known facts are filled in, given ones are kept unchecked."""
    actor = actor_of(request)
    started = opening.start_opening(actor)
    given = body.model_dump(exclude_none=True)
    if given:
        started = opening.keep_draft(actor, opening_uid=started.uid, values=given)
    return Status(201, opening_out(started))


@router.get("/openings/{uid}", response={200: OpeningOut, **PROBLEMS}, operation_id="getMyOpening")
def get_mine(request: HttpRequest, uid: Uid) -> Any:
    """One of the person's own requests."""
    return opening_out(my_opening(actor_of(request), uid))


@router.patch("/openings/{uid}", response={200: OpeningOut, **PROBLEMS}, operation_id="saveOpening")
def save(request: HttpRequest, uid: Uid, body: OpeningIn) -> Any:
    """Keep fields of a draft; they are checked when the opening is continued."""
    return opening_out(
        opening.keep_draft(actor_of(request), opening_uid=uid, values=body.model_dump(exclude_none=True))
    )


@router.post("/openings/{uid}/steps/{step}", response={200: OpeningOut, **PROBLEMS}, operation_id="saveOpeningStep")
def save_step(request: HttpRequest, uid: Uid, step: Annotated[int, Field(ge=1, le=5)], body: OpeningIn) -> Any:
    """Check and keep one step: 1 company, 2 authority, 3 account, 4 head office, 5 check."""
    values = body.model_dump(exclude_none=True)
    return opening_out(opening.save_step(actor_of(request), opening_uid=uid, step=step, values=values))


@router.post("/openings/{uid}/continue", response={200: OpeningOut, **PROBLEMS}, operation_id="continueOpening")
def continue_(request: HttpRequest, uid: Uid) -> Any:
    """Open the account provisionally; what does not match is held (S12, S15)."""
    return opening_out(opening.continue_opening(actor_of(request), opening_uid=uid))


@router.post("/openings/{uid}/take-over", response={200: OpeningOut, **PROBLEMS}, operation_id="takeOverOpening")
def take_over(request: HttpRequest, uid: Uid) -> Any:
    """Take the identifier over from a colleague whose link has ended."""
    return opening_out(opening.take_over_opening(actor_of(request), opening_uid=uid))


@router.post("/openings/{uid}/resend", response={200: OpeningOut, **PROBLEMS}, operation_id="resendOpeningLink")
def resend(request: HttpRequest, uid: Uid) -> Any:
    """Send the mail with the link once more."""
    return opening_out(opening.resend_link(actor_of(request), opening_uid=uid))


@router.delete("/openings/{uid}", response={200: OpeningOut, **PROBLEMS}, operation_id="withdrawOpening")
def withdraw(request: HttpRequest, uid: Uid) -> Any:
    """Give up an own request that is not active yet."""
    return opening_out(opening.withdraw_opening(actor_of(request), opening_uid=uid))


class StandingOut(Told):
    """What continuing would lead to: free, taken, being_opened (only for who matches), held."""

    code: Literal["free", "taken", "being_opened", "held"]
    identifier: str
    by: str
    since: dt.datetime | None
    may_take_over: bool


@router.get("/openings/{uid}/standing", response={200: StandingOut, **PROBLEMS}, operation_id="getIdentifierStanding")
def standing(request: HttpRequest, uid: Uid, identifier: Annotated[str, Field(min_length=1, max_length=300)]) -> Any:
    """What continuing this request with a domain identifier would lead to."""
    return identifier_standing(actor_of(request), uid, identifier)


class SecretIn(Schema):
    """The secret of a mailed link: its last part."""

    secret: Secret


class AnswerIn(SecretIn):
    """Why the account is opened for this domain."""

    answer: LongText


class DeclineIn(SecretIn):
    """Why the approver says no."""

    reason: Reason


class LinkOut(Told):
    """The request after the link was used."""

    identifier: str
    state: State


def link_out(row: Any) -> dict[str, str]:
    return {"identifier": row.identifier, "state": row.state}


@router.post("/opening-links/answer", response={200: LinkOut, **PROBLEMS}, operation_id="answerOpeningReason")
def answer(request: HttpRequest, body: AnswerIn) -> Any:
    """Answer by the mailed link why the account is opened for this domain (S12)."""
    return link_out(opening.answer_reason(actor_of(request), secret=body.secret, answer=body.answer))


@router.post("/opening-links/approve", response={200: LinkOut, **PROBLEMS}, operation_id="approveOpeningAsApprover")
def approve_link(request: HttpRequest, body: SecretIn) -> Any:
    """The named approver agrees (S11)."""
    return link_out(decisions.approve_as_approver(actor_of(request), secret=body.secret))


@router.post("/opening-links/decline", response={200: LinkOut, **PROBLEMS}, operation_id="declineOpeningAsApprover")
def decline_link(request: HttpRequest, body: DeclineIn) -> Any:
    """The named approver declines."""
    return link_out(decisions.decline_as_approver(actor_of(request), secret=body.secret, reason=body.reason))


@router.post("/opening-links/activate", response={200: LinkOut, **PROBLEMS}, operation_id="activateAccount")
def activate(request: HttpRequest, body: SecretIn) -> Any:
    """Activate the account by the mailed link (S16)."""
    account = activate_account(actor_of(request), secret=body.secret)
    return {"identifier": account.identifier, "state": rules.ACTIVE}


class CompanyAccountOut(Told):
    """An account of the person's own mail domain. `opened_by`: who is opening it, while provisional."""

    identifier: str
    name: str
    state: str
    administrators: list[str]
    opened_by: str
    since: dt.datetime | None
    may_take_over: bool


@router.get(
    "/company-accounts", response={200: list[CompanyAccountOut], **PROBLEMS}, operation_id="findCompanyAccounts"
)
def find(request: HttpRequest) -> Any:
    """Accounts that stand for the person's own mail domain (S9)."""
    return company_accounts(actor_of(request))


class ContestIn(Schema):
    """A domain that somebody else holds though it is ours."""

    identifier: Text = Field(min_length=1, max_length=300)
    reason: LongText


class ContestOut(Told):
    """A contest and its answer."""

    uid: str
    identifier: str
    reason: str
    state: Literal["open", "upheld", "rejected"]
    decision_reason: str
    created_at: dt.datetime
    decided_at: dt.datetime | None


@router.post("/contests", response={201: ContestOut, **PROBLEMS}, operation_id="contestAccount")
def contest(request: HttpRequest, body: ContestIn) -> Any:
    """Tell the operator that somebody else's account stands for one's own domain."""
    return Status(201, contests.contest_account(actor_of(request), identifier=body.identifier, reason=body.reason))


class PostalAreaOut(Told):
    """An area of a Japanese postal code."""

    code: str
    region: str
    city: str
    neighborhood: str


@router.get("/postal-codes/{code}", response={200: list[PostalAreaOut], **PROBLEMS}, operation_id="findPostalCode")
def postal_code(request: HttpRequest, code: Annotated[str, Field(max_length=20)]) -> Any:
    """The areas of a Japanese postal code; a single office's code is refused with what to use (S14)."""
    return find_places(code)


class CountryOut(Told):
    """A country by ISO 3166 code."""

    code: str
    name: str


@router.get("/countries", response={200: list[CountryOut], **PROBLEMS}, operation_id="listCountries")
def countries(request: HttpRequest, language: Literal["ja", "en"] = "en") -> Any:
    """Every country, Japan first."""
    return [{"code": code, "name": name} for code, name in country_choices(language)]


# The operator's decisions.


class OpeningFilter(Schema):
    """Filters of the operator's list."""

    state: State | None = None
    text: Text = Field("", max_length=200)


@router.get(
    "/operator/openings",
    response={200: Paged[OperatorOpeningOut], **PROBLEMS},
    operation_id="listOpenings",
    tags=["Operator"],
)
def list_all(request: HttpRequest, paging: Query[PageParams], wanted: Query[OpeningFilter]) -> Any:
    """Requests beyond draft, newest first."""
    page = list_openings(
        actor_of(request), state=wanted.state or "", text=wanted.text, cursor=paging.cursor, size=paging.size
    )
    return paged(page, lambda one: opening_out(one, operator=True))


@router.get(
    "/operator/openings/{uid}",
    response={200: OperatorOpeningOut, **PROBLEMS},
    operation_id="getOpening",
    tags=["Operator"],
)
def get_any(request: HttpRequest, uid: Uid) -> Any:
    """One request, with accounts that may be the same company."""
    actor = actor_of(request)
    found = get_opening(actor, uid)
    similar = [account.identifier for account in similar_accounts(actor, found)]
    return opening_out(found, operator=True) | {"similar_accounts": similar}


class ApproveIn(Schema):
    """A note that is kept."""

    reason: Text = Field("", max_length=500)


class OpeningReasonIn(Schema):
    """A reason that the other side reads."""

    reason: Reason


class QuestionIn(Schema):
    """What the operator wants to know."""

    question: LongText


@router.post(
    "/operator/openings/{uid}/approve",
    response={200: OperatorOpeningOut, **PROBLEMS},
    operation_id="approveOpening",
    tags=["Operator"],
)
def approve(request: HttpRequest, uid: Uid, body: ApproveIn) -> Any:
    """Approve a held request: it takes its identifier and goes on."""
    done = decisions.approve_held_opening(actor_of(request), opening_uid=uid, reason=body.reason)
    return opening_out(done, operator=True)


@router.post(
    "/operator/openings/{uid}/decline",
    response={200: OperatorOpeningOut, **PROBLEMS},
    operation_id="declineOpening",
    tags=["Operator"],
)
def decline(request: HttpRequest, uid: Uid, body: OpeningReasonIn) -> Any:
    """Decline a request that is not active yet."""
    return opening_out(decisions.decline_opening(actor_of(request), opening_uid=uid, reason=body.reason), operator=True)


@router.post(
    "/operator/openings/{uid}/ask",
    response={200: OperatorOpeningOut, **PROBLEMS},
    operation_id="askOpeningReason",
    tags=["Operator"],
)
def ask(request: HttpRequest, uid: Uid, body: QuestionIn) -> Any:
    """Ask the requester of a held request by mail."""
    done = decisions.ask_opening_reason(actor_of(request), opening_uid=uid, question=body.question)
    return opening_out(done, operator=True)


@router.get(
    "/operator/contests", response={200: list[ContestOut], **PROBLEMS}, operation_id="listContests", tags=["Operator"]
)
def list_contests(request: HttpRequest) -> Any:
    """Contests that wait for an answer, oldest first."""
    return open_contests(actor_of(request))


@router.get(
    "/operator/contests/{uid}", response={200: ContestOut, **PROBLEMS}, operation_id="getContest", tags=["Operator"]
)
def get_one_contest(request: HttpRequest, uid: Uid) -> Any:
    """One contest."""
    return get_contest(actor_of(request), uid)[0]


class ContestDecisionIn(OpeningReasonIn):
    """Whether the domain is theirs."""

    upheld: bool


@router.post(
    "/operator/contests/{uid}/decide",
    response={200: ContestOut, **PROBLEMS},
    operation_id="decideContest",
    tags=["Operator"],
)
def decide(request: HttpRequest, uid: Uid, body: ContestDecisionIn) -> Any:
    """Answer a contest by mail."""
    return contests.decide_contest(actor_of(request), contest_uid=uid, upheld=body.upheld, reason=body.reason)


class QueueOut(Told):
    """How much waits for the operator."""

    held_openings: int
    contests: int
    order_lines: int
    failed_mails: int
    failing_jobs: int
    agreement_missing: bool


@router.get("/operator/queue", response={200: QueueOut, **PROBLEMS}, operation_id="getOperatorQueue", tags=["Operator"])
def queue(request: HttpRequest) -> Any:
    """What waits for the operator, in numbers."""
    found = operators_queue(actor_of(request))
    return {
        "held_openings": len(found.held),
        "contests": len(found.contests),
        "order_lines": found.order_lines_waiting,
        "failed_mails": found.failed_mails,
        "failing_jobs": len(found.failing_jobs),
        "agreement_missing": found.agreement_missing,
    }
