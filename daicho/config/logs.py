"""Logs: one JSON object a line on standard error, with the id of the request that caused it."""

from __future__ import annotations

import json
import logging
import logging.config
from datetime import UTC, datetime
from typing import Any

from daicho.core.tracing import request_id

_USUAL = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "request", "taskName"}


class JsonFormatter(logging.Formatter):
    """time (UTC), level, logger, message, request id, `extra` values and a traceback where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if current := request_id.get():
            line["request_id"] = current
        line |= {key: value for key, value in record.__dict__.items() if key not in _USUAL}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def settings(level: str) -> dict[str, Any]:
    """The logging configuration; Django's own loggers go the same way at WARNING and above."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": JsonFormatter}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {"daicho": {"level": level}, "django.request": {"level": "ERROR"}},
    }


def configure(config: dict[str, Any]) -> None:
    """Django's LOGGING_CONFIG: ours alone, without the handlers Django adds for DEBUG; warnings are log lines too."""
    logging.config.dictConfig(config)
    logging.captureWarnings(True)
