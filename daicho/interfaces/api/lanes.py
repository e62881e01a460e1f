"""The acts that may share a commit, and the middleware that lets them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse

from daicho.core.actor import Actor
from daicho.core.commands import one_act
from daicho.core.errors import BusinessError
from daicho.core.ids import derived_uuid
from daicho.domain.access.commands.idempotency import Kept, claim_answered, claimed_before
from daicho.domain.access.policy import find_accounts
from daicho.domain.access.queries import authenticate_api_clients
from daicho.domain.catalog.queries import tags_by_sku
from daicho.domain.ledger.commands.transfer_many import TransferAsk, transfer_many
from daicho.domain.ledger.queries.sight import Sight, look, places_seen
from daicho.interfaces.api.routers.transfers import TransferIn, moves_among
from daicho.interfaces.api.together import Act, Answer, Lane, Route, answer_together

_is_open = False


def open_lanes() -> None:
    """Called by the server: a lane has a thread and a connection of its own, which tests and the console do not want."""
    global _is_open
    _is_open = True


class LanesMiddleware:
    """Lets acts that wait for one another share a commit; everything else goes on."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if _is_open and request.method == "POST" and (answer := answer_together(request, ROUTES)) is not None:
            return answer
        return self.get_response(request)


def make_transfers(acts: Sequence[Act]) -> list[Answer | None]:
    """Make many transfers in one transaction; an answer for each that succeeded."""
    answers: list[Answer | None] = [None] * len(acts)
    with one_act():
        asks = _asks(acts)
        made = transfer_many([ask for _, ask in asks])
        kept = []
        for (number, ask), decision in zip(asks, made, strict=True):
            if decision is None or isinstance(decision, BusinessError):
                continue
            answer = Answer(201, json.dumps({"entry": decision.uid, "request": None}, separators=(",", ":")))
            answers[number] = answer
            act = acts[number]
            kept.append(Kept(ask.actor.owner, act.key, act.fingerprint, answer.status, answer.content))
        claim_answered(kept)
    return answers


def _asks(acts: Sequence[Act]) -> list[tuple[int, TransferAsk]]:
    """What can be made of the acts, by their place in the list: who knocks, in which account, on which rows."""
    known = known_callers(acts)
    sights: list[tuple[int, Actor, Sight]] = []
    for number, actor, account in known:
        try:
            sights.append((number, actor, look(actor, account, lists=False)))
        except BusinessError:
            continue
    bodies: dict[int, TransferIn] = {number: acts[number].body for number, _, _ in sights}
    places = places_seen(
        [(sight, [uid for move in bodies[n].moves for uid in (move.source, move.target)]) for n, _, sight in sights]
    )
    tags = tags_by_sku([move.sku for body in bodies.values() for move in body.moves])
    found: list[tuple[int, TransferAsk]] = []
    for (number, actor, sight), seen in zip(sights, places, strict=True):
        body = bodies[number]
        try:
            moves = moves_among(body.moves, seen, tags)
        except BusinessError:
            continue
        request_id = derived_uuid(actor.owner, acts[number].key)
        found.append((number, TransferAsk(actor, sight.account, request_id, moves, body.choice, body.memo)))
    return found


def known_callers(acts: Sequence[Act]) -> list[tuple[int, Actor, Any]]:
    """The acts of programs that have any right in their account and use their key for the first time."""
    callers = [
        (number, actor)
        for number, actor in enumerate(authenticate_api_clients([act.knock for act in acts]))
        if actor is not None
    ]
    accounts = find_accounts([(actor, acts[number].place["identifier"]) for number, actor in callers])
    used = claimed_before({(actor.owner, acts[number].key) for number, actor in callers})
    found = []
    for (number, actor), account in zip(callers, accounts, strict=True):
        key = (actor.owner, acts[number].key)
        if account is not None and key not in used:
            used.add(key)
            found.append((number, actor, account))
    return found


ROUTES = (
    Route(
        re.compile(r"/api/v1/accounts/(?P<identifier>[^/]+)/transfers"),
        TransferIn,
        Lane("transfers", make_transfers),
    ),
)
