"""What devices print is read: by itself recognised, whatever the encoding; what cannot be read is named by its line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from daicho.core.errors import BusinessError
from daicho.domain.devices.printed.outputs import OUTPUTS
from daicho.domain.devices.printed.reading import READERS, Passage, PrintedDevice, read_printed
from tests.conftest import REAL_DATA
from tests.devices.printed_texts import LOG, NEXUS_USAGE, OTHERS, STACK, SUMMARY

FOLDER = Path(REAL_DATA) / "show_license"


def one(text: str) -> PrintedDevice:
    printed = read_printed(text.encode())
    (device,) = printed.devices
    assert printed.unread == []
    return device


def used(device: PrintedDevice) -> list[tuple[str, str, int]]:
    return [(one.name, one.tag, one.used) for one in device.licenses]


def test_every_output_has_a_template_that_loads_and_a_reader():
    for output in OUTPUTS:
        if output.template is not None:
            assert output.fsm().header
            assert output.code in READERS


def test_a_log_of_several_commands_and_devices_is_taken_apart():
    printed = read_printed(LOG.encode())
    stack, leaf = printed.devices
    assert (stack.hostname, stack.product_id, stack.serial) == ("osaka-core", "C9300-24T", "AOZ0000A001")
    assert stack.members == [("C9300-24T", "AOZ0000A002")]
    # The summary prints the same licenses with less about them: it adds nothing.
    assert used(stack) == [
        ("network-advantage", "C9300-24 Network Advantage", 2), ("security", "SEC-PLUS", 0),
    ]  # fmt: skip
    assert (leaf.hostname, leaf.product_id, leaf.serial, leaf.software) == (
        "osaka-leaf", "C9336C-FX2", "AOZ0000N001", "10.2(5)",
    )  # fmt: skip
    assert used(leaf) == [("STO-STD", "", 1), ("SEC-PLUS", "", 0)]
    assert [(passage.first, passage.why) for passage in printed.passages] == [(1, "unknown"), (50, "unknown")]
    assert LOG.splitlines()[stack.licenses[0].line - 1].startswith("network-advantage")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp932", "latin-1"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\r\r\n"])
def test_encodings_and_line_ends_make_no_difference(encoding: str, end: str):
    text = STACK.replace(
        "Virtual Account: Osaka", "Virtual Account: é" if encoding == "latin-1" else "Virtual Account: 大阪"
    )
    (device,) = read_printed(text.replace("\n", end).encode(encoding)).devices
    assert (device.serial, used(device)[0][2]) == ("AOZ0000A001", 2)


def test_pagers_and_colours_of_a_terminal_are_no_part_of_the_text():
    text = STACK.replace("  Count: 2", " --More-- \b\b\b\b\b\b\b\b\b        \b\b\b\b\b\b\b\b\b  Count: 2").replace(
        "UDI:", "\x1b[1mUDI:\x1b[0m"
    )
    assert used(one(text))[0][2] == 2


def test_what_a_template_refuses_is_named_by_its_line():
    text = STACK.replace("  Count: 2", "  Count: two")
    printed = read_printed(text.encode())
    number = text.splitlines().index("  Count: two") + 1
    assert printed.unread == [Passage(number, number, "unread", "Count: two")]
    assert printed.devices[0].serial == "AOZ0000A001"


def test_two_devices_one_after_the_other_without_prompts_are_two():
    other = STACK.replace("AOZ0000A00", "AOZ0000B00")
    assert [device.serial for device in read_printed((STACK + other).encode()).devices] == [
        "AOZ0000A001",
        "AOZ0000B001",
    ]
    same = read_printed((STACK + SUMMARY + STACK.replace("Count: 2", "Count: 5")).encode()).devices
    assert [used(device)[0][2] for device in same] == [5]  # the last word counts


def test_no_text_and_too_much_of_it_are_refused_and_rubbish_is_told():
    for content, code in ((b"\x00\x01PK", "file_unreadable"), (b"x" * (10 * 1024 * 1024 + 1), "file_too_large")):
        with pytest.raises(BusinessError) as refused:
            read_printed(content)
        assert refused.value.code == code
    printed = read_printed(b"dear all,\nplease find attached\n<none>\n")
    assert (printed.devices, [passage.why for passage in printed.passages]) == ([], ["unknown"])
    assert read_printed(b"").devices == []


def test_nothing_in_use_is_something_to_know():
    text = STACK[: STACK.index("network-advantage (")] + "No licenses in use\n\n" + STACK[STACK.index("Product") :]
    device = one(text)
    assert (device.listed, device.licenses) == (True, [])
    assert one(NEXUS_USAGE).serial == ""


@pytest.mark.parametrize(
    ("name", "identity", "licenses"),
    [
        ("PAN-OS", ("fw-osaka", "PA-220", "012801000001"), [("Threat Prevention", "", 1), ("URL Filtering", "", 0)]),
        ("IOS", ("R1", "CISCO2911/K9", "AOZ0000R001"), [("ipbasek9", "", 1), ("SSL_VPN", "", 25)]),
        ("NX-OS 10", ("leaf", "N9K-C9336C-FX2", "AOZ0000L001"), [("LAN_ENTERPRISE_SERVICES_PKG",) * 2 + (1,)]),
        ("IOS-XE 16", ("", "", ""), [
            ("C9300 DNA Advantage", "C9300-48 DNA Advantage", 2), ("network-advantage", "", 2),
        ]),
        ("right-to-use", ("sw1", "", ""), [("ipservices", "", 1), ("ipbase", "", 0), ("ipservices", "", 1)]),
        ("show tech-support", ("acc", "C9200L-24T-4G", "AOZ0000T001"), [("network-essentials", "C9200L-NW-E-24", 1)]),
        ("VRP", ("osaka-ar", "", "2150010479"), [("L1", "88X", 1)]),
    ],
)  # fmt: skip
def test_other_makers_and_releases_are_read(name: str, identity: tuple[str, ...], licenses: list[tuple[str, str, int]]):
    device = one(OTHERS[name])
    assert (device.hostname, device.product_id, device.serial) == identity
    assert used(device) == licenses


# ── against an independent parser, on real outputs ──


def expected(path: Path) -> Any:
    beside = path.with_suffix(".expected.json") if path.suffix == ".txt" else path.with_suffix(".yml")
    text = beside.read_text(encoding="utf-8")
    return json.loads(text) if path.suffix == ".txt" else yaml.safe_load(text)["parsed_sample"]


def identities(data: dict[str, Any], single: str) -> list[tuple[str, str]]:
    """Product ID and serial number, the device's own first, then those of its stack."""
    rows = [data[single], *data.get("ha_udi_list", {}).values()]
    return list(dict.fromkeys((row["pid"], row["sn"]) for row in rows))


