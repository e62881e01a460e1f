"""How an opening reads to its requester: states, reasons, what happens next, until when."""

from __future__ import annotations

from typing import Any

from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from daicho.domain.accounts import rules
from daicho.domain.accounts.countries import country_name
from daicho.domain.accounts.queries_openings import address_lines
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal import words

STEP_TITLES = {
    1: gettext_lazy("Company"),
    2: gettext_lazy("Authority"),
    3: gettext_lazy("Account"),
    4: gettext_lazy("Head office address"),
    5: gettext_lazy("Check"),
}
STATES = {
    rules.DRAFT: ("neutral", gettext_lazy("Draft")),
    rules.HELD: ("waiting", gettext_lazy("On hold")),
    rules.AWAITING_APPROVER: ("waiting", gettext_lazy("Waiting for the approver")),
    rules.AWAITING_ACTIVATION: ("waiting", gettext_lazy("Waiting for activation")),
    rules.ACTIVE: ("in_compliance", gettext_lazy("Active")),
    rules.DECLINED: ("ended", gettext_lazy("Declined")),
    rules.LAPSED: ("neutral", gettext_lazy("Lapsed")),
}
REASONS = {
    rules.REQUESTER_NOT_MATCHING: gettext_lazy("The domain identifier differs from the domain of your mail address."),
    rules.APPROVER_NOT_MATCHING: gettext_lazy("The approver's mail address is not in the domain."),
    rules.SUBDOMAIN_CONFLICT: gettext_lazy("There is an account or a request for a domain above or beside this one."),
}
ACCOUNT_STATES = {
    "provisional": ("waiting", gettext_lazy("Opened provisionally")),
    "active": ("in_compliance", gettext_lazy("Active")),
    "suspended": ("ended", gettext_lazy("Suspended")),
    "closed": ("neutral", gettext_lazy("Closed")),
}


def state_look(state: str) -> kit.State:
    code, word = STATES[state]
    return kit.State(code, text=word)


def account_look(state: str) -> kit.State:
    code, word = ACCOUNT_STATES[state]
    return kit.State(code, text=word)


def reasons(opening: Any) -> list[str]:
    """Why it is held, as far as the requester may know."""
    return [str(REASONS[code]) for code in rules.reasons_shown(opening.held_for)]


def moment(instant: Any) -> str:
    return words.datetime(instant) if instant else ""


def next_step(opening: Any) -> str:
    """What happens next, by whom, and until when, in one or two sentences."""
    until = {"until": moment(opening.link_expires_at), "email": opening.approver_email, "own": opening.requester.email}
    if opening.state == rules.DRAFT:
        return _("Fill in the rest and continue. What you typed is kept for 30 days.")
    if opening.state == rules.HELD and opening.answered_at:
        return _("The operator checks your answer, usually within 2 business days, and mails you the result.")
    if opening.state == rules.HELD and not opening.link_expires_at:
        return _("The operator checks your request and mails you the result.")
    if opening.state == rules.HELD:
        return _("Answer the question in the mail we sent to %(own)s, by %(until)s.") % until
    if opening.state == rules.AWAITING_APPROVER:
        return _("The approver (%(email)s) decides by the link in the mail, until %(until)s.") % until
    if opening.state == rules.AWAITING_ACTIVATION:
        return _("Open the link in the mail we sent to %(own)s and press the button there, until %(until)s.") % until
    if opening.state == rules.ACTIVE:
        return _("The account is open. Next, one of you accepts the account agreement.")
    if opening.state == rules.DECLINED:
        return _("Nothing happens any more. If you do not agree, ask the support desk.")
    return _("Nothing happens any more. You can ask again; what you entered is carried over.")


def may_resend(opening: Any) -> bool:
    return opening.state in rules.TAKING or (opening.state == rules.HELD and not opening.answered_at)


def road(opening: Any) -> list[kit.Step]:
    """The states of this request as a road: what is behind, where it stands, what comes."""
    states = [rules.DRAFT, *([rules.HELD] if opening.held_at else [])]
    if opening.is_representative is False:
        states.append(rules.AWAITING_APPROVER)
    states += [rules.AWAITING_ACTIVATION, rules.ACTIVE]
    if opening.state not in states:
        return []
    at = states.index(opening.state)
    look = [
        "done" if i < at or opening.state == rules.ACTIVE else "current" if i == at else "later"
        for i in range(len(states))
    ]
    return [kit.Step(STATES[state][1], look[i]) for i, state in enumerate(states)]


def region_and_city(row: Any) -> str:
    """“California San Jose”, and 「東京都千代田区」 in Japan."""
    return ("" if row.country == "JP" else " ").join(filter(None, (row.region, row.city)))


def address(row: Any) -> str:
    """A head office address in one line, in the order of its country's custom."""
    if row.country == "JP":
        code = f"〒{row.postal_code}" if row.postal_code else ""
        return " ".join(filter(None, (code, f"{row.region}{row.city}{row.street}", row.building)))
    lines = address_lines(row)
    return ", ".join([*lines[1:], *lines[:1], country_name(row.country, get_language() or "en")])


def request_facts(opening: Any) -> list[kit.Fact]:
    approver = words.named(opening.approver_name, opening.approver_email)
    return [
        kit.Fact(_("Domain identifier"), opening.identifier),
        kit.Fact(_("Account name"), opening.account_name),
        kit.Fact(_("Head office address"), address(opening)),
        kit.Fact(_("Telephone"), opening.phone),
        kit.Fact(_("Approver"), _("Yourself") if opening.is_representative else approver),
        kit.Fact(_("Started"), moment(opening.created_at)),
    ]


def check_sections(opening: Any) -> list[dict[str, Any]]:
    """The check page: everything entered, with the way back to each step."""
    approver = words.named(opening.approver_name, opening.approver_email)
    authority = _("You are authorized to represent the company.") if opening.is_representative else approver
    return [
        {"step": "authority", "title": STEP_TITLES[2], "facts": [(_("Authority"), authority)]},
        {
            "step": "account",
            "title": STEP_TITLES[3],
            "facts": [(_("Domain identifier"), opening.identifier), (_("Account name"), opening.account_name)],
        },
        {
            "step": "address",
            "title": STEP_TITLES[4],
            "facts": [(_("Head office address"), address(opening)), (_("Telephone"), opening.phone)],
        },
    ]


def outcome(standing: Any, opening: Any) -> str:
    """What pressing the button leads to."""
    if standing is not None and standing.code == "held":
        return _("The request is put on hold to be checked, and we ask you for the reason by mail.")
    if opening.is_representative is False:
        return _(
            "The domain is yours from now on. The approver gets a mail; after the approval you get the activation link."
        )
    return _("The account is opened provisionally. You get a mail with the activation link at once.")


def after_continue(state: str) -> str:
    if state == rules.HELD:
        return _("The request is on hold. We have sent you a mail that asks for the reason.")
    if state == rules.AWAITING_APPROVER:
        return _("The account is opened provisionally. The approver has been asked by mail.")
    return _("The account is opened provisionally. Open the link in the mail to activate it.")
