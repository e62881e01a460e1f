"""Catalogs as they are in the world: 3,769 device models, 104 SKUs of an office suite."""

from pathlib import Path

import pytest

from daicho.domain.catalog import queries
from daicho.domain.catalog.commands.imports import import_catalog
from daicho.domain.catalog.models import LicenseTag, Product
from tests.conftest import REAL_DATA
from tests.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.real_data]


def test_the_device_models_are_taken_as_products(world: World):
    content = (Path(REAL_DATA) / "catalogue" / "devicetype_library.csv").read_bytes()
    result = import_catalog(world.as_(world.operator), content=content)
    assert (result.kind, result.rows, result.problems) == ("products", 3769, [])
    assert result.added + result.repeated == 3769
    again = import_catalog(world.as_(world.operator), content=content)
    assert (again.added, again.changed) == (0, 0)
    assert Product.objects.count() >= result.added
    assert queries.search_products(world.as_(world.admin), "netgear m4300-12x12f")


def test_the_skus_of_the_suite_are_taken_as_license_tags(world: World):
    content = (Path(REAL_DATA) / "catalogue" / "m365_skus_2020.json").read_bytes()
    result = import_catalog(world.as_(world.operator), content=content)
    assert (result.kind, result.rows, result.problems) == ("tags", 104, [])
    assert result.added + result.repeated == 104
    again = import_catalog(world.as_(world.operator), content=content)
    assert (again.added, again.changed, again.unchanged) == (0, 0, 103)
    assert LicenseTag.objects.get(sku="ENTERPRISEPACK").name
