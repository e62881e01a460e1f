"""Documents and videos that the operator offers to customers (S24), and each person's way through the first tour."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator

from daicho.core.actor import Actor
from daicho.core.commands import command
from daicho.core.errors import BusinessError, FieldErrors, NotFound
from daicho.core.text import clean
from daicho.domain.access.models import Preference
from daicho.domain.access.policy import ensure_operator, ensure_signed_in
from daicho.domain.access.rules import OperatorPermission
from daicho.domain.accounts import errors
from daicho.domain.accounts.models import Guide
from daicho.domain.accounts.queries_guides import TOUR_KEY, TOUR_STEPS
from daicho.domain.audit.record import record

MOST_MINUTES = 1000
LANGUAGES = ("ja", "en")


@dataclass(frozen=True)
class GuideInput:
    """A guide as entered. `language` is that of the document (ja, en), `minutes` belong to videos, `position` sorts."""

    title: str
    url: str
    language: str
    kind: str
    minutes: int | None = None
    login_needed: bool = False
    is_main: bool = False
    position: int = 0


@command(permission=OperatorPermission.GUIDES, events=("guide.added",))
def add_guide(actor: Actor, *, guide: GuideInput) -> Guide:
    """Offer a document or video to customers. Raises FieldErrors (422)."""
    ensure_operator(actor, OperatorPermission.GUIDES)
    added = Guide.objects.create(**_checked(guide))
    record(actor, "guide.added", subject=added.title, subject_uid=added.uid, after=_facts(added))
    return added


@command(permission=OperatorPermission.GUIDES, events=("guide.changed",))
def change_guide(actor: Actor, *, guide_uid: str, guide: GuideInput) -> Guide:
    """Change what is said of a document or video. Raises FieldErrors (422)."""
    found = _locked(actor, guide_uid)
    before = _facts(found)
    for name, value in _checked(guide).items():
        setattr(found, name, value)
    found.save()
    if _facts(found) != before:
        record(actor, "guide.changed", subject=found.title, subject_uid=found.uid, before=before, after=_facts(found))
    return found


@command(permission=OperatorPermission.GUIDES, events=("guide.removed",))
def remove_guide(actor: Actor, *, guide_uid: str) -> None:
    """Offer a document or video no longer."""
    found = _locked(actor, guide_uid)
    record(actor, "guide.removed", subject=found.title, subject_uid=found.uid, before=_facts(found))
    found.delete()


def _locked(actor: Actor, uid: str) -> Guide:
    ensure_operator(actor, OperatorPermission.GUIDES)
    found = Guide.objects.select_for_update().filter(uid=uid).first()
    if found is None:
        raise NotFound
    return found


def _checked(guide: GuideInput) -> dict[str, object]:
    found: dict[str, BusinessError] = {}
    title, url = clean(guide.title), guide.url.strip()
    if not title:
        found["title"] = errors.required()
    elif len(title) > 200:
        found["title"] = errors.too_long(200)
    try:
        URLValidator(schemes=["https", "http"])(url)
    except ValidationError:
        found["url"] = errors.not_a_link()
    if len(url) > 500:
        found["url"] = errors.too_long(500)
    if guide.language not in LANGUAGES:
        found["language"] = errors.choose_one()
    if guide.kind not in Guide.Kind.values:
        found["kind"] = errors.choose_one()
    if guide.minutes is not None and not 1 <= guide.minutes <= MOST_MINUTES:
        found["minutes"] = errors.not_between(1, MOST_MINUTES)
    if not 0 <= guide.position <= MOST_MINUTES:
        found["position"] = errors.not_between(0, MOST_MINUTES)
    if found:
        raise FieldErrors(found)
    return {
        "title": title, "url": url, "language": guide.language, "kind": guide.kind, "minutes": guide.minutes,
        "login_needed": guide.login_needed, "is_main": guide.is_main, "position": guide.position,
    }  # fmt: skip


def _facts(guide: Guide) -> dict[str, object]:
    return {
        "title": guide.title, "url": guide.url, "language": guide.language, "kind": guide.kind,
        "minutes": guide.minutes, "login_needed": guide.login_needed, "is_main": guide.is_main,
    }  # fmt: skip


@command(permission=None, events=())
def tick_tour(actor: Actor, *, step: str, done: bool) -> None:
    """Tick a step of the first-run tour, or take the tick away; each person has an own tour."""
    user = ensure_signed_in(actor)
    if step not in TOUR_STEPS:
        raise NotFound
    kept, _created = Preference.objects.select_for_update().get_or_create(user=user, key=TOUR_KEY)
    ticked = set(kept.value.get("done", [])) - {step} | ({step} if done else set())
    kept.value = {**kept.value, "done": [one for one in TOUR_STEPS if one in ticked]}
    kept.save()


@command(permission=None, events=())
def hide_tour(actor: Actor, *, hidden: bool) -> None:
    """Show the tour on the home page no longer, or again."""
    user = ensure_signed_in(actor)
    kept, _created = Preference.objects.select_for_update().get_or_create(user=user, key=TOUR_KEY)
    kept.value = {**kept.value, "hidden": hidden}
    kept.save()
