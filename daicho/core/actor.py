"""Who acts. Every command takes an Actor first; it is never defaulted, so nobody acts by accident."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self


class ActorKind(StrEnum):
    USER = "user"
    API_CLIENT = "api_client"
    DEVICE = "device"
    SYSTEM = "system"
    ANONYMOUS = "anonymous"


@dataclass(frozen=True, slots=True)
class Actor:
    """The acting person or program, by id: core knows no tables.

    `name` is what the event log keeps, also after the person is gone. `interface` is portal, api, cli, jobs or mail.
    `scopes` bound what a program may do, beside its grants.
    `address` is the network address the act came from, empty where there is none.
    """

    kind: ActorKind
    name: str
    user_id: int | None = None
    api_client_id: int | None = None
    is_operator: bool = False
    interface: str = "portal"
    address: str = ""
    language: str = "en"
    scopes: frozenset[str] = frozenset()
    # What the door found out in this one request, by who acts where; None: ask each time.
    memo: dict[tuple[int | None, int | None, int], object] | None = field(default=None, compare=False, repr=False)
    request_id: uuid.UUID = field(default_factory=uuid.uuid4)

    @classmethod
    def system(cls, name: str = "system", *, interface: str = "jobs") -> Self:
        """The installation itself: sweeps, scheduled acts, the console of the machine's owner."""
        return cls(kind=ActorKind.SYSTEM, name=name, interface=interface, is_operator=True)

    @property
    def is_system(self) -> bool:
        return self.kind is ActorKind.SYSTEM

    @property
    def owner(self) -> str:
        """Whose uploads, jobs and request ids these are: those of two callers never meet."""
        if self.api_client_id is not None:
            return f"client:{self.api_client_id}"
        return f"user:{self.user_id}" if self.user_id is not None else f"{self.kind}:{self.name[:60]}"
