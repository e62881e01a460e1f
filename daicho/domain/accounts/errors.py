"""What openings and agreements refuse, each with its stable code (virtual accounts raise theirs where they stand)."""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext_lazy as _

from daicho.core.errors import BusinessError, FieldErrors


def identifier_not_domain(entered: str) -> BusinessError:
    return BusinessError(
        "identifier_not_domain",
        422,
        _("“%(entered)s” is not a domain. Enter one such as example.co.jp."),
        entered=entered,
    )


def identifier_is_suffix(domain: str) -> BusinessError:
    return BusinessError(
        "identifier_is_suffix",
        422,
        _("Nobody owns %(domain)s: it is the common ending of many domains. Enter the domain of your company."),
        domain=domain,
    )


def identifier_is_mail_service(domain: str) -> BusinessError:
    return BusinessError(
        "identifier_is_mail_service",
        422,
        _("%(domain)s is a mail service that anybody can use. Enter the domain of your company."),
        domain=domain,
    )


def free_mail_domain(domain: str) -> BusinessError:
    return BusinessError(
        "free_mail_domain",
        422,
        _(
            "%(domain)s is a free or personal mail service. Accounts are opened with a company address: sign up with yours."
        ),
        domain=domain,
    )


def throw_away_mail_domain(domain: str) -> BusinessError:
    return BusinessError(
        "throw_away_mail_domain",
        422,
        _("%(domain)s gives out throw-away addresses. Accounts are opened with a company address: sign up with yours."),
        domain=domain,
    )


def mail_not_confirmed() -> BusinessError:
    return BusinessError("mail_not_confirmed", 403, _("Confirm your mail address first: open the link we sent you."))


def domain_taken(identifier: str) -> BusinessError:
    """For who matches the identifier, and for the operator; everybody else is held instead."""
    return BusinessError(
        "domain_taken",
        409,
        _("%(identifier)s already has an account. Request access from its administrators."),
        identifier=identifier,
    )


def being_opened(identifier: str, by: str, since: dt.datetime, link_ended: bool) -> BusinessError:
    """For a colleague who matches: who opens the account already, since when, and whether it may be taken over."""
    return BusinessError(
        "domain_being_opened",
        409,
        _(
            "%(by)s is already opening the account of %(identifier)s. Ask to be added, or wait until that link has ended."
        ),
        identifier=identifier,
        by=by,
        since=since.isoformat(),
        may_take_over=link_ended,
    )


def not_in_state(state: str) -> BusinessError:
    return BusinessError(
        "opening_not_in_state",
        409,
        _("This request has moved on (it is now “%(state)s”), so this can no longer be done. Look at its page."),
        state=state,
    )


def too_many_open() -> BusinessError:
    return BusinessError(
        "too_many_openings", 409, _("You have 3 open requests. Finish or withdraw one before you start another.")
    )


def too_many_held() -> BusinessError:
    return BusinessError(
        "too_many_held", 429, _("Too many requests for this domain are being checked today. Try again tomorrow.")
    )


def link_unusable() -> BusinessError:
    return BusinessError(
        "link_unusable",
        404,
        _("This link was used, has ended, or a newer mail replaced it. Use the newest mail, or have a new one sent."),
    )


def link_just_sent() -> BusinessError:
    return BusinessError(
        "link_just_sent", 429, _("A mail was sent less than 5 minutes ago. Wait for it, then try again.")
    )


def approver_is_requester() -> BusinessError:
    return BusinessError(
        "approver_is_requester", 422, _("Name somebody else: you cannot be the approver of your own request.")
    )


def not_the_approver(email: str) -> BusinessError:
    return BusinessError(
        "not_the_approver", 403, _("Log in with the address this mail was sent to (%(email)s) to decide."), email=email
    )


def unknown_postal_code(code: str) -> BusinessError:
    return BusinessError(
        "unknown_postal_code",
        422,
        _("There is no postal code %(postal_code)s in Japan. Check the seven digits."),
        postal_code=code,
    )


def office_postal_code(code: str, ordinary: str | None, candidates: list[dict[str, str]]) -> BusinessError:
    """S14: codes of single offices are refused, with what to use instead."""
    message = (
        _("%(postal_code)s belongs to a single office. Use the area's postal code %(ordinary)s instead?")
        if ordinary
        else _("%(postal_code)s belongs to a single office. Choose the postal code of the area from the list.")
    )
    return BusinessError(
        "office_postal_code", 422, message, postal_code=code, ordinary=ordinary or "", candidates=candidates
    )


def required() -> BusinessError:
    return BusinessError("required", 422, _("This is needed."))


def too_long(limit: int) -> BusinessError:
    return BusinessError("too_long", 422, _("At most %(limit)s characters."), limit=limit)


def not_a_name() -> BusinessError:
    return BusinessError("not_a_name", 422, _("Enter the company's name in letters."))


def unknown_country() -> BusinessError:
    return BusinessError("unknown_country", 422, _("Choose a country from the list."))


def not_an_address() -> BusinessError:
    return BusinessError("not_an_address", 422, _("This is not a mail address."))


def choose_one() -> BusinessError:
    return BusinessError("choose_one", 422, _("Choose one of the two."))


def contest_open() -> BusinessError:
    return BusinessError(
        "contest_open", 409, _("You have already told the operator about this domain. The answer comes by mail.")
    )


def agreement_not_next(version: int) -> BusinessError:
    return BusinessError(
        "agreement_not_next",
        409,
        _("Accept version %(version)s first: it is the next one that waits."),
        version=version,
    )


def agreement_already_accepted() -> BusinessError:
    return BusinessError("agreement_already_accepted", 409, _("This version is accepted already."))


def effective_in_the_past() -> BusinessError:
    return BusinessError(
        "effective_in_the_past", 422, _("The version cannot come into force in the past, nor before the last one.")
    )


def effective_too_late() -> BusinessError:
    return BusinessError("effective_too_late", 422, _("A version comes into force within ten years."))


def unknown_time_zone() -> BusinessError:
    return BusinessError("unknown_time_zone", 422, _("Choose a time zone from the list."))


def not_a_link() -> BusinessError:
    return BusinessError("not_a_link", 422, _("Enter an address that begins with https://."))


def not_between(lowest: int, highest: int) -> BusinessError:
    return BusinessError(
        "not_between", 422, _("Enter a number from %(lowest)s to %(highest)s."), lowest=lowest, highest=highest
    )


def columns_missing(names: list[str]) -> BusinessError:
    return BusinessError(
        "columns_missing", 422, _("The file lacks the columns %(columns)s in its first row."), columns=", ".join(names)
    )


def twice_in_file() -> BusinessError:
    return BusinessError("twice_in_file", 422, _("This domain stands in the file twice."))


def field(name: str, error: BusinessError) -> FieldErrors:
    """One field that cannot be taken."""
    return FieldErrors({name: error})
