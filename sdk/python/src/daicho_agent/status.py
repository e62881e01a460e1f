"""What a device can say of itself."""

from __future__ import annotations

from dataclasses import dataclass

from daicho_agent import evaluation
from daicho_agent.documents import KeyChain
from daicho_agent.grants import Grant, Holdings
from daicho_agent.state import State

ENDED = {"instance_replaced": "replaced", "instance_removed": "removed"}


@dataclass(frozen=True)
class Status:
    """All that `daicho-agent status` prints. Times are seconds since 1970 by the server's clock; 0: none."""

    now: float
    registration: str  # unregistered, registered, expired, replaced, removed
    authorization: str  # as in the device protocol
    instance: str
    server: str
    product_id: str
    serial: str
    name: str
    registered_at: float
    renew_from: float
    certificate_until: float
    authorized_at: float
    last_contact: float
    last_attempt: float
    next_contact: float
    deadline: float
    evaluation_left: float
    licenses: tuple[Grant, ...]
    problem: str  # code of what needs a person: sequence_used, instance_removed …
    last_error: str
    keys_version: int
    clock_offset: float


def status_of(state: State, holdings: Holdings, due: float) -> Status:
    """From a state and its documents; `due`: when the server is asked next, infinite where it takes a person."""
    certificate, authorization = holdings.certificate, holdings.authorization
    return Status(
        now=holdings.now,
        registration=_registration(state, holdings),
        authorization=_authorization(state, holdings),
        instance=state.instance,
        server=state.server,
        product_id=state.product_id,
        serial=state.serial,
        name=state.name,
        registered_at=certificate.get("iat", 0),
        renew_from=certificate.get("renew_from", 0),
        certificate_until=certificate.get("exp", 0),
        authorized_at=authorization.get("iat", 0),
        last_contact=state.last_contact,
        last_attempt=state.last_attempt,
        next_contact=due if due < float("inf") else 0.0,
        deadline=authorization.get("exp", 0),
        evaluation_left=evaluation.seconds_left(state, holdings.now, uptime=holdings.uptime),
        licenses=tuple(holdings.grant(tag) for tag in sorted(state.wanted)),
        problem="sequence_used" if state.conflict is not None else state.stopped,
        last_error=state.last_error,
        keys_version=KeyChain(state.pin, state.key_sets).version,
        clock_offset=state.clock_offset,
    )


def _registration(state: State, holdings: Holdings) -> str:
    if not state.is_registered:
        return "unregistered"
    if state.stopped in ENDED:
        return ENDED[state.stopped]
    return "expired" if holdings.now >= holdings.certificate.get("exp", 0) else "registered"


def _authorization(state: State, holdings: Holdings) -> str:
    if not state.wanted:
        return "none"
    if holdings.evaluates:
        left = evaluation.seconds_left(state, holdings.now, uptime=holdings.uptime)
        return "evaluation" if left > 0 else "evaluation_expired"
    return str(holdings.authorization["state"]) if holdings.is_current else "authorization_expired"
