"""The command line: each command one act of the agent. Exit codes stand in README.md."""

from __future__ import annotations

import argparse
import dataclasses
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from daicho_agent import device, show
from daicho_agent.agent import Agent, Identity
from daicho_agent.daemon import Daemon
from daicho_agent.errors import AgentError
from daicho_agent.grants import Grant
from daicho_agent.version import VERSION
from daicho_agent.words import say

REFUSED = 4
USAGE = 2


def main(arguments: Sequence[str] | None = None, *, agent: Agent | None = None) -> int:
    """Run one command and return its exit code; `agent` is given by tests."""
    options = _parser().parse_args(arguments)
    agent = agent or Agent.open(options.state)
    try:
        return int(options.act(agent, options))
    except AgentError as problem:
        print(f"daicho-agent: {problem}", file=sys.stderr)
        return problem.exit_code
    except BrokenPipeError:
        sys.stderr.close()
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="daicho-agent", description="The device side of Daicho.")
    parser.add_argument("--state", metavar="FILE", help="the state file (also DAICHO_AGENT_STATE)")
    parser.add_argument("--version", action="version", version=f"daicho-agent {VERSION}")
    acts = parser.add_subparsers(required=True, metavar="COMMAND")

    register = acts.add_parser("register", help="register this device with a token")
    register.set_defaults(act=_register)
    register.add_argument("--server", default=os.environ.get("DAICHO_SERVER"), help="https://… (also DAICHO_SERVER)")
    register.add_argument("--token", help="the token; better --token-file, or DAICHO_TOKEN: others see this line")
    register.add_argument("--token-file", metavar="FILE", help="a file with the token; - reads it from the input")
    register.add_argument("--product-id", help="default: as the board says")
    register.add_argument("--serial", help="default: as the board says")
    register.add_argument("--name", default="", help="default: the host's name")
    register.add_argument("--software", metavar="NAME/VERSION", help="default: the operating system")
    register.add_argument("--ca-file", metavar="FILE", help="certificates of a private authority (PEM)")
    register.add_argument("--pin", default="", help="thumbprint of the server's first key, if it was told to you")
    register.add_argument("--new-identity", action="store_true", help="forget the present key: this is a copy")

    status = acts.add_parser("status", help="what this device has, and when it has to do what")
    status.set_defaults(act=_status)
    form = status.add_mutually_exclusive_group()
    form.add_argument("--summary", action="store_true", help="only the licenses")
    form.add_argument("--json", action="store_true", help="for programs")

    use = acts.add_parser("use", help="use so many of a license, in all")
    use.set_defaults(act=_use)
    use.add_argument("tag", help="regid or SKU")
    use.add_argument("quantity", type=_quantity, nargs="?", default=1)

    release = acts.add_parser("release", help="give a license back")
    release.set_defaults(act=_release)
    which = release.add_mutually_exclusive_group(required=True)
    which.add_argument("tag", nargs="?")
    which.add_argument("--all", action="store_true")

    renew = acts.add_parser("renew", help="contact the server now")
    renew.set_defaults(act=_renew)
    renew.add_argument("--certificate", action="store_true", help="renew the certificate and the keys, too")
    renew.add_argument(
        "--resume", action="store_true", help="this device was set back, and is the only one of its kind"
    )

    deregister = acts.add_parser("deregister", help="give everything back and leave")
    deregister.set_defaults(act=_deregister)
    deregister.add_argument("--yes", action="store_true", help="do not ask")

    daemon = acts.add_parser("daemon", help="run as a service")
    daemon.set_defaults(act=_daemon)
    return parser


def _register(agent: Agent, options: argparse.Namespace) -> int:
    token = _token(options)
    if not options.server or not token:
        return _misused("register needs --server and a token (--token-file, DAICHO_TOKEN or --token)")
    product_id = options.product_id or device.product_id()
    serial = options.serial or device.serial()
    if not product_id or not serial:
        return _misused("This computer does not say what it is. Give --product-id and --serial.")
    name, version = device.software()
    if options.software:
        name, _, version = options.software.partition("/")
    identity = Identity(product_id, serial, options.name, name, version)
    ca_file = str(Path(options.ca_file).resolve()) if options.ca_file else ""
    status = agent.register(
        options.server, token, identity, ca_file=ca_file, pin=options.pin, new_identity=options.new_identity
    )
    text = "Registered as {instance}: {product_id}, {serial}."
    print(say(text, instance=status.instance, product_id=status.product_id, serial=status.serial))
    return 0


