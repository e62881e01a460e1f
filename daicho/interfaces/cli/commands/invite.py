"""`daicho invite IDENTIFIER MAIL --role ROLE`: offer somebody a role in an account by mail."""

from __future__ import annotations

import argparse

from django.utils.translation import gettext as _

from daicho.interfaces.cli.actor import console_actor
from daicho.interfaces.cli.output import Subparsers, add_json, answer


def register(subparsers: Subparsers) -> None:
    from daicho.domain.access.rules import Role

    parser = subparsers.add_parser("invite", help=_("invite somebody into an account by mail"))
    parser.add_argument("identifier", help=_("domain identifier of the account"))
    parser.add_argument("email", help=_("mail address of the person"))
    parser.add_argument("--role", choices=[role.value for role in Role], required=True, help=_("role that is offered"))
    parser.add_argument("--virtual-account", default="", help=_("name of the virtual account, for its roles"))
    parser.add_argument("--name", default="", help=_("name of the person"))
    parser.add_argument("--language", choices=["ja", "en"], default="ja", help=_("language of the mail"))
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from daicho.domain.access.commands.invitations import invite
    from daicho.domain.access.policy import find_account
    from daicho.domain.access.queries_tree import virtual_account_named

    actor = console_actor()
    account = find_account(actor, arguments.identifier)
    wanted = arguments.virtual_account
    made = invite(
        actor, account=account, email=arguments.email, role=arguments.role, name=arguments.name,
        language=arguments.language,
        virtual_account=virtual_account_named(actor, account, wanted) if wanted else None,
    )  # fmt: skip
    text = _("%(email)s is invited. The link works for 14 days.") % {"email": made.email}
    return answer(arguments, {"uid": made.uid, "email": made.email, "role": made.role}, text)
