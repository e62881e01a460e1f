"""The device side of Daicho: registers, uses licenses, and works 90 days without the server."""

from daicho_agent.agent import Agent, Identity
from daicho_agent.errors import (
    AgentError,
    BusyError,
    IdentityConflictError,
    NotRegisteredError,
    RefusedError,
    ServerUnreachableError,
    StateError,
    UntrustedError,
)
from daicho_agent.grants import Grant
from daicho_agent.status import Status
from daicho_agent.version import VERSION as __version__

__all__ = [
    "Agent",
    "AgentError",
    "BusyError",
    "Grant",
    "Identity",
    "IdentityConflictError",
    "NotRegisteredError",
    "RefusedError",
    "ServerUnreachableError",
    "StateError",
    "Status",
    "UntrustedError",
    "__version__",
]
