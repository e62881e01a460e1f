"""The agent, as applications and the command line use it.

    from daicho_agent import Agent

    with Agent.open() as agent:
        if agent.use("NET-ADV", 3):
            run()

Each act takes the state's lock, so any number of processes of one device may use it beside a daemon.
"""

from __future__ import annotations

import contextlib
import random
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from daicho_agent import evaluation, keys
from daicho_agent.backoff import delay
from daicho_agent.errors import AgentError, NotRegisteredError, RefusedError, ServerUnreachableError
from daicho_agent.grants import Grant, Holdings
from daicho_agent.session import Session
from daicho_agent.state import State, Store, default_path
from daicho_agent.status import Status, status_of
from daicho_agent.transport import HttpTransport, Transport, checked_server

TransportFor = Callable[[str, str], Transport]  # (server, ca_file)
HOUR = 3600.0
TICK = 300.0  # seconds after which a daemon looks again at the latest
AFTER_THE_END = 86_400.0  # seconds; how often an identity that the server has ended asks whether that still holds


@dataclass(frozen=True)
class Identity:
    """What a device is: what its maker calls it, which one it is, and what runs on it."""

    product_id: str
    serial: str
    name: str = ""
    software_name: str = ""
    software_version: str = ""


def _over_http(server: str, ca_file: str) -> Transport:
    return HttpTransport(server, ca_file=ca_file)


