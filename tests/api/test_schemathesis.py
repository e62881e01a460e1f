"""The API keeps its contract for input that nobody thought of: no 5xx, no status and no body that it does not declare.

Schemathesis makes the requests from the OpenAPI document, as an administrator, a viewer and nobody; the handles in the
paths are real ones of the victim, so that the requests reach the commands.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from django.db import transaction
from django.test import Client
from hypothesis import HealthCheck, settings
from pytest_django.plugin import DjangoDbBlocker
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance
from urllib3 import HTTPResponse

from daicho.interfaces.api.main import api
from tests.stranger.openings import add_openings_and_more
from tests.stranger.operations import CALLS, PATHS
from tests.stranger.victim import Victim, log_everybody_in, make_victim
from tests.world import make_world

# On PostgreSQL alone: it is the stricter one about text, numbers and types, and once is enough for the clock.
pytestmark = [pytest.mark.django_db, pytest.mark.postgres]
CHECKS = [not_a_server_error, status_code_conformance, response_schema_conformance]
schema = schemathesis.openapi.from_dict(api.get_openapi_schema(path_prefix="/api/v1/"))


def tries(number: int) -> settings:
    return settings(
        max_examples=number, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )


@pytest.fixture(scope="module")
def victim(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Victim]:
    with django_db_blocker.unblock(), transaction.atomic():
        made = make_victim(make_world())
        add_openings_and_more(made)
        log_everybody_in(made)
        yield made
        transaction.set_rollback(True)


def ask(case: Any, victim: Victim, client: Client) -> None:
    name = case.operation.definition.raw["operationId"]
    segments = case.operation.path.split("/")
    for place, segment in enumerate(segments):
        if segment.startswith("{"):
            handle = CALLS[name].path.get(segment[1:-1]) or PATHS[segments[place - 1]]
            case.path_parameters[segment[1:-1]] = victim.ids.get(handle, handle)
    response = call(client, case)
    case.validate_response(response, checks=CHECKS)


def call(client: Client, case: Any) -> requests.Response:
    """The generated request through Django's test client, which stays inside the test's transaction."""
    prepared = requests.Request(**case.as_transport_kwargs(base_url="http://testserver")).prepare()
    headers = {name: str(value) for name, value in prepared.headers.items()}
    body = prepared.body.encode() if isinstance(prepared.body, str) else prepared.body or b""
    answered = client.generic(
        str(prepared.method), str(prepared.path_url), body,
        content_type=headers.pop("Content-Type", "application/octet-stream"), headers=headers,
    )  # fmt: skip
    response = requests.Response()
    response.status_code = answered.status_code
    response.headers.update(answered.headers)
    response.raw = HTTPResponse(headers=dict(answered.headers), status=answered.status_code)
    response._content = b"".join(answered) if answered.streaming else answered.content
    response.request, response.url = prepared, str(prepared.url)
    response.elapsed = dt.timedelta(0)
    return response


@schema.parametrize()
@tries(6)
def test_for_an_administrator(case: Any, victim: Victim) -> None:
    ask(case, victim, victim.world.client(victim.world.admin))


@schema.parametrize()
@tries(2)
def test_for_a_viewer(case: Any, victim: Victim) -> None:
    ask(case, victim, victim.world.client(victim.world.viewer))


@schema.parametrize()
@tries(1)
def test_for_nobody(case: Any, victim: Victim) -> None:
    ask(case, victim, victim.world.client(None))


@schema.parametrize()
@tries(3)
def test_for_the_operator(case: Any, victim: Victim) -> None:
    ask(case, victim, victim.world.client(victim.world.operator))
