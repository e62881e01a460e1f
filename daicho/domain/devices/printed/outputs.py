"""The outputs that are known: by which command and first line they are recognised, and which template reads them."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from pathlib import Path

import ntc_templates
import textfsm

OURS = Path(__file__).parent / "templates"
THEIRS = Path(ntc_templates.__file__).parent / "templates"

FAR = 6  # lines from the head of an output, after which the same first line begins another one


@dataclass(frozen=True)
class Output:
    """One command's output. `command`: as it may be abbreviated; `start`: its first line, where no prompt tells.

    `absorbs`: outputs whose first line also stands inside this one. `rank`: the better account of the same licenses
    counts, where a device printed several. An output without template is known, and holds nothing to import.
    """

    code: str
    maker: str
    command: re.Pattern[str]
    start: re.Pattern[str]
    template: Path | None
    absorbs: frozenset[str] = frozenset()
    family: str = ""
    rank: int = 0

    def fsm(self) -> textfsm.TextFSM:
        """The template's machine, set back; each thread has its own."""
        machines: dict[str, textfsm.TextFSM] = _own.__dict__
        if self.code not in machines:
            if self.template is None:
                raise LookupError(self.code)
            with self.template.open(encoding="utf-8") as file:
                machines[self.code] = textfsm.TextFSM(file)
        machines[self.code].Reset()
        return machines[self.code]


_own = threading.local()


def _output(
    code: str, maker: str, command: str, start: str, template: Path | None,
    absorbs: str = "", family: str = "", rank: int = 0,
) -> Output:  # fmt: skip
    return Output(
        code, maker, re.compile(command + r"\s*(?:\|.*)?$", re.IGNORECASE), re.compile(start), template,
        frozenset(absorbs.split()), family, rank,
    )  # fmt: skip


_LICENSE = r"sh(?:ow?)?\s+lic(?:e|en|ens|ense)?"
_SMART = OURS / "cisco_smart_show_license.textfsm"

OUTPUTS: tuple[Output, ...] = (
    _output("smart_tech", "Cisco", _LICENSE + r"\s+t\w*(?:[\s-]+s\w*)?", r"^Smart Licensing Tech Support info", _SMART,
            "smart_all smart_usage status udi rum", "licenses", 4),
    _output("smart_all", "Cisco", _LICENSE + r"\s+al?l?", r"^Smart Licensing Status\s*$", _SMART,
            "smart_usage status udi", "licenses", 3),
    _output("smart_summary", "Cisco", _LICENSE + r"\s+su\w*", r"^License Usage:\s*$",
            OURS / "cisco_smart_show_license_summary.textfsm", "smart_usage status", "licenses", 1),
    _output("nxos_usage", "Cisco", _LICENSE + r"\s+us\w*", r"^\s*Feature\s+Ins\s+Lic\s+Status\s+Expiry",
            THEIRS / "cisco_nxos_show_license_usage.textfsm", "", "licenses", 2),
    _output("smart_usage", "Cisco", _LICENSE + r"\s+us\w*", r"^License Authorization:\s*$", _SMART,
            "smart_usage", "licenses", 2),
    _output("features", "Cisco", _LICENSE + r"(?:\s+(?:de\w*|fe\w*|in-use))?", r"^Index\s+1\s+Feature:",
            THEIRS / "cisco_ios_show_license.textfsm", "", "features", 1),
    _output("right_to_use", "Cisco", _LICENSE + r"\s+ri\S*\s+us\w*", r"^\s*Slot#\s+License\s+Name\s+Type\s+usage",
            OURS / "cisco_show_license_right_to_use_usage.textfsm", "", "features", 2),
    _output("status", "Cisco", _LICENSE + r"\s+st\w*", r"^(?:Utility:|Smart Licensing is (?:ENABLED|DISABLED))\s*$",
            THEIRS / "cisco_ios_show_license_status.textfsm", "smart_usage status udi"),
    _output("udi", "Cisco", _LICENSE + r"\s+ud\w*", r"^\s*(?:SlotID\s+PID\s+SN|UDI:\s+PID:)",
            OURS / "cisco_show_license_udi.textfsm"),
    _output("rum", "Cisco", _LICENSE + r"\s+ru\w*\s.*", r"^Smart Licensing Usage Report", None, "udi rum"),
    _output("eventlog", "Cisco", _LICENSE + r"\s+e\w*(?:\s.*)?", r"^(?:\*{4} Event Log \*{4}|\s*No EventLog Found)",
            None),
    _output("call_home", "Cisco", r"sh(?:ow?)?\s+call\S*\s+smart\S*",
            r"^Current smart-licensing transport settings", None),
    _output("ios_version", "Cisco", r"sh(?:ow?)?\s+ver\w*", r"^Cisco IOS(?: XE)? Software",
            THEIRS / "cisco_ios_show_version.textfsm"),
    _output("nxos_version", "Cisco", r"sh(?:ow?)?\s+ver\w*", r"^Cisco Nexus Operating System",
            THEIRS / "cisco_nxos_show_version.textfsm"),
    _output("asa_version", "Cisco", r"sh(?:ow?)?\s+ver\w*", r"^Cisco Adaptive Security Appliance Software",
            THEIRS / "cisco_asa_show_version.textfsm"),
    _output("inventory", "Cisco", r"sh(?:ow?)?\s+inv\w*(?:\s.*)?", r'^NAME:\s+"',
            THEIRS / "cisco_ios_show_inventory.textfsm", "inventory"),
    _output("vrp_licenses", "Huawei", r"dis\w*\s+lic\w*\s+ver\w*", r"^\s*Active license\s*:",
            THEIRS / "huawei_vrp_display_license_verbose.textfsm", "", "licenses", 1),
    _output("vrp_serial", "Huawei", r"dis\w*\s+sn\s+lic\w*", r"^.*ESN of device:",
            THEIRS / "huawei_vrp_display_sn_license.textfsm"),
    _output("panos_licenses", "Palo Alto Networks", r"request\s+license\s+info", r"^License entry:",
            THEIRS / "paloalto_panos_request_license_info.textfsm", "panos_licenses", "licenses", 1),
    _output("panos_system", "Palo Alto Networks", r"show\s+system\s+info", r"^hostname:\s+\S",
            THEIRS / "paloalto_panos_show_system_info.textfsm"),
)  # fmt: skip
