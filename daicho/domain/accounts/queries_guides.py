"""The operator's guides, and where a person stands in the first-run tour (S24)."""

from __future__ import annotations

from dataclasses import dataclass

from daicho.core.actor import Actor
from daicho.core.errors import NotFound
from daicho.domain.access.models import Preference
from daicho.domain.access.policy import ensure_operator, ensure_signed_in
from daicho.domain.access.rules import OperatorPermission
from daicho.domain.accounts.models import Guide

TOUR_KEY = "tour"
TOUR_STEPS = ("agreement", "people", "virtual_accounts", "licenses", "notices")


def guides(language: str) -> tuple[list[Guide], list[Guide]]:
    """Main guides and supplementary ones; each list begins with those in the reader's language."""
    found = sorted(
        Guide.objects.all()[:500], key=lambda one: (not language.startswith(one.language), one.position, one.title)
    )
    return [one for one in found if one.is_main], [one for one in found if not one.is_main]


def guides_for_operator(actor: Actor) -> list[Guide]:
    """All guides in the order in which they are shown."""
    ensure_operator(actor, OperatorPermission.GUIDES)
    return list(Guide.objects.order_by("-is_main", "position", "title")[:500])


def guide_for_operator(actor: Actor, uid: str) -> Guide:
    """One guide, to be changed."""
    ensure_operator(actor, OperatorPermission.GUIDES)
    found = Guide.objects.filter(uid=uid).first()
    if found is None:
        raise NotFound
    return found


@dataclass(frozen=True)
class Tour:
    """The steps that a person has ticked, and whether he wants to see the tour."""

    done: frozenset[str]
    hidden: bool

    @property
    def is_over(self) -> bool:
        return self.done >= set(TOUR_STEPS)


def tour_of(actor: Actor) -> Tour:
    """Where the person stands in the tour."""
    user = ensure_signed_in(actor)
    kept = Preference.objects.filter(user=user, key=TOUR_KEY).first()
    value = kept.value if kept else {}
    return Tour(frozenset(value.get("done", [])), bool(value.get("hidden")))
