"""What an import of a printed text would do: looked at before it is done, and done exactly so."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from daicho.core.actor import Actor
from daicho.core.errors import BusinessError, FieldErrors, Forbidden
from daicho.core.statements import chunks
from daicho.core.text import clean, name_key
from daicho.domain.access.policy import Scope, ensure_good_standing, ensure_may
from daicho.domain.access.rules import Permission
from daicho.domain.catalog.models import LicenseTag
from daicho.domain.devices.errors import RowProblem, device_replaced
from daicho.domain.devices.models import Device, Instance
from daicho.domain.devices.printed.reading import Passage, PrintedDevice, read_printed
from daicho.domain.devices.printed_names import NamePlan, counts_by_tag, plan_names
from daicho.domain.devices.rules import DeviceFields, read_fields
from daicho.domain.ledger.models import Use
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount

CREATE, UPDATE, ITSELF = "create", "update", "itself"


@dataclass(frozen=True, slots=True)
class Choices:
    """What a person decided about a text.

    `licenses`: SKU by the key of a printed license, "" leaves it out. `devices`: handle of a device by the line at
    which a printed one begins. `leave_out_unknown`: licenses that are not in the catalog are left out. `unread`: what
    was read is taken although lines could not be read. `absent`: licenses that a device uses here and did not print
    are set to 0.
    """

    licenses: Mapping[str, str] = field(default_factory=dict)
    devices: Mapping[int, str] = field(default_factory=dict)
    leave_out_unknown: bool = False
    unread: bool = False
    absent: bool = False


@dataclass(frozen=True, slots=True)
class UseLine:
    """What a device uses of a license here, and what it printed. `is_absent`: it printed all, and this was not there."""

    tag: LicenseTag
    before: int
    after: int
    is_absent: bool = False


@dataclass(slots=True)
class DevicePlan:
    """A printed device and what becomes of it: `act` is create, update, or itself (it registered and reports itself).

    `matched` tells by what its record was found: serial, member (another of its stack), name, chosen.
    """

    printed: PrintedDevice
    fields: DeviceFields
    device: Device | None = None
    act: str = CREATE
    matched: str = ""
    lines: list[UseLine] = field(default_factory=list)

    @property
    def is_changed(self) -> bool:
        """Whether the record's own words change."""
        return self.device is not None and self.act == UPDATE and fields_of(self.device) != self.fields

    @property
    def counts(self) -> list[UseLine]:
        """The uses that change."""
        return [line for line in self.lines if line.before != line.after]


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole: `problems` stand in the way, `passages` are lines that brought nothing."""

    devices: list[DevicePlan]
    names: list[NamePlan]
    passages: list[Passage]
    problems: list[RowProblem]


def fields_of(device: Device) -> DeviceFields:
    return DeviceFields(device.name, device.product_id, device.serial, device.note)


def plan_import(
    actor: Actor,
    *,
    account: SmartAccount,
    content: bytes,
    virtual_account: VirtualAccount | None = None,
    choices: Choices | None = None,
) -> Plan:
    """Read a text and say what importing it would do, without writing. `virtual_account`: where new devices go.

    Raises what `read_printed` raises, `nothing_printed`, and what the door raises.
    """
    choices = choices or Choices()
    scope = ensure_may(actor, Permission.DEVICES_VIEW, account, virtual_account)
    if not scope.allows_somewhere(Permission.DEVICES_MANAGE):
        raise Forbidden(Permission.DEVICES_MANAGE)
    if virtual_account is not None:
        ensure_may(actor, Permission.DEVICES_MANAGE, account, virtual_account)
    if not actor.is_system:
        ensure_good_standing(account)
    printed = read_printed(content)
    if not printed.devices:
        raise nothing_printed()
    names = plan_names((one for device in printed.devices for one in device.licenses), choices.licenses)
    problems = [
        RowProblem(plan.lines[0], "license", unknown_printed(plan.printed.label))
        for plan in names.values()
        if plan.is_open and not choices.leave_out_unknown
    ]
    if not choices.unread:
        problems += [RowProblem(passage.first, "line", unread_line(passage.text)) for passage in printed.unread]
    finder = _Finder(account, scope, printed.devices, choices)
    devices = [
        plan
        for device in printed.devices
        if (plan := _planned(device, finder, names, virtual_account, problems)) is not None
    ]
    _count(devices, names, choices.absent)
    return Plan(devices, list(names.values()), printed.passages, sorted(problems, key=lambda one: one.row))


def _planned(
    printed: PrintedDevice,
    finder: _Finder,
    names: Mapping[str, NamePlan],
    place: VirtualAccount | None,
    problems: list[RowProblem],
) -> DevicePlan | None:
    try:
        device, matched = finder.find(printed)
        if device is None and not (printed.serial or printed.hostname):
            raise unnamed_device()
        if device is None and place is None:
            raise BusinessError("required", 422, _("Choose the virtual account in which new devices are registered."))
        before = fields_of(device) if device is not None else None
        fields = _fields(printed, before)
    except FieldErrors as refused:
        problems.extend(RowProblem(printed.line, column, error) for column, error in refused.errors.items())
        return None
    except BusinessError as refused:
        problems.append(RowProblem(printed.line, "device", refused))
        return None
    if device is None:
        return DevicePlan(printed, fields)
    act = ITSELF if device.pk in finder.registered else UPDATE
    return DevicePlan(printed, fields, device, act, matched)


def _fields(printed: PrintedDevice, before: DeviceFields | None) -> DeviceFields:
    """A record keeps what people wrote: what is empty is filled, and a name that only stood in for one is replaced."""
    if before is None:
        return read_fields(printed.hostname[:100], printed.product_id, printed.serial)
    stands_in = before.name in {before.serial, before.product_id}
    return read_fields(
        printed.hostname[:100] if stands_in and printed.hostname else before.name,
        before.product_id or printed.product_id,
        before.serial or printed.serial,
        before.note,
    )


def _count(devices: list[DevicePlan], names: Mapping[str, NamePlan], absent: bool) -> None:
    """Before and after of each license on each device."""
    units = [plan.device.unit_id for plan in devices if plan.device is not None]
    now: dict[int, dict[int, Use]] = defaultdict(dict)
    for part in chunks(units, 500):
        for use in Use.objects.filter(unit__in=part, reported__gt=0).select_related("tag"):
            now[use.unit_id][use.tag_id] = use
    for plan in devices:
        uses = now[plan.device.unit_id] if plan.device is not None else {}
        counts = counts_by_tag(plan.printed.licenses, names)
        for tag_id, (tag, used) in counts.items():
            before = uses[tag_id].reported if tag_id in uses else 0
            if before or used:
                plan.lines.append(UseLine(tag, before, used))
        if plan.printed.listed:
            plan.lines += [
                UseLine(use.tag, use.reported, 0 if absent else use.reported, True)
                for tag_id, use in uses.items()
                if tag_id not in counts
            ]
        plan.lines.sort(key=lambda line: line.tag.sku_key)


class _Finder:
    """The records that printed devices may be, read at once; records out of sight are not there."""

    def __init__(self, account: SmartAccount, scope: Scope, printed: list[PrintedDevice], choices: Choices) -> None:
        self.choices = choices
        self.manages = scope.virtual_account_ids(Permission.DEVICES_MANAGE)
        self.taken: set[int] = set()
        self.by_serial: dict[str, list[Device]] = defaultdict(list)
        self.by_name: dict[str, list[Device]] = defaultdict(list)
        self.by_uid: dict[str, Device] = {}
        serials = {
            clean(number) for one in printed for number in (one.serial, *(sn for _, sn in one.members)) if number
        }
        keys = {name_key(one.hostname) for one in printed if one.hostname}
        devices = Device.objects.filter(account=account, removed_at=None).select_related("unit__virtual_account")
        sees = scope.virtual_account_ids(Permission.DEVICES_VIEW)
        if sees is not None:
            devices = devices.filter(unit__virtual_account__in=sees)
        found: dict[int, Device] = {}
        for name, values in (("serial", serials), ("name_key", keys), ("uid", set(choices.devices.values()) - {""})):
            for part in chunks(sorted(values), 500):
                found |= {device.pk: device for device in devices.filter(Q(**{f"{name}__in": part}))}
        for device in sorted(found.values(), key=lambda device: device.pk):
            if device.serial:
                self.by_serial[device.serial].append(device)
            self.by_name[device.name_key].append(device)
            self.by_uid[device.uid] = device
        gone = Device.objects.filter(account=account, removed_at__isnull=False, replaced_by__isnull=False)
        if sees is not None:
            gone = gone.filter(unit__virtual_account__in=sees)
        self.replaced: dict[str, Device] = {}
        for part in chunks(sorted(serials), 500):
            self.replaced |= {device.serial: device for device in gone.filter(serial__in=part)}
        self.registered = set(
            Instance.objects.filter(device__in=list(found), registration="registered").values_list("device", flat=True)
        )

    def find(self, printed: PrintedDevice) -> tuple[Device | None, str]:
        """The record, and by what it was found. Raises what makes it unusable."""
        candidates, matched = self._candidates(printed)
        if not candidates:
            failed = self.replaced.get(clean(printed.serial))
            if printed.serial and failed is not None and _same(failed, printed.product_id):
                raise device_replaced()
            return None, ""
        mine = [device for device in candidates if self._may(device)]
        if not mine:
            raise Forbidden(Permission.DEVICES_MANAGE)
        if len(mine) > 1:
            raise several_records(len(mine))
        if mine[0].pk in self.taken:
            raise BusinessError("printed_twice", 422, _("Another device of this text is the same record."))
        self.taken.add(mine[0].pk)
        return mine[0], matched

    def _candidates(self, printed: PrintedDevice) -> tuple[list[Device], str]:
        if chosen := self.choices.devices.get(printed.line, ""):
            if chosen not in self.by_uid:
                raise BusinessError("unknown_device", 422, _("This device is not in the account."))
            return [self.by_uid[chosen]], "chosen"
        own = [device for device in self.by_serial[clean(printed.serial)] if _same(device, printed.product_id)]
        if printed.serial and own:
            return own, "serial"
        for product_id, serial in printed.members:
            if found := [device for device in self.by_serial[clean(serial)] if _same(device, product_id)]:
                return found, "member"
        if not printed.hostname:
            return [], ""
        named = self.by_name[name_key(printed.hostname)]
        return [device for device in named if not device.serial or not printed.serial], "name"

    def _may(self, device: Device) -> bool:
        return self.manages is None or device.unit.virtual_account_id in self.manages


def _same(device: Device, product_id: str) -> bool:
    """Serial numbers are unique only within a product; where one side does not know the product, the number decides."""
    return not device.product_id or not product_id or name_key(device.product_id) == name_key(product_id)


def nothing_printed() -> BusinessError:
    return BusinessError(
        "nothing_printed", 422,
        _("No output of licenses was found in this text. Paste what the device prints on “show license all”, say."),
    )  # fmt: skip


def unknown_printed(label: str) -> BusinessError:
    return BusinessError(
        "unknown_printed_license", 422,
        _("“%(license)s” is not in the catalog. Choose the license that it is, or leave it out."),
        license=label[:200],
    )  # fmt: skip


def unread_line(text: str) -> BusinessError:
    return BusinessError("line_unread", 422, _("This line could not be read: %(text)s"), text=text[:120])


def unnamed_device() -> BusinessError:
    return BusinessError(
        "unnamed_device", 422,
        _("This output names no device. Choose the device, or paste “show license udi” or “show version” with it."),
    )  # fmt: skip


def several_records(count: int) -> BusinessError:
    return BusinessError(
        "several_records", 422,
        _("%(count)s records are this device. Choose one, or remove the others first."), count=count,
    )  # fmt: skip
