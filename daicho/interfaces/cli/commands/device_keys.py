"""`daicho device-keys`: the keys with which the installation signs what devices are granted."""

from __future__ import annotations

import argparse

from django.utils.translation import gettext as _

from daicho.interfaces.cli.actor import console_actor
from daicho.interfaces.cli.output import Subparsers, add_json, answer


def register(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser("device-keys", help=_("show or rotate the keys that sign what devices are granted"))
    acts = parser.add_subparsers(metavar="act", required=True)
    show = acts.add_parser(
        "show", help=_("the keys, newest first; a device may be given the first thumbprint beforehand")
    )
    show.set_defaults(run=show_keys)
    rotate = acts.add_parser("rotate", help=_("make a new key known, which signs after the notice of the settings"))
    rotate.add_argument("--at-once", action="store_true", help=_("let it sign now, because the old one has leaked"))
    rotate.set_defaults(run=rotate_key)
    for one in (show, rotate):
        add_json(one)


def show_keys(arguments: argparse.Namespace) -> int:
    from daicho.domain.devices.signing import list_keys

    keys = list_keys(console_actor())
    rows = [{"version": key.version, "thumbprint": key.kid, "known_since": key.created_at.isoformat(),
             "signs_from": key.signs_from.isoformat(), "signs": key.is_signing} for key in keys]  # fmt: skip
    lines = [
        f"{'*' if row['signs'] else ' '} {row['version']:>3}  {row['thumbprint']}  {row['signs_from']}" for row in rows
    ]
    return answer(arguments, {"keys": rows}, "\n".join(lines))


def rotate_key(arguments: argparse.Namespace) -> int:
    from daicho.domain.devices.signing import rotate_keys

    made = rotate_keys(console_actor(), at_once=arguments.at_once)
    text = _("Key %(version)s signs from %(when)s.") % {"version": made.version, "when": made.signs_from.isoformat()}
    return answer(arguments, {"version": made.version, "thumbprint": made.kid}, text)
