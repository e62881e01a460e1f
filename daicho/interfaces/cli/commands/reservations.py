"""`daicho reservations`: list what is locked to offline devices, and carry their codes as files."""

from __future__ import annotations

import argparse
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from daicho.interfaces.cli.actor import console_actor
from daicho.interfaces.cli.output import Subparsers, add_json, answer, read_input


def register(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser("reservations", help=_("reserve licenses for devices without network"))
    acts = parser.add_subparsers(metavar="act", required=True)
    listing = acts.add_parser("list", help=_("the open reservations of an account"))
    listing.add_argument("--state", default="", help=_("unfinished, or one state"))
    listing.set_defaults(run=list_them)
    reserve = acts.add_parser("reserve", help=_("reserve all that a device asks for in its request file"))
    reserve.add_argument("file", type=Path, help=_("the request file of the device, or its code in a file"))
    reserve.add_argument(
        "--virtual-account", default="", metavar="NAME", help=_("where a device that is not known is registered")
    )
    reserve.add_argument("--memo", default="", help=_("memo: an approval number, say"))
    reserve.set_defaults(run=reserve_by_file)
    authorization = acts.add_parser("authorization", help=_("write the authorization file for the device"))
    authorization.add_argument("file", type=Path, help=_("where to write it"))
    authorization.set_defaults(run=write_authorization)
    confirm = acts.add_parser("confirm", help=_("take the confirmation code of the device"))
    confirm.set_defaults(run=confirm_one)
    back = acts.add_parser("return", help=_("take the return code of the device"))
    back.set_defaults(run=return_one)
    for one in (confirm, back):
        one.add_argument("file", type=Path, help=_("the file of the device, or its code in a file"))
    for one in (authorization, confirm, back):
        one.add_argument("reservation", help=_("the handle of the reservation"))
    for one in (listing, reserve, authorization, confirm, back):
        one.add_argument("--account", required=True, metavar="DOMAIN", help=_("the domain identifier of the account"))
        add_json(one)


def list_them(arguments: argparse.Namespace) -> int:
    """All of them, page by page."""
    from daicho.domain.access.policy import find_account
    from daicho.domain.devices.queries.reservations import list_reservations
    from daicho.domain.ledger.queries.sight import look

    actor = console_actor()
    sight, cursor, rows = look(actor, find_account(actor, arguments.account)), None, list[Any]()
    while True:
        page = list_reservations(sight, state=arguments.state, cursor=cursor, size=200, count=False)
        rows += page.rows
        cursor = page.next_cursor
        if cursor is None:
            break
    data = [
        {"uid": row.reservation.uid, "device": row.device.name, "serial": row.device.serial, "state": row.state,
         "since": row.reservation.state_since, "virtual_account": row.virtual_account.name,
         "licenses": [{"sku": line.tag.sku, "lot": line.lot.uid, "quantity": line.quantity} for line in row.lines]}
        for row in rows
    ]  # fmt: skip
    return answer(
        arguments, data, "\n".join("{uid}  {state:<10} {device}  {virtual_account}".format(**one) for one in data)
    )


def reserve_by_file(arguments: argparse.Namespace) -> int:
    from daicho.domain.access.policy import find_account
    from daicho.domain.access.queries_tree import virtual_account_named
    from daicho.domain.devices.commands.reservations import reserve_for_device
    from daicho.domain.devices.queries.reservations import read_asked

    actor = console_actor()
    account = find_account(actor, arguments.account)
    place = virtual_account_named(actor, account, arguments.virtual_account) if arguments.virtual_account else None
    asked = read_asked(actor, account, _text(arguments.file))
    made = reserve_for_device(
        actor,
        account=account,
        request=asked.request,
        virtual_account=place,
        memo=arguments.memo,
        request_id=uuid.uuid4(),
    )
    return answer(arguments, {"uid": made.uid, "state": str(made.state), "unknown": asked.unknown}, made.uid)


def write_authorization(arguments: argparse.Namespace) -> int:
    """The file may be written again at any time; from the first time on the reservation cannot be undone."""
    from daicho.domain.access.policy import find_account
    from daicho.domain.devices.commands.reservations import show_reservation_codes
    from daicho.domain.devices.queries.reservations import codes_from

    actor = console_actor()
    shown = show_reservation_codes(
        actor, account=find_account(actor, arguments.account), uid=arguments.reservation, request_id=uuid.uuid4()
    )
    codes = codes_from(shown)
    arguments.file.write_text(codes.file)
    return answer(arguments, {"number": codes.number, "code": codes.text}, codes.text or str(arguments.file))


def confirm_one(arguments: argparse.Namespace) -> int:
    from daicho.domain.devices.commands.reservation_steps import confirm_reservation

    return _bring_back(arguments, confirm_reservation)


def return_one(arguments: argparse.Namespace) -> int:
    from daicho.domain.devices.commands.reservation_steps import return_reserved

    return _bring_back(arguments, return_reserved)


def _bring_back(arguments: argparse.Namespace, command: Callable[..., Any]) -> int:
    from daicho.domain.access.policy import find_account

    actor = console_actor()
    done = command(
        actor, account=find_account(actor, arguments.account), uid=arguments.reservation, code=_text(arguments.file),
        request_id=uuid.uuid4(),
    )  # fmt: skip
    return answer(arguments, {"uid": done.uid, "state": str(done.state)}, str(done.state))


def _text(path: Path) -> str:
    return read_input(path).decode("utf-8", "replace")