def of_smart_all(data: dict[str, Any]) -> Any:
    usage = data.get("license_usage", {}).get("license_name", {})
    return identities(data["product_information"], "udi"), [
        (name.removeprefix(row["feature_name"]).strip(" ():"), row["feature_name"], row["description"], row["count"], row["status"],
         row["license_type"])
        for name, row in usage.items()
    ]  # fmt: skip


def of_tech(data: dict[str, Any]) -> Any:
    return identities(data["product_information"], "udi"), [
        (row["entitlement_tag"], row["license"], row["description"], row["count"], row["status"], row["license_type"])
        for row in data["license_usage"]["handle"].values()
    ]


def of_summary(data: dict[str, Any]) -> Any:
    rows = data["license_usage"].values()
    return [], [(row["entitlement"], row["license"], "", int(row["count"]), row["status"], "") for row in rows]


def of_udi(data: dict[str, Any]) -> Any:
    return (identities(data, "udi_details") if "udi_details" in data else [(data["pid"], data["sn"])]), []


def of_features(data: dict[str, Any]) -> Any:
    return [], [
        ("", row["feature"], "", row.get("count_in_use", int("Not in Use" not in row["license_state"])),
         row["license_state"], row["license_type"])
        for row in data["licenses"].values()
    ]  # fmt: skip


def of_asa(rows: list[dict[str, str]]) -> Any:
    return [(rows[0]["pid"], rows[0]["sn"])], [
        (row["license_pid"], row["license"], row["license_description"], int(row["license_count"]),
         row["license_status"], "")
        for row in rows if row["license"]
    ]  # fmt: skip


def of_nexus(rows: list[dict[str, str]]) -> Any:
    return [], [("", row["feature"], "", int(row["status"] == "In use"), row["status"], "") for row in rows]


def of_huawei(rows: list[dict[str, str]]) -> Any:
    return [("", rows[0]["license_file_esn"])], [
        (row["sale_name"], row["item_name"], row["description"], int(row["used_value"]), row["item_state"],
         row["item_type"])
        for row in rows
    ]  # fmt: skip


def of_huawei_serial(rows: list[dict[str, str]]) -> Any:
    return [("", rows[0]["serial_number"])], []


COMPARED = {
    "ShowLicenseAll": of_smart_all, "ShowLicenseTechSupport": of_tech, "ShowLicenseSummary": of_summary,
    "ShowLicenseUdi": of_udi, "ShowLicense": of_features, "show_license_all": of_asa, "show_license_usage": of_nexus,
    "display_license_verbose": of_huawei, "display_sn_license": of_huawei_serial,
}  # fmt: skip
WITHOUT_LICENSES = {
    "ShowLicenseStatus", "ShowLicenseEventlog2", "ShowLicenseRumIdAll", "ShowLicenseRumIdDetail",
    "ShowCallHomeSmartLicensing", "show_license_status",
}  # fmt: skip
FILES = sorted([*FOLDER.rglob("*.txt"), *FOLDER.rglob("*.raw")]) if REAL_DATA else [FOLDER]


@pytest.mark.real_data
@pytest.mark.parametrize("path", FILES, ids=lambda path: "/".join(path.parts[-2:]))
def test_real_outputs_are_read_as_an_independent_parser_read_them(path: Path):
    """Compared: product ID and serial of the device, and of its stack in any order; of each license in order its tag or regid,
    name, description, count in use, status as printed, type. Outputs that hold none of it must be recognised as such."""
    printed = read_printed(path.read_bytes())
    kind = path.parent.name
    assert printed.unread == []
    assert [passage for passage in printed.passages if passage.why == "unknown"] == []
    if kind in WITHOUT_LICENSES:
        assert (printed.devices, {passage.why for passage in printed.passages}) == ([], {"nothing"})
        return
    wanted, licenses = COMPARED[kind](expected(path))
    (device,) = printed.devices
    found = [(device.product_id, device.serial), *device.members] if device.serial else []
    assert (found[:1], sorted(found)) == (wanted[:1], sorted(wanted))
    read = [
        (one.regid or one.tag, one.name, one.description, one.used, one.status, one.kind) for one in device.licenses
    ]
    assert read == licenses
