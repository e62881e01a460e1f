"""The lanes of the device protocol: who waits for one another shares a transaction, and one that fails fails alone."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from django.db import InterfaceError, OperationalError, connection
from django.utils.translation import gettext_lazy as _

from daicho.core.errors import BusinessError
from daicho.core.lanes import Lane
from daicho.domain.devices import hot, signing, wire
from daicho.domain.devices.hot import Reply
from daicho.interfaces.device_api.front import DeviceLane, Front, Question

logger = logging.getLogger("daicho.device_api")

type Make[A] = Callable[[Sequence[A]], Sequence[Reply]]

DECIDED = {
    "register": hot.register_many,
    "authorize": hot.authorize_many,
    "renew-certificate": hot.renew_certificates,
    "deregister": hot.deregister_many,
}
"""What decides a signed request, by the last part of its address."""


def front(lane: type[DeviceLane] = Lane) -> Front:
    """The front with lanes of this kind."""
    posts = {name: lane(name, partial(make_together, make)) for name, make in DECIDED.items()}
    told = lane("questions", partial(make_together, answer_questions))
    return Front(posts, {"keys": told, "time": told})


def make_together[A](make: Make[A], acts: Sequence[A]) -> list[Reply | None]:
    """Decide these together; if they cannot be, find the one that it is due to. None: try again later.

    A lost connection or a deadlock undoes all of them: they are made once more, on a fresh connection.
    """
    for _attempt in range(2):
        try:
            return list(make(acts))
        except (OperationalError, InterfaceError):
            logger.warning("the database did not take %s requests", len(acts), exc_info=True)
            connection.close()
        except Exception:
            if len(acts) == 1:
                logger.exception("a request cannot be decided")
                return [Reply(500, server_error())]
            logger.warning("%s requests were not decided together", len(acts), exc_info=True)
            middle = len(acts) // 2
            return [*make_together(make, acts[:middle]), *make_together(make, acts[middle:])]
    return [None] * len(acts)


def answer_questions(questions: Sequence[Question]) -> list[Reply]:
    """The keys that the server signs with, and its time."""
    return [QUESTIONS[question.what](question.query) for question in questions]


def keys(query: dict[str, str]) -> Reply:
    since = query.get("since", "0")
    if not (since.isascii() and since.isdecimal() and len(since) < 10):
        return Reply(400, wire.MalformedRequest("since"))
    return Reply(200, {"keys": signing.key_sets(int(since))})


def time(query: dict[str, str]) -> Reply:
    nonce = query.get("nonce", "")
    try:
        if nonce and str(uuid.UUID(nonce)) != nonce:
            raise ValueError
    except ValueError:
        return Reply(400, wire.MalformedRequest("nonce"))
    return Reply(200, {"time": signing.signed_time(nonce)})


QUESTIONS: dict[str, Callable[[dict[str, Any]], Reply]] = {"keys": keys, "time": time}


def server_error() -> BusinessError:
    return BusinessError("server_error", 500, _("The server could not answer. Send the same request again later."))
