"""`daicho devices`: write devices down from a file, assign licenses to them and release them."""

from __future__ import annotations

import argparse
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from daicho.interfaces.cli.actor import console_actor
from daicho.interfaces.cli.output import Subparsers, add_json, answer, read_input

if TYPE_CHECKING:
    from daicho.domain.devices.models import Device


def register(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser("devices", help=_("register devices of an account and assign licenses to them"))
    acts = parser.add_subparsers(metavar="act", required=True)
    imports = acts.add_parser("import", help=_("register the devices of a file: all rows, or none"))
    imports.add_argument("file", type=Path, help=_("CSV or XLSX: name, product_id, serial, virtual_account, note"))
    imports.add_argument("--dry-run", action="store_true", help=_("say what would happen, write nothing"))
    imports.set_defaults(run=import_file)
    printed = acts.add_parser("import-printed", help=_("take over what devices print: show license …"))
    printed.add_argument("file", type=Path, help=_("what devices printed, or the log of a terminal"))
    printed.add_argument("--virtual-account", default="", metavar="NAME", help=_("where new devices are registered"))
    printed.add_argument(
        "--license",
        action="append",
        default=[],
        metavar="KEY=SKU",
        help=_("what a printed license is; KEY= leaves it out"),
    )
    printed.add_argument("--leave-out-unknown", action="store_true", help=_("leave out what is not in the catalog"))
    printed.add_argument("--accept-unread", action="store_true", help=_("import although lines could not be read"))
    printed.add_argument(
        "--absent-to-zero", action="store_true", help=_("set to 0 what a device uses here and did not print")
    )
    printed.add_argument("--dry-run", action="store_true", help=_("say what would happen, write nothing"))
    printed.set_defaults(run=import_printed)
    assign = acts.add_parser("assign", help=_("assign spare licenses to a device"))
    assign.set_defaults(run=assign_licenses)
    release = acts.add_parser("release", help=_("release licenses of a device"))
    release.set_defaults(run=release_licenses)
    replace = acts.add_parser("replace", help=_("let another device take the place of a failed one"))
    replace.add_argument("device", help=_("the handle of the failed device"))
    replace.add_argument("--by", default="", metavar="HANDLE", help=_("a device that is registered already"))
    replace.add_argument("--serial", default="", help=_("the serial number of a new one"))
    replace.add_argument("--product-id", default="", help=_("its product ID"))
    replace.add_argument("--name", default="", help=_("its name, if it shall not be called like the failed one"))
    replace.add_argument("--memo", default="", help=_("why, or the number of the case"))
    replace.set_defaults(run=replace_failed)
    tokens = acts.add_parser("issue-token", help=_("issue a registration token and print it"))
    tokens.add_argument(
        "virtual_account", metavar="NAME", help=_("the virtual account in which devices register with it")
    )
    tokens.add_argument("--description", default="", help=_("what it is for"))
    tokens.add_argument("--days", type=int, default=30, help=_("days until it expires (30)"))
    tokens.add_argument("--uses", type=int, default=10, help=_("devices that may register with it (10)"))
    tokens.add_argument("--export-controlled", action="store_true", help=_("allow export-controlled licenses"))
    tokens.set_defaults(run=issue_token)
    revoke = acts.add_parser("revoke-token", help=_("revoke a registration token"))
    revoke.add_argument("token", help=_("the handle of the token"))
    revoke.set_defaults(run=revoke_one)
    for one in (assign, release):
        one.add_argument("device", help=_("the handle of the device"))
        one.add_argument("sku", help=_("the SKU of the license"))
        one.add_argument("quantity", type=int, help=_("how many"))
    for one in (imports, printed, assign, release, replace, tokens, revoke):
        one.add_argument("--account", required=True, metavar="DOMAIN", help=_("the domain identifier of the account"))
        add_json(one)


def import_file(arguments: argparse.Namespace) -> int:
    """Exit code 1 when a row is wrong; then nothing was written."""
    from daicho.domain.access.policy import find_account
    from daicho.domain.devices.commands.csv_import import create_devices_from_csv, read_device_file

    content = read_input(arguments.file)
    actor = console_actor()
    account = find_account(actor, arguments.account)
    found = read_device_file(actor, account=account, content=content)
    problems = [problem.plain() for problem in found.problems]
    if problems:
        lines = [_("row %(row)d, %(column)s: %(message)s") % problem for problem in problems]
        answer(arguments, {"created": 0, "errors": problems}, "\n".join(lines))
        return 1
    count = len(found.rows)
    if arguments.dry_run:
        text = ngettext("%(count)s device could be registered.", "%(count)s devices could be registered.", count)
        return answer(arguments, {"created": 0, "rows": count}, text % {"count": count})
    made = create_devices_from_csv(actor, account=account, content=content, request_id=uuid.uuid4())
    text = ngettext("%(count)s device was registered.", "%(count)s devices were registered.", count)
    return answer(arguments, {"created": len(made), "devices": [one.uid for one in made]}, text % {"count": count})


def import_printed(arguments: argparse.Namespace) -> int:
    """Exit code 1 when something stands in the way; then nothing was written."""
    from daicho.domain.access.policy import find_account
    from daicho.domain.access.queries_tree import virtual_account_named
    from daicho.domain.devices.commands.printed_import import import_printed_licenses
    from daicho.domain.devices.printed_plan import CREATE, Choices, plan_import

    content = read_input(arguments.file)
    actor = console_actor()
    account = find_account(actor, arguments.account)
    name = arguments.virtual_account
    place = virtual_account_named(actor, account, name) if name else None
    choices = Choices(
        licenses=dict(one.partition("=")[::2] for one in arguments.license),
        leave_out_unknown=arguments.leave_out_unknown, unread=arguments.accept_unread, absent=arguments.absent_to_zero,
    )  # fmt: skip
    plan = plan_import(actor, account=account, content=content, virtual_account=place, choices=choices)
    names = [{"key": one.printed.key, "name": one.printed.label, "sku": one.tag.sku if one.tag else None, "by": one.by,
              "used": one.used, "line": one.lines[0]} for one in plan.names]  # fmt: skip
    if plan.problems:
        problems = [problem.plain() for problem in plan.problems]
        lines = [_("row %(row)d, %(column)s: %(message)s") % problem for problem in problems]
        lines += [f"{one['key']}  {one['name']}" for one in names if one["by"] == "unknown"]
        answer(arguments, {"devices": [], "errors": problems, "names": names}, "\n".join(lines))
        return 1
    if arguments.dry_run:
        devices = [{"name": one.fields.name, "serial": one.fields.serial, "act": one.act,
                    "licenses": {line.tag.sku: [line.before, line.after] for line in one.lines}} for one in plan.devices]  # fmt: skip
    else:
        made = import_printed_licenses(
            actor, account=account, content=content, virtual_account=place, choices=choices, request_id=uuid.uuid4()
        )
        devices = made.answer
    count = sum(1 for one in devices if one["act"] == CREATE)
    told = ngettext("%(count)s device is new, %(known)s known.", "%(count)s devices are new, %(known)s known.", count)
    text = told % {"count": count, "known": len(devices) - count}
    return answer(arguments, {"devices": devices, "names": names}, text)


def assign_licenses(arguments: argparse.Namespace) -> int:
    from daicho.domain.devices.commands.licenses import assign_to_device

    return _use(arguments, assign_to_device, _("%(quantity)d %(sku)s assigned to %(device)s."))


def release_licenses(arguments: argparse.Namespace) -> int:
    from daicho.domain.devices.commands.licenses import release_from_device

    return _use(arguments, release_from_device, _("%(quantity)d %(sku)s released from %(device)s."))


def replace_failed(arguments: argparse.Namespace) -> int:
    from daicho.domain.access.policy import find_account
    from daicho.domain.continuity.commands.replacement import replace_device
    from daicho.domain.continuity.queries.replacement import NewDevice

    actor = console_actor()
    made = replace_device(
        actor, account=find_account(actor, arguments.account), failed_uid=arguments.device, memo=arguments.memo,
        successor=NewDevice(arguments.by, arguments.name, arguments.product_id, arguments.serial),
        request_id=uuid.uuid4(),
    )  # fmt: skip
    text = _("%(failed)s was replaced by %(device)s.")
    data = {"replacement": made.uid, "device": made.successor.uid, "moved": made.moved}
    return answer(arguments, data, text % {"failed": made.failed.name, "device": made.successor.name})


def issue_token(arguments: argparse.Namespace) -> int:
    from daicho.domain.access.policy import find_account
    from daicho.domain.access.queries_tree import virtual_account_named
    from daicho.domain.devices.commands.tokens import issue_tokens, show_token

    actor = console_actor()
    account = find_account(actor, arguments.account)
    place = virtual_account_named(actor, account, arguments.virtual_account)
    (made,) = issue_tokens(
        actor, account=account, virtual_accounts=[place], description=arguments.description, days=arguments.days,
        uses=arguments.uses, allows_export_controlled=arguments.export_controlled, request_id=uuid.uuid4(),
    )  # fmt: skip
    secret = show_token(actor, account=account, uid=made.uid)
    return answer(arguments, {"uid": made.uid, "token": secret}, secret)


def revoke_one(arguments: argparse.Namespace) -> int:
    from daicho.domain.access.policy import find_account
    from daicho.domain.devices.commands.tokens import revoke_token

    actor = console_actor()
    made = revoke_token(actor, account=find_account(actor, arguments.account), uid=arguments.token)
    return answer(arguments, {"uid": made.uid}, _("The token was revoked. Devices that registered with it stay."))


def _use(arguments: argparse.Namespace, command: Callable[..., Device], told: str) -> int:
    from daicho.core.text import name_key
    from daicho.domain.access.policy import find_account
    from daicho.domain.devices.commands.licenses import UseLine
    from daicho.domain.ledger.queries.sight import find_tag, look

    actor = console_actor()
    account = find_account(actor, arguments.account)
    tag = find_tag(look(actor, account), sku_key=name_key(arguments.sku))
    device = command(
        actor, account=account, device_uid=arguments.device, lines=[UseLine(tag, arguments.quantity)],
        request_id=uuid.uuid4(),
    )  # fmt: skip
    data = {"device": device.name, "sku": tag.sku, "quantity": arguments.quantity}
    return answer(arguments, data, told % data)
