"""The id that ties an answer, its log lines and its events together."""

from contextvars import ContextVar

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""Id of the request being answered, or "" outside one; sent back as X-Request-ID."""
