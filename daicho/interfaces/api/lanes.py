"""The acts that may share a commit, and the middleware that lets them."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse

from daicho.core.actor import Actor
from daicho.core.commands import one_act
from daicho.core.errors import BusinessError
from daicho.core.ids import derived_uuid
from daicho.core.lanes import Lane
from daicho.domain.access.commands.idempotency import Kept, claim_answered, claimed_before
from daicho.domain.access.policy import find_accounts
from daicho.domain.access.queries import authenticate_api_clients
from daicho.domain.access.rules import Permission
from daicho.domain.catalog.queries import tags_by_sku
from daicho.domain.devices.commands.licenses import Device, SeatAsk, assign_many
from daicho.domain.devices.queries.seats import seated
from daicho.domain.ledger import rules
from daicho.domain.ledger.commands.transfer_many import TransferAsk, transfer_many
from daicho.domain.ledger.queries.sight import Sight, look, places_seen
from daicho.interfaces.api.problems import JsonRenderer
from daicho.interfaces.api.routers.devices import LinesIn, lines_among, seat_out
from daicho.interfaces.api.routers.transfers import TransferIn, moves_among
from daicho.interfaces.api.together import Act, ActLane, Answer, Decision, Route, answer_together

RENDERER = JsonRenderer()
type Told = dict[str, Any] | BusinessError
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


def make_transfers(acts: Sequence[Act]) -> list[Decision]:
    """Make many transfers in one transaction; nobody is answered before its commit."""
    with one_act():
        callers = callers_of(acts)
        asks = _transfer_asks(callers)
        made = transfer_many([ask for _, ask in asks])
        told: list[tuple[Caller, Told]] = [
            (caller, decision if isinstance(decision, BusinessError) else {"entry": decision.uid, "request": None})
            for (caller, _), decision in zip(asks, made, strict=True)
            if decision is not None
        ]
        return keep_answers(acts, 201, told)


def make_seats(act: rules.Act, acts: Sequence[Act]) -> list[Decision]:
    """Assign to (or release from) many devices in one transaction; nobody is answered before its commit."""
    with one_act():
        sights = [
            (caller, sight) for caller in callers_of(acts) if (sight := sight_of(caller, Permission.DEVICES_VIEW))
        ]
        tags = tags_by_sku([line.sku for caller, _ in sights for line in caller.act.body.lines])
        asks: list[tuple[Caller, Sight, SeatAsk]] = []
        for caller, sight in sights:
            with suppress(BusinessError):
                body = caller.act.body
                lines = lines_among(body.lines, tags)
                uid = caller.act.place["uid"]
                ask = SeatAsk(caller.actor, sight.account, uid, act, lines, caller.request_id, body.memo)
                asks.append((caller, sight, ask))
        told: list[tuple[Caller, Told]] = []
        done: list[tuple[Caller, Sight, Device]] = []
        for (caller, sight, _), device in zip(asks, assign_many([ask for _, _, ask in asks]), strict=True):
            if isinstance(device, BusinessError):
                told.append((caller, device))
            elif device is not None:
                done.append((caller, sight, device))
        seats = seated([(sight, device) for _, sight, device in done])
        told += [(caller, seat_out(seat)) for (caller, _, _), seat in zip(done, seats, strict=True)]
        return keep_answers(acts, 200, told)


@dataclass(frozen=True, slots=True)
class Caller:
    """A program that has some right in the account of its act (the number-th), and uses its key for the first time."""

    number: int
    act: Act
    actor: Actor
    account: Any

    @property
    def request_id(self) -> uuid.UUID:
        """As `auth.request_id_of`."""
        return derived_uuid(self.actor.owner, self.act.key)


def callers_of(acts: Sequence[Act]) -> list[Caller]:
    """The acts whose program is known, with its rights; the others go the ordinary way."""
    actors = authenticate_api_clients([act.knock for act in acts])
    known = [(number, actor) for number, actor in enumerate(actors) if actor is not None]
    accounts = find_accounts([(actor, acts[number].place["identifier"]) for number, actor in known])
    used = claimed_before({(actor.owner, acts[number].key) for number, actor in known})
    found = []
    for (number, actor), account in zip(known, accounts, strict=True):
        act = acts[number]
        if account is not None and (actor.owner, act.key) not in used:
            used.add((actor.owner, act.key))
            found.append(Caller(number, act, actor, account))
    return found


def keep_answers(acts: Sequence[Act], status: int, told: Sequence[tuple[Caller, Told]]) -> list[Decision]:
    """What each act hears, in their order; answers are claimed with their keys in the acts' own transaction."""
    decisions: list[Decision] = [None] * len(acts)
    kept = []
    for caller, content in told:
        if isinstance(content, BusinessError):
            decisions[caller.number] = content
            continue
        text = RENDERER.render(None, content, response_status=status)  # type: ignore[arg-type]
        decisions[caller.number] = Answer(status, text)
        kept.append(Kept(caller.actor.owner, caller.act.key, caller.act.fingerprint, status, text))
    claim_answered(kept)
    return decisions


def sight_of(caller: Caller, view: Permission) -> Sight | None:
    """What the caller sees; None for who must not see anything. Who may act somewhere may see there, too."""
    try:
        return look(caller.actor, caller.account, lists=False, view=view)
    except BusinessError:
        return None


def _transfer_asks(callers: Sequence[Caller]) -> list[tuple[Caller, TransferAsk]]:
    sights = [(caller, sight) for caller in callers if (sight := sight_of(caller, Permission.LICENSES_VIEW))]
    places = places_seen(
        [(sight, [uid for move in c.act.body.moves for uid in (move.source, move.target)]) for c, sight in sights]
    )
    tags = tags_by_sku([move.sku for caller, _ in sights for move in caller.act.body.moves])
    found: list[tuple[Caller, TransferAsk]] = []
    for (caller, sight), seen in zip(sights, places, strict=True):
        body: TransferIn = caller.act.body
        with suppress(BusinessError):
            moves = moves_among(body.moves, seen, tags)
            ask = TransferAsk(caller.actor, sight.account, caller.request_id, moves, body.choice, body.memo)
            found.append((caller, ask))
    return found


_ACCOUNT = r"/api/v1/accounts/(?P<identifier>[^/]+)"
_DEVICE = rf"{_ACCOUNT}/devices/(?P<uid>[^/]+)"
_SEATS: dict[str, ActLane] = {
    word: Lane(word, partial(make_seats, act))
    for word, act in (("assign", rules.Act.TAKE), ("release", rules.Act.GIVE))
}
ROUTES = (
    Route(re.compile(rf"{_ACCOUNT}/transfers"), TransferIn, Lane("transfers", make_transfers)),
    *(Route(re.compile(rf"{_DEVICE}/{word}"), LinesIn, lane) for word, lane in _SEATS.items()),
)
