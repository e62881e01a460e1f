"""Pure rules of the nouns every row points to: domains that match, names that are good (product.md, Opening, VA)."""

from __future__ import annotations

import unicodedata

import idna
from django.utils.translation import gettext_lazy as _

from daicho.core.errors import BusinessError
from daicho.core.text import clean, name_key, tidy

NAME_LENGTH = 100
NAME_KEY_LENGTH = 200
DESCRIPTION_LENGTH = 500
MAX_DEPTH = 8
MAX_TAGS = 20
TAG_LENGTH = 50
PATH_SEPARATOR = " / "


def ascii_domain(text: str) -> str:
    """A domain as it is compared and stored: NFKC, lower case, no dot at the end, IDN as A-label (RFC 5891).

    What cannot be encoded comes back as it is, only in lower case: it will match nothing.
    """
    domain = clean(text).lower().strip(".")
    try:
        return idna.encode(domain, uts46=True).decode() if domain else ""
    except idna.IDNAError:
        return domain


def normal_address(text: str) -> str:
    """A mail address as it is compared and stored: NFKC, lower case, its domain as A-label."""
    local, _at, domain = clean(text).lower().rpartition("@")
    return f"{local}@{ascii_domain(domain)}" if local else clean(text).lower()


def domain_matches(identifier: str, mail_domain: str) -> bool:
    """Does a mail domain belong to an identifier: it is the identifier or lies below it."""
    domain, wanted = ascii_domain(mail_domain), ascii_domain(identifier)
    return bool(domain) and (domain == wanted or domain.endswith(f".{wanted}"))


def domains_above(mail_domain: str) -> list[str]:
    """The domain itself and every domain above it, nearest first: the identifiers that it can belong to."""
    labels = ascii_domain(mail_domain).split(".")
    return [".".join(labels[start:]) for start in range(len(labels)) if labels[start]]


def clean_name(text: str) -> str:
    """A virtual account's name as it is kept: as typed, 1–100 characters, any sign but control characters.

    Raises `name_missing`, `name_too_long`, `name_has_control_characters` (422).
    """
    name = " ".join(text.split())
    if not name:
        raise BusinessError("name_missing", 422, _("Enter a name."))
    if len(tidy(name)) > NAME_LENGTH or len(name_key(name)) > NAME_KEY_LENGTH:
        raise BusinessError("name_too_long", 422, _("Enter a name of at most %(limit)d characters."), limit=NAME_LENGTH)
    if any(unicodedata.category(sign) in {"Cc", "Cs", "Co", "Cn"} for sign in name):
        raise BusinessError("name_has_control_characters", 422, _("The name holds characters that cannot be shown."))
    return tidy(name)


def clean_tags(texts: list[str]) -> list[str]:
    """Tags as they are kept: trimmed, each once whatever its case, 20 at most, 50 characters each.

    Raises `too_many_tags`, `tag_too_long` (422).
    """
    found: dict[str, str] = {}
    for text in texts:
        tag = tidy(text)
        if tag:
            found.setdefault(name_key(tag), tag)
    if len(found) > MAX_TAGS:
        raise BusinessError("too_many_tags", 422, _("Enter at most %(limit)d tags."), limit=MAX_TAGS)
    for tag in found.values():
        if max(len(tag), len(name_key(tag))) > TAG_LENGTH:
            raise BusinessError("tag_too_long", 422, _("Enter tags of at most %(limit)d characters."), limit=TAG_LENGTH)
    return list(found.values())
