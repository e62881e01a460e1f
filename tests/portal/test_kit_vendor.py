"""The files that were fetched are the files that are served, and their origin is on record."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

from daicho.interfaces.portal import components

VENDOR = Path(__file__).resolve().parents[2] / "daicho/interfaces/portal/static/vendor"
MANIFEST = json.loads((VENDOR / "manifest.json").read_text())


def test_each_file_is_the_one_of_the_manifest() -> None:
    for entry in MANIFEST:
        assert hashlib.sha256((VENDOR / entry["file"]).read_bytes()).hexdigest() == entry["sha256"], entry["file"]


def test_nothing_lies_there_that_the_manifest_does_not_name() -> None:
    assert {path.name for path in VENDOR.iterdir()} == {e["file"] for e in MANIFEST} | {"manifest.json", "LICENSES.txt"}


def test_each_entry_pins_a_version_and_names_a_license_that_the_file_of_licenses_holds() -> None:
    licenses = (VENDOR / "LICENSES.txt").read_text()
    for entry in MANIFEST:
        assert entry["origin"] == f"{entry['name']}@{entry['version']}"
        assert re.fullmatch(r"\d+\.\d+\.\d+", entry["version"])
        assert entry["license"] in {"MIT", "0BSD"}
        assert f"== {entry['name']} {entry['version']} ==" in licenses


def test_the_sprite_holds_the_icons_that_templates_may_use() -> None:
    assert set(re.findall(r'<symbol id="([\w-]+)"', (VENDOR / "icons.svg").read_text())) == components.ICONS


def test_no_file_refers_to_a_map_or_to_another_host() -> None:
    for entry in MANIFEST:
        text = (VENDOR / entry["file"]).read_text()
        assert "sourceMappingURL" not in text
        assert not re.search(r"url\(['\"]?https?:", text)
