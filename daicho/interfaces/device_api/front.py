"""Reads a request as far as it can be read without the database, and knows which lane decides it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from django.conf import settings

from daicho.core.errors import BusinessError
from daicho.core.lanes import Lane
from daicho.core.proxies import client_behind
from daicho.domain.devices import wire
from daicho.domain.devices.hot import Reply
from daicho.interfaces.device_api import answers
from daicho.interfaces.device_api.answers import Answer

PREFIX = "/device/"
BASE = "/device/v1/"
LARGEST = 65_536
"""Bytes of a body."""
SLOWEST = 10.0
"""Seconds in which a body must arrive."""
LONGEST_QUEUE = 2_000
"""Requests that wait in one lane; whoever comes then is asked to come again."""


@dataclass(frozen=True, slots=True)
class Question:
    """A request for what everybody may know: `what` (keys, time) and the values of its query."""

    what: str
    query: dict[str, str]


type DeviceLane = Lane[Any, Reply]  # of signed requests, or of questions


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that a lane decides."""

    lane: DeviceLane
    act: wire.Signed | Question
    request_id: str
    languages: str

    def answer(self, reply: Reply | None) -> Answer:
        """What it hears. Without a reply nothing of it was done, or nobody knows: it may be sent again."""
        if reply is None:
            return answers.problem(answers.too_busy(), self.request_id, self.languages)
        return answers.answer_of(reply, self.request_id, self.languages)


@dataclass(frozen=True)
class Front:
    """The lanes by the last part of an address: `posts` decide signed requests, `gets` answer questions."""

    posts: Mapping[str, DeviceLane]
    gets: Mapping[str, DeviceLane]

    def read(
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes, peer: str
    ) -> Asked | Answer:
        """What a lane is to decide, or the answer to what cannot be read. `headers`: by names in lower case."""
        languages = headers.get("accept-language", "")
        try:
            asked = self._asked(method, path, query, headers, body, peer, languages)
            if asked.lane.waiting >= LONGEST_QUEUE:
                return asked.answer(None)
            return asked
        except BusinessError as error:
            return answers.problem(error, "", languages)

    def _asked(
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes, peer: str, languages: str
    ) -> Asked:
        what = path[len(BASE) :] if path.startswith(BASE) else ""
        if what in self.gets:
            if method != "GET":
                raise answers.method_not_allowed("GET")
            return Asked(self.gets[what], Question(what, values_of(query)), "", languages)
        if what not in self.posts:
            raise answers.unsupported_protocol()
        if method != "POST":
            raise answers.method_not_allowed("POST")
        if len(body) > LARGEST:
            raise answers.too_large(LARGEST)
        address = client_behind(peer, headers.get("x-forwarded-for", ""), settings.TRUSTED_PROXIES)
        signed = wire.read_request(path, headers, body, address)
        return Asked(self.posts[what], signed, str(signed.nonce), languages)


def values_of(query: str) -> dict[str, str]:
    try:
        return {name: values[0] for name, values in parse_qs(query, max_num_fields=10, errors="strict").items()}
    except ValueError:
        raise wire.MalformedRequest("query") from None