def _token(options: argparse.Namespace) -> str:
    if options.token_file == "-":  # noqa: S105  the name of a file
        return sys.stdin.readline().strip()
    if options.token_file:
        try:
            return Path(options.token_file).read_text(encoding="utf-8").strip()
        except OSError as problem:
            text = "The file {path} cannot be read: {reason}"
            raise AgentError("file_unreadable", text, path=options.token_file, reason=problem.strerror) from problem
    return str(options.token or os.environ.get("DAICHO_TOKEN", "")).strip()


def _status(agent: Agent, options: argparse.Namespace) -> int:
    status = agent.status()
    text = show.json_text if options.json else show.summary_text if options.summary else show.all_text
    print(text(status), end="")
    if status.problem:
        print(f"daicho-agent: {_problem(status.problem)}", file=sys.stderr)
    return 0


def _use(agent: Agent, options: argparse.Namespace) -> int:
    grant = agent.use(options.tag, options.quantity)
    print(_told(grant), file=sys.stdout if grant else sys.stderr)
    return 0 if grant else REFUSED


def _release(agent: Agent, options: argparse.Namespace) -> int:
    agent.release(options.tag)
    return 0


def _renew(agent: Agent, options: argparse.Namespace) -> int:
    status = agent.renew(resume=options.resume, certificate=options.certificate)
    for grant in status.licenses:
        print(_told(grant))
    return 0 if all(status.licenses) else REFUSED


def _deregister(agent: Agent, options: argparse.Namespace) -> int:
    if not options.yes:
        if not sys.stdin.isatty():
            return _misused("deregister needs --yes when nobody can be asked")
        if input(say("Give all licenses back and leave? [y/N] ")).strip().lower() not in {"y", "yes"}:
            return USAGE
    agent.deregister()
    print(say("Deregistered."))
    return 0


def _daemon(agent: Agent, options: argparse.Namespace) -> int:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
    Daemon(agent).run()
    return 0


def _quantity(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(say("at least 1; to give back, release"))
    return number


TOLD = {
    "authorized": "{tag}: {quantity} authorized.",
    "short": "{tag}: {quantity} in use, but {missing} more than there are. Your license administrator is told.",
    "reserved": "{tag}: {quantity} reserved for this device.",
    "evaluation": "{tag}: {quantity} under evaluation, which ends after {days} more days of use.",
    "evaluation_expired": "{tag}: the evaluation has ended. Register this device.",
    "authorization_expired": "{tag}: the authorization has ended, because the server was not reached for too long.",
    "waiting": "{tag}: the server has not been asked yet, and the evaluation has ended.",
    "refused": "{tag}: refused ({code}).",
}
PROBLEMS = {
    "sequence_used": "Another device uses the identity of this one. See: daicho-agent renew",
    "instance_removed": "This device was removed. Register it again with a token.",
    "instance_replaced": "Another device took the place of this one; it will not be answered any more.",
    "unknown_instance": "The server does not know this device. Register it again with a token.",
    "bad_signature": "The server does not accept this device's key. Register it again with a token.",
}


def _told(grant: Grant) -> str:
    days = int(grant.seconds_left // 86_400)
    text = say(TOLD[grant.status], **dataclasses.asdict(grant), days=days)
    if grant.status == "refused" and grant.missing:
        text += say(" {missing} are missing.", missing=grant.missing)
    return text


def _problem(code: str) -> str:
    return say(PROBLEMS.get(code, code))


def _misused(text: str) -> int:
    print(f"daicho-agent: {say(text)}", file=sys.stderr)
    return USAGE


if __name__ == "__main__":
    sys.exit(main())
