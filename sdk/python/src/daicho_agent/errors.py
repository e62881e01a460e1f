"""What the agent cannot do: a code for programs, an exit code for shells, a sentence for people."""

from __future__ import annotations

from typing import Any

from daicho_agent.words import say


class AgentError(Exception):
    """The root of all that the agent raises on purpose."""

    exit_code = 1

    def __init__(self, code: str, text: str, /, **data: Any) -> None:
        super().__init__(say(text, **data))
        self.code = code
        self.data = data


class NotRegisteredError(AgentError):
    """The device has not registered, or it has left."""

    exit_code = 3

    def __init__(self) -> None:
        super().__init__("not_registered", "This device is not registered. Run: daicho-agent register")


class ServerUnreachableError(AgentError):
    """Nobody answered, or not as Daicho does; the same request may be sent again. `after`: wait at least so long (s)."""

    exit_code = 5

    def __init__(self, text: str, *, code: str = "server_unreachable", after: float = 0, **data: Any) -> None:
        super().__init__(code, text, **data)
        self.after = after


class RefusedError(AgentError):
    """The server answered no. `code` is the server's, `status` the HTTP status, `document` the problem document."""

    exit_code = 6

    def __init__(self, code: str, title: str, *, status: int, document: dict[str, Any]) -> None:
        super().__init__(code, "The server refused: {title} ({code})", title=title, code=code)
        self.status = status
        self.document = document


class StateError(AgentError):
    """The state file cannot be read or written; what was there stays as it was."""

    exit_code = 7


class BusyError(AgentError):
    """Another process holds the state."""

    exit_code = 8

    def __init__(self, path: str, seconds: float) -> None:
        text = "Another process has used {path} for more than {seconds} s. Is a daicho-agent hanging?"
        super().__init__("state_busy", text, path=path, seconds=round(seconds))


class UntrustedError(AgentError):
    """A document is not signed by a key that this device may trust, or does not answer what was asked."""

    exit_code = 9


class IdentityConflictError(AgentError):
    """Somebody else uses this device's identity."""

    exit_code = 10

    def __init__(self) -> None:
        super().__init__(
            "sequence_used",
            "Another device uses the identity of this one: was it copied from the same image, or set back to an older "
            "state? If this is the copy: daicho-agent register --new-identity. If this is the only one: "
            "daicho-agent renew --resume",
        )
