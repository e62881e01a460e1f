"""The form of the contract: names that never collide, operations that say how they fail."""

from __future__ import annotations

from collections import defaultdict
from importlib import import_module
from inspect import getmembers, isclass
from pkgutil import iter_modules
from typing import Any

from ninja import Schema

from daicho.interfaces.api import routers
from daicho.interfaces.api.main import api
from daicho.interfaces.api.problems import PROBLEMS


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    paths = api.get_openapi_schema(path_prefix="/api/v1/")["paths"]
    return [(path, method, found) for path, methods in paths.items() for method, found in methods.items()]


def test_two_schemas_never_share_a_name() -> None:
    """OpenAPI knows schemas by name alone: of two the last one would describe both."""
    homes = defaultdict(set)
    for module in iter_modules(routers.__path__):
        for name, found in getmembers(import_module(f"{routers.__name__}.{module.name}"), isclass):
            if issubclass(found, Schema) and "[" not in name:
                homes[name].add(found.__module__)
    assert {name: where for name, where in homes.items() if len(where) > 1} == {}


def test_every_operation_has_a_public_id_of_its_own() -> None:
    ids = [found["operationId"] for _, _, found in operations()]
    assert len(ids) == len(set(ids))
    assert all("_" not in one for one in ids)


def test_every_operation_declares_every_problem() -> None:
    for path, method, found in operations():
        missing = {str(status) for status in PROBLEMS} - set(map(str, found["responses"]))
        assert not missing, f"{method} {path} does not declare {missing}"


def test_every_operation_has_a_sentence() -> None:
    for path, method, found in operations():
        assert found.get("description"), f"{method} {path} says nothing of itself"


def test_it_is_openapi_3_1() -> None:
    assert api.get_openapi_schema(path_prefix="/api/v1/")["openapi"].startswith("3.1")
