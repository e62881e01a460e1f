"""Openings and agreements as data: states, who may move them where, deadlines, limits (product.md, Opening)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

DRAFT, HELD, AWAITING_APPROVER, AWAITING_ACTIVATION = "draft", "held", "awaiting_approver", "awaiting_activation"
ACTIVE, DECLINED, LAPSED = "active", "declined", "lapsed"

BEFORE_ACTIVE: Final = frozenset({DRAFT, HELD, AWAITING_APPROVER, AWAITING_ACTIVATION})
TAKING: Final = frozenset({AWAITING_APPROVER, AWAITING_ACTIVATION})
"""States before active in which a request takes its identifier."""


@dataclass(frozen=True)
class Act:
    """What may be done to a request in which states, and where it may lead."""

    from_states: frozenset[str]
    to_states: frozenset[str]


def _act(from_states: set[str] | frozenset[str], *to_states: str) -> Act:
    return Act(frozenset(from_states), frozenset(to_states))


ACTS: Final[dict[str, Act]] = {
    "save": _act({DRAFT}, DRAFT),
    "continue": _act({DRAFT}, HELD, AWAITING_APPROVER, AWAITING_ACTIVATION),
    "ask": _act({HELD}, HELD),
    "answer": _act({HELD}, HELD),
    "approve": _act({HELD}, AWAITING_APPROVER, AWAITING_ACTIVATION),
    "approver_approves": _act({AWAITING_APPROVER}, AWAITING_ACTIVATION),
    "approver_declines": _act({AWAITING_APPROVER}, DECLINED),
    "activate": _act({AWAITING_ACTIVATION}, ACTIVE),
    "resend": _act({HELD, AWAITING_APPROVER, AWAITING_ACTIVATION}, HELD, AWAITING_APPROVER, AWAITING_ACTIVATION),
    "decline": _act(BEFORE_ACTIVE, DECLINED),
    "withdraw": _act(BEFORE_ACTIVE, LAPSED),
    "lapse": _act(BEFORE_ACTIVE, LAPSED),
    "be_taken_over": _act(TAKING, LAPSED),
}

# Why a request is held. Public codes.
REQUESTER_NOT_MATCHING = "requester_not_matching"
APPROVER_NOT_MATCHING = "approver_not_matching"
SUBDOMAIN_CONFLICT = "subdomain_conflict"


def reasons_shown(held_for: list[str]) -> list[str]:
    """The reasons that the requester may read: who does not match learns nothing about other accounts."""
    return [code for code in held_for if code != SUBDOMAIN_CONFLICT or REQUESTER_NOT_MATCHING not in held_for]


ACTIVATION_LINK: Final = dt.timedelta(days=7)
REASON_LINK: Final = dt.timedelta(days=14)
APPROVER_LINK: Final = dt.timedelta(days=14)
LINK_LIFE: Final = {HELD: REASON_LINK, AWAITING_APPROVER: APPROVER_LINK, AWAITING_ACTIVATION: ACTIVATION_LINK}
LAPSES_AFTER: Final = dt.timedelta(days=30)
RESEND_AFTER: Final = dt.timedelta(minutes=5)

MAX_OPEN_PER_USER: Final = 3
MAX_HELD_PER_DOMAIN_AND_DAY: Final = 10

STEPS: Final = 5
FIELDS_OF_STEP: Final[dict[int, tuple[str, ...]]] = {
    1: (),
    2: ("is_representative", "approver_email", "approver_name"),
    3: ("identifier", "account_name"),
    4: ("country", "postal_code", "region", "city", "street", "building", "phone"),
    5: (),
}
ADDRESS_FIELDS: Final = FIELDS_OF_STEP[4]


# Agreements: what the list shows for a version in one account.
PENDING, ACCEPTED, SUPERSEDED = "pending", "accepted", "superseded"


def in_force(effective: list[dt.datetime], at: dt.datetime) -> int | None:
    """The place of the version in force in a list of effective instants in order; None before the first."""
    found = [place for place, instant in enumerate(effective) if instant <= at]
    return found[-1] if found else None


def good_standing_until(
    effective: list[dt.datetime], accepted: list[bool], at: dt.datetime, *, forever: dt.datetime
) -> dt.datetime | None:
    """Until when the newest version in force is an accepted one (product.md, Good standing); None: it is not now.

    `effective` are the instants of all versions in order, `accepted` says of each whether the account accepted it.
    Before the first version comes into force, its acceptance counts already.
    """
    now_in_force = in_force(effective, at) or 0
    if not effective or not accepted[now_in_force]:
        return None
    later = [instant for instant, done in list(zip(effective, accepted, strict=True))[now_in_force + 1 :] if not done]
    return later[0] if later else forever


def next_to_accept(effective: list[dt.datetime], accepted: list[bool], at: dt.datetime) -> int | None:
    """The place of the version that waits for acceptance: the one in force, else the next that comes."""
    start = in_force(effective, at) or 0
    for place in range(start, len(effective)):
        if not accepted[place]:
            return place
    return None
