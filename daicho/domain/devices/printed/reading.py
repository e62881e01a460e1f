"""From a text to the devices that printed it, with their licenses, and to the lines that could not be read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import textfsm

from daicho.core.text import fingerprint, name_key
from daicho.domain.devices.errors import too_many_devices
from daicho.domain.devices.printed.outputs import Output
from daicho.domain.devices.printed.splitting import MAX_LINE, Section, decoded, lines_of, sections_of

MAX_DEVICES = 2_000
UNREAD, UNKNOWN, NOTHING = "unread", "unknown", "nothing"
NONE_IN_USE = re.compile(r"^\s*No licenses in use", re.IGNORECASE)
IDLE = re.compile(r"\b(?:not\s+in\s+use|unused|not\s+applicable|inactive|expired|not\s+authorized)\b", re.IGNORECASE)
CUT = re.compile(r"(?:\.\.\.|…)$")

type Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class PrintedLicense:
    """A license as it is printed. `used`: how many of it the device uses now; `line`: where it stands, from 1."""

    line: int
    name: str
    tag: str = ""
    regid: str = ""
    description: str = ""
    used: int = 0
    status: str = ""
    kind: str = ""

    @property
    def key(self) -> str:
        """What the same license has wherever it is printed alike, short enough for the name of a field."""
        return fingerprint([name_key(part) for part in (self.regid, self.tag, self.name, self.description)])[:16]

    @property
    def label(self) -> str:
        """For people: the name, and what tells it from others of that name."""
        more = self.tag or self.description
        return f"{self.name} ({more})" if more and name_key(more) != name_key(self.name) else self.name


@dataclass(slots=True)
class PrintedDevice:
    """A device as it printed itself; `members`: product ID and serial of the others of its stack.

    `listed`: all that it uses was printed, if only that it uses nothing.
    """

    line: int
    maker: str = ""
    hostname: str = ""
    product_id: str = ""
    serial: str = ""
    software: str = ""
    members: list[tuple[str, str]] = field(default_factory=list)
    licenses: list[PrintedLicense] = field(default_factory=list)
    listed: bool = False
    outputs: list[str] = field(default_factory=list)
    ranks: dict[str, int] = field(default_factory=dict)
    by_family: dict[str, list[PrintedLicense]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Passage:
    """Lines that brought nothing: `unread` inside an output that is known, `unknown` outside of any, `nothing`: an
    output that is known and holds nothing to import."""

    first: int
    last: int
    why: str
    text: str


@dataclass(frozen=True, slots=True)
class Printed:
    devices: list[PrintedDevice]
    passages: list[Passage]

    @property
    def unread(self) -> list[Passage]:
        return [passage for passage in self.passages if passage.why == UNREAD]


@dataclass(slots=True)
class _Part:
    """What one output said."""

    section: Section
    output: Output
    identity: Row = field(default_factory=dict)
    members: list[tuple[str, str]] = field(default_factory=list)
    licenses: list[PrintedLicense] = field(default_factory=list)
    listed: bool = False


def read_printed(content: bytes) -> Printed:
    """Read a paste or a log of up to 10 MB and 2,000 devices. Raises file_too_large, file_unreadable, too_many_rows."""
    passages: list[Passage] = []
    parts: list[_Part] = []
    for section in sections_of(lines_of(decoded(content))):
        if section.is_blank():
            continue
        if section.output is None or section.output.template is None:
            why = UNKNOWN if section.output is None else NOTHING
            lines = [line for line in section.lines if line.strip()]
            passages.append(Passage(section.first, section.last, why, section.command or lines[0].strip()[:200]))
            continue
        part = _part(section, section.output, passages)
        if part.licenses or part.listed or part.identity:
            parts.append(part)
        else:
            passages.append(Passage(section.first, section.last, NOTHING, section.command or section.output.code))
    passages.sort(key=lambda passage: passage.first)
    return Printed(_devices(parts), passages)


def run_template(output: Output, section: Section, passages: list[Passage]) -> Iterator[tuple[int, Row]]:
    """The rows that the template finds, each with the number of its first line; refused lines become passages."""
    machine = output.fsm()
    names = [name.lower() for name in machine.header]
    own = [value for value in machine.values if "Filldown" not in value.OptionNames()]
    given, start = 0, None
    for number, line in enumerate([*section.lines, None], section.first):
        try:
            if line is not None and len(line) > MAX_LINE:
                raise textfsm.TextFSMError
            rows = machine.ParseText("", eof=True) if line is None else machine.ParseText(line + "\n", eof=False)
        except textfsm.TextFSMError:
            passages.append(Passage(number, number, UNREAD, (line or "").strip()[:200]))
            continue
        for row in rows[given:]:
            yield start or number, dict(zip(names, row, strict=True))
            start = None
        given = len(rows)
        if start is None and any(value.value for value in own):
            start = number


def _part(section: Section, output: Output, passages: list[Passage]) -> _Part:
    part = _Part(section, output)
    part.listed = any(NONE_IN_USE.match(line) for line in section.lines)
    for line, row in run_template(output, section, passages):
        read = READERS[output.code](line, row)
        if isinstance(read, PrintedLicense):
            part.licenses.append(read)
            part.listed = True
            read = {"serial": row.get("serial", "")} if output.code == "panos_licenses" else {}
            read |= {"serial": row["license_file_esn"]} if output.code == "vrp_licenses" else {}
        if not read:
            continue
        member = (read.get("product_id", ""), read.get("serial", ""))
        if read.pop("role", ""):
            part.members.append(member)
        elif part.identity.get("serial", member[1]) == member[1] or not member[1]:
            part.identity = {key: value for key, value in read.items() if value} | part.identity
        elif output.code in {"udi", "inventory"}:
            part.members += [member] if output.code == "udi" else []
    if not part.identity.get("serial") and part.members:
        part.identity = dict(zip(("product_id", "serial"), part.members[0], strict=True))
    return part


def _text(value: str | list[str]) -> str:
    return (value[0] if value else "") if isinstance(value, list) else value.strip()


def _used(count: str, status: str) -> int:
    """An entitlement that is not counted (-, Non-Counted) is used once."""
    if IDLE.search(status):
        return 0
    digits = re.match(r"\d+", count)
    return int(digits[0]) if digits else 1


def _smart(line: int, row: Row) -> PrintedLicense | Row:
    if row.get("sn"):
        return {"product_id": row["pid"], "serial": row["sn"], "role": row["role"]}
    tag = row["tag"].strip()
    tag, seen = ("", tag) if CUT.search(tag) else (tag, "")
    return PrintedLicense(
        line, row["name"] or row.get("feature", "") or tag, tag, row.get("regid", ""),
        row.get("description", "") or seen, _used(row["count"] or "0", row["status"]), row["status"],
        row.get("type", ""),
    )  # fmt: skip


def _features(line: int, row: Row) -> PrintedLicense:
    used = _used(row["license_count"].strip(), row["license_state"])
    return PrintedLicense(
        line, row["feature"], used=used, status=row["license_state"].strip(), kind=row["license_type"].strip()
    )


def _right_to_use(line: int, row: Row) -> PrintedLicense:
    used = row["in_use"] == "yes"
    return PrintedLicense(line, row["name"], used=int(used), status="in use" if used else "unused", kind=row["type"])


def _nxos_usage(line: int, row: Row) -> PrintedLicense:
    status = row["status"]
    return PrintedLicense(
        line,
        row["feature"],
        used=max(1, _used(row["license_count"], status)) * (not IDLE.search(status)),
        status=status,
    )


def _vrp(line: int, row: Row) -> PrintedLicense:
    return PrintedLicense(
        line, row["item_name"] or row["sale_name"], row["sale_name"], description=row["description"],
        used=int(row["used_value"] or 0), status=row["item_state"], kind=row["item_type"],
    )  # fmt: skip


def _panos(line: int, row: Row) -> PrintedLicense | Row:
    if not row["feature"]:
        return {}
    status = "expired" if row["expired"] == "yes" else "active"
    return PrintedLicense(line, row["feature"], description=row["description"], used=_used("1", status), status=status)


def _reader(**fields: str) -> Callable[[int, Row], PrintedLicense | Row]:
    """Of an identity: which column holds which field."""

    def read(line: int, row: Row) -> Row:
        return {key: _text(row.get(column, "")) for key, column in fields.items()}

    return read


READERS: dict[str, Callable[[int, Row], PrintedLicense | Row]] = {
    "smart_tech": _smart, "smart_all": _smart, "smart_usage": _smart, "smart_summary": _smart,
    "nxos_usage": _nxos_usage, "features": _features, "right_to_use": _right_to_use, "vrp_licenses": _vrp, "panos_licenses": _panos,
    "status": lambda line, row: {},
    "udi": _reader(product_id="pid", serial="sn", role="role"),
    "inventory": _reader(product_id="pid", serial="sn"),
    "ios_version": _reader(hostname="hostname", product_id="hardware", serial="serial", software="version"),
    "nxos_version": _reader(hostname="hostname", product_id="platform", serial="serial", software="os"),
    "asa_version": _reader(hostname="hostname", product_id="model", serial="serial", software="version"),
    "vrp_serial": _reader(serial="serial_number"),
    "panos_system": _reader(hostname="hostname", product_id="model", serial="serial", software="os"),
}  # fmt: skip


# Which output is believed about product ID and serial number: the license agent's own, then the inventory, then the rest.
TRUST = {"smart_tech": 3, "smart_all": 3, "udi": 3, "inventory": 2}


def _devices(parts: list[_Part]) -> list[PrintedDevice]:
    found: list[PrintedDevice] = []
    trust: dict[int, int] = {}
    for part in parts:
        device = _owner(found, part)
        if device is None:
            if len(found) == MAX_DEVICES:
                raise too_many_devices(MAX_DEVICES)
            device = PrintedDevice(part.section.first)
            found.append(device)
        _add(device, part, trust)
    for device in found:
        device.licenses = [one for family in device.by_family.values() for one in family]
    return [device for device in found if device.listed or device.serial]


def _owner(found: list[PrintedDevice], part: _Part) -> PrintedDevice | None:
    """The device that printed this output, among those seen so far."""
    serial, host = part.identity.get("serial", ""), part.section.host
    if serial:
        for device in found:
            if serial in {device.serial, *(number for _, number in device.members)} and host in {device.hostname, ""}:
                return device
    last = found[-1] if found else None
    if last is None:
        return None
    if host:
        same = [device for device in found if device.hostname == host]
        last = same[-1] if same else (last if not last.hostname and len(found) == 1 and not last.outputs else None)
    elif part.output.code in last.outputs:
        return None
    if last is None or _is_another(last, part):
        return None
    return last


def _is_another(device: PrintedDevice, part: _Part) -> bool:
    """A chassis may have another serial number than its board (show version, inventory), but two agents never have."""
    serial = part.identity.get("serial", "")
    if not serial or not device.serial or serial == device.serial:
        return False
    agents = {code for code, trust in TRUST.items() if trust == 3}
    return (bool(agents & set(device.outputs)) and part.output.code in agents) or part.output.code in device.outputs


def _add(device: PrintedDevice, part: _Part, trust: dict[int, int]) -> None:
    code, identity = part.output.code, part.identity
    device.maker = device.maker or part.output.maker
    device.hostname = device.hostname or part.section.host or identity.get("hostname", "")
    device.software = device.software or identity.get("software", "")
    if identity.get("serial") and TRUST.get(code, 1) > trust.get(id(device), 0):
        trust[id(device)] = TRUST.get(code, 1)
        device.serial = identity["serial"]
        device.product_id = identity.get("product_id", "") or device.product_id
    device.product_id = device.product_id or identity.get("product_id", "")
    for member in part.members:
        if member != (device.product_id, device.serial) and member not in device.members:
            device.members.append(member)
    device.outputs.append(code)
    family, rank = part.output.family, part.output.rank
    if family and part.listed and rank >= device.ranks.get(family, 0):
        device.ranks[family], device.by_family[family] = rank, part.licenses
        device.listed = True
