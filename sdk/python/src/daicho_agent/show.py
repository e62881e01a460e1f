"""The status as text, in the form of `show license all` and `show license summary` that network tools already read."""

from __future__ import annotations

import dataclasses
import json
import time

from daicho_agent.grants import Grant
from daicho_agent.status import Status
from daicho_agent.version import VERSION

NONE = "<none>"
# The words of those commands for ours; a tool that reads them expects no others.
AUTHORIZATION = {
    "none": "No Licenses in Use",
    "evaluation": "EVAL MODE",
    "evaluation_expired": "EVAL EXPIRED",
    "authorized": "AUTHORIZED",
    "out_of_compliance": "OUT OF COMPLIANCE",
    "authorization_expired": "AUTHORIZATION EXPIRED",
    "reserved": "AUTHORIZED - RESERVED",
}
LICENSE = {
    "authorized": "AUTHORIZED",
    "short": "OUT OF COMPLIANCE",
    "reserved": "AUTHORIZED - RESERVED",
    "evaluation": "EVAL MODE",
    "evaluation_expired": "EVAL EXPIRED",
    "authorization_expired": "AUTHORIZATION EXPIRED",
    "refused": "NOT AUTHORIZED",
    "waiting": "WAITING",
}


def all_text(status: Status) -> str:
    """Everything, as `show license all` prints it."""
    lines = [
        *_title("Smart Licensing Status"),
        "",
        "Smart Licensing is ENABLED",
        "",
        "Registration:",
        f"  Status: {status.registration.upper()}",
    ]
    if status.registration != "unregistered":
        lines += [
            f"  Initial Registration: SUCCEEDED on {_moment(status.registered_at)}",
            "  Last Renewal Attempt: None",
            f"  Next Renewal Attempt: {_moment(status.renew_from)}",
            f"  Registration Expires: {_moment(status.certificate_until)}",
        ]
    lines += ["", "License Authorization: ", f"  Status: {_authorization(status)}"]
    if status.authorization.startswith("evaluation"):
        lines.append(f"  Evaluation Period Remaining: {_span(status.evaluation_left)}")
    if status.registration != "unregistered":
        attempt = "FAILED" if status.last_error else "SUCCEEDED"
        lines += [
            f"  Last Communication Attempt: {attempt} on {_moment(status.last_attempt)}",
            *([f"    Failure reason: {' '.join(status.last_error.split())}"] if status.last_error else []),
            f"  Next Communication Attempt: {_moment(status.next_contact)}",
            f"  Communication Deadline: {_moment(status.deadline)}",
        ]
    lines += ["", *_title("License Usage"), ""]
    for one in status.licenses:
        lines += [*_license(one), ""]
    if not status.licenses:
        lines += ["No licenses in use", ""]
    lines += [*_title("Product Information"), f"UDI: PID:{status.product_id or NONE},SN:{status.serial or NONE}", ""]
    lines += [*_title("Agent Version"), f"Smart Agent for Licensing: daicho-agent/{VERSION}"]
    return "\n".join(lines) + "\n"


def summary_text(status: Status) -> str:
    """The licenses alone, as `show license summary` prints them."""
    wide = max([23, *(len(one.tag) for one in status.licenses)])
    head = f"  {'License':{wide}} {'Entitlement Tag':{wide + 6}} Count Status"
    lines = ["License Usage:", head, "  " + "-" * (len(head) + 4)]
    for one in status.licenses:
        used = "IN USE" if one else "NOT IN USE"
        lines.append(f"  {one.tag:{wide}} {f'({one.tag})':{wide + 6}} {one.wanted:5} {used}")
    return "\n".join(lines) + "\n"


def json_text(status: Status) -> str:
    """Everything for programs: codes, and seconds since 1970 by the server's clock."""
    return json.dumps(dataclasses.asdict(status), ensure_ascii=False, indent=2) + "\n"


def _title(text: str) -> list[str]:
    return [text, "=" * len(text)]


def _authorization(status: Status) -> str:
    word = AUTHORIZATION.get(status.authorization, status.authorization.upper())
    settled = status.authorization in {"authorized", "out_of_compliance", "reserved", "authorization_expired"}
    return f"{word} on {_moment(status.authorized_at)}" if settled else word


def _license(one: Grant) -> list[str]:
    return [
        f"{one.tag} ({one.tag}):",
        f"  Description: {one.tag}",
        f"  Count: {one.wanted}",
        "  Version: 1.0",
        f"  Status: {LICENSE.get(one.status, one.status.upper())}",
    ]


def _moment(seconds: float) -> str:
    return time.strftime("%b %d %H:%M:%S %Y UTC", time.gmtime(seconds)) if seconds else NONE


def _span(seconds: float) -> str:
    minutes = int(seconds) // 60
    days, rest = divmod(minutes, 24 * 60)
    return f"{days} days, {rest // 60} hours, {rest % 60} minutes, {int(seconds) % 60} seconds"