class Agent:
    """One device."""

    def __init__(
        self,
        store: Store,
        *,
        transport_for: TransportFor = _over_http,
        clock: Callable[[], float] = time.time,
        uptime: Callable[[], float] = evaluation.seconds_since_boot,
        sleep: Callable[[float], None] = time.sleep,
        chance: random.Random | None = None,
        attempts: int = 3,
    ) -> None:
        self.store = store
        self._transport_for = transport_for
        self._clock = clock
        self._uptime = uptime
        self._sleep = sleep
        self._chance = chance or random.SystemRandom()
        self._attempts = attempts

    @classmethod
    def open(cls, path: str | Path | None = None) -> Agent:
        """The agent of this device; `path` of its state: see `state.default_path`."""
        return cls(Store(Path(path) if path else default_path()))

    def __enter__(self) -> Agent:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is released by leaving: a license is in use until `release` says otherwise."""

    # Joining and leaving

    def register(
        self,
        server: str,
        token: str,
        identity: Identity,
        *,
        ca_file: str = "",
        pin: str = "",
        new_identity: bool = False,
    ) -> Status:
        """Register with a token. `pin`: thumbprint of the server's first key, where it was told beforehand.

        `new_identity`: forget the present key, because another device has a copy of it.
        """
        server = checked_server(server)
        with self.store.locked() as state:
            if new_identity:
                _forget(state)
            state.private_key = state.private_key or keys.new_signing_key()
            if state.server != server or (pin and pin != state.pin):
                state.server, state.pin, state.key_sets = server, pin, []
            state.ca_file = ca_file
            state.product_id, state.serial = identity.product_id, identity.serial
            state.name = identity.name or socket.gethostname()
            state.software_name, state.software_version = identity.software_name, identity.software_version
            self._count(state)
            with self._told(state):
                self._session(state).register(token)
                if state.wanted:
                    self._session(state).authorize()
            return self._status(state)

    def deregister(self) -> None:
        """Give everything back and leave the virtual account."""
        with self.store.locked() as state, self._told(state):
            self._session(state).deregister()

    # Using

    def use(self, tag: str, quantity: int = 1) -> Grant:
        """Ask for so many of a license (regid or SKU) in all, and say whether they may be used.

        Without contact: what the last authorization grants, or the evaluation. A refused wish is not kept.
        """
        if quantity < 1:
            raise ValueError("quantity is at least 1; to give back, release")
        with self.store.locked() as state:
            before = dict(state.wanted)
            state.wanted[tag] = quantity
            return self._change(state, tag, before)

    def release(self, tag: str | None = None) -> None:
        """Give a license back; without a name all of them. Told to the server now or at the next contact."""
        with self.store.locked() as state:
            for one in [tag] if tag else list(state.wanted):
                state.wanted.pop(one, None)
            self._contact_or_wait(state)

    def check(self, tag: str) -> Grant:
        """What holds for a license now, from the state alone: quick, without network or lock."""
        return self._holdings(self.store.load()).grant(tag)

    def renew(self, *, resume: bool = False, certificate: bool = False) -> Status:
        """Contact the server now. `certificate`: renew that too.

        `resume`: this device is the only one with its identity and was set back to an older state; go on behind the
        server's last sequence.
        """
        with self.store.locked() as state, self._told(state):
            self._count(state)
            if resume and state.conflict is not None:
                state.sequence, state.conflict = max(state.sequence, state.conflict), None
            session = self._session(state)
            if certificate:
                session.renew_certificate()
            session.authorize()
            state.stopped = ""
            self._count(state)
            self.store.save(state)
            return self._status(state)

    def status(self) -> Status:
        """What this device has and when it must do what. No network, no lock."""
        return self._status(self.store.load())

    def tick(self) -> float:
        """Do what is due, and say in how many seconds to look again. Problems are kept in the status, not raised.

        Time alone is written once an hour, to spare the device's flash.
        """
        with self.store.locked() as state:
            written, counting = state.newest, state.evaluation_counted_at
            self._count(state)
            due = state.newest >= self._due(state)
            if due:
                with contextlib.suppress(AgentError):
                    self._contact(state)
                self._count(state)
            if due or state.newest - written >= HOUR or bool(counting) != bool(state.evaluation_counted_at):
                self.store.save(state)
            return max(1.0, min(TICK, self._due(state) - state.newest))

    # How

    def _change(self, state: State, tag: str, before: dict[str, int]) -> Grant:
        holdings = self._holdings(state)
        grant = holdings.grant(tag)
        known = grant.status in {"authorized", "reserved"} and before.get(tag) == grant.quantity == grant.wanted
        if known and state.next_contact > holdings.now:
            self._count(state)
            return grant
        self._contact_or_wait(state)
        grant = self._holdings(state).grant(tag)
        if grant.status == "refused":
            state.wanted = before
            self.store.save(state)
        return grant

    def _contact_or_wait(self, state: State) -> None:
        """Tell the server what is wanted; where nobody can be told now, keep it for the next contact."""
        self._count(state)
        if state.is_registered and not state.stopped:
            try:
                with self._told(state):
                    self._session(state).authorize()
            except ServerUnreachableError:
                state.next_contact = 0.0
        self._count(state)
        self.store.save(state)

    def _contact(self, state: State) -> None:
        with self._told(state):
            session = self._session(state)
            certificate = self._holdings(state).certificate
            if certificate and session.now() >= certificate["renew_from"]:
                session.renew_certificate()
            session.authorize()
            state.stopped = ""

    def _due(self, state: State) -> float:
        """When the server is to be asked next, by its clock."""
        if not state.is_registered or state.conflict is not None or state.stopped == "instance_replaced":
            return float("inf")  # it takes a person
        if state.stopped:
            return state.last_attempt + AFTER_THE_END
        if state.failures:
            return state.last_attempt + state.retry_after
        renew_from = self._holdings(state).certificate.get("renew_from", 0)
        return min(state.next_contact, float(renew_from) or state.next_contact)

    @contextlib.contextmanager
    def _told(self, state: State) -> Iterator[None]:
        """Remember how an attempt ended, for the status and for the next one."""
        state.last_attempt = self._session_clock(state)
        try:
            yield
        except (ServerUnreachableError, RefusedError) as problem:
            state.failures += 1
            after = problem.after if isinstance(problem, ServerUnreachableError) else 0.0
            state.retry_after = max(after, delay(state.failures, self._chance))
            state.last_error = str(problem)
            self.store.save(state)
            raise
        except NotRegisteredError:
            raise
        except AgentError as problem:
            state.last_error = str(problem)
            raise

    def _session(self, state: State) -> Session:
        transport = self._transport_for(state.server, state.ca_file)
        return Session(state, self.store, transport, self._clock, self._sleep, self._chance, self._attempts)

    def _session_clock(self, state: State) -> float:
        return max(self._clock() + state.clock_offset, state.newest)

    def _holdings(self, state: State) -> Holdings:
        return Holdings(state, self._session_clock(state), self._uptime())

    def _count(self, state: State) -> None:
        now = self._session_clock(state)
        evaluation.count(state, now, running=self._holdings(state).evaluates, uptime=self._uptime())
        state.newest = max(state.newest, now)

    def _status(self, state: State) -> Status:
        return status_of(state, self._holdings(state), self._due(state))


def _forget(state: State) -> None:
    """Drop an identity; what is wanted and what was evaluated stay."""
    fresh = State(
        wanted=state.wanted,
        evaluation_seconds=state.evaluation_seconds,
        evaluation_counted_at=state.evaluation_counted_at,
        newest=state.newest,
    )
    for name in State.__dataclass_fields__:
        setattr(state, name, getattr(fresh, name))
