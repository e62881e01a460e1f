"""What a device may use at a moment, told from what it holds: no network, no writing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from daicho_agent import evaluation
from daicho_agent.documents import KeyChain
from daicho_agent.errors import UntrustedError
from daicho_agent.state import State

GOOD = frozenset({"authorized", "short", "reserved", "evaluation"})


@dataclass(frozen=True)
class Grant:
    """The answer to "may I use so many of this license?"; true if so.

    `status`: authorized, short (more is in use than was bought), reserved, evaluation; or refused, waiting (not yet
    asked), authorization_expired, evaluation_expired. `seconds_left`: how long it holds without contact.
    """

    tag: str
    wanted: int
    quantity: int
    status: str
    code: str = ""
    missing: int = 0
    seconds_left: float = 0.0

    def __bool__(self) -> bool:
        return self.status in GOOD and self.quantity >= self.wanted


class Holdings:
    """The state's documents, verified."""

    def __init__(self, state: State, now: float, uptime: float) -> None:
        self.state = state
        self.now = now
        self.uptime = uptime
        self.chain = KeyChain(state.pin, state.key_sets)
        self.certificate = self._verified(state.certificate, "daicho-certificate+jws")
        self.authorization = self._verified(state.authorization, "daicho-authorization+jws")
        self._lines = {line["tag"]: line for line in self.authorization.get("licenses", ())}

    @property
    def is_current(self) -> bool:
        """Whether the authorization has not ended."""
        return bool(self.authorization) and self.now < self.authorization["exp"]

    @property
    def evaluates(self) -> bool:
        """Whether anything is in use without an answer of the server: that uses up the evaluation."""
        return any(self._is_evaluated(tag) for tag in self.state.wanted)

    def grant(self, tag: str, wanted: int | None = None) -> Grant:
        """What holds for a tag now; `wanted` None: as much as is wanted already."""
        if wanted is None:
            wanted = self.state.wanted.get(tag, 0)
        line = self._lines.get(tag)
        if line is not None and self._answers(line, wanted):
            if not self.is_current:
                return Grant(tag, wanted, 0, "authorization_expired")
            return Grant(
                tag,
                wanted,
                line["quantity"],
                line["status"],
                line.get("code", ""),
                line.get("missing", 0),
                self.authorization["exp"] - self.now,
            )
        left = evaluation.seconds_left(self.state, self.now, uptime=self.uptime)
        if left > 0:
            return Grant(tag, wanted, wanted, "evaluation", seconds_left=left)
        return Grant(tag, wanted, 0, "waiting" if self.state.is_registered else "evaluation_expired")

    def _is_evaluated(self, tag: str) -> bool:
        line = self._lines.get(tag)
        return line is None or not self._answers(line, self.state.wanted[tag])

    def _answers(self, line: dict[str, Any], wanted: int) -> bool:
        """Whether the server's line speaks of this quantity: a refusal does of any, a grant of no more than it grants."""
        return bool(line["status"] == "refused" or line["quantity"] >= wanted)

    def _verified(self, document: str, typ: str) -> dict[str, Any]:
        if not document:
            return {}
        try:
            return self.chain.open(document, typ, fresh=False, sub=self.state.instance)
        except UntrustedError:
            return {}  # altered on the disk: it is worth nothing
