"""Which license of the catalog a printed name means."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from django.db.models import Q
from django.db.models.functions import Lower

from daicho.core.statements import chunks
from daicho.core.text import clean, name_key
from daicho.domain.catalog.models import LicenseTag
from daicho.domain.catalog.queries import tags_by_sku
from daicho.domain.devices.printed.reading import PrintedLicense

REGID, SKU, NAME, CHOSEN, LEFT_OUT, UNKNOWN = "regid", "sku", "name", "chosen", "left_out", "unknown"
SEPARATORS = re.compile(r"[-_\s]+")


@dataclass(slots=True)
class NamePlan:
    """A license as it is printed, what it is taken for and why: `by` is regid, sku, name, chosen, left_out or unknown.

    `found`: what it would be taken for if nobody chose. `candidates`: licenses of the catalog that have this name,
    where it is not exactly one.
    """

    printed: PrintedLicense
    tag: LicenseTag | None = None
    by: str = UNKNOWN
    found: LicenseTag | None = None
    candidates: list[LicenseTag] = field(default_factory=list)
    used: int = 0
    lines: list[int] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        """It is in use and nobody has said what it means."""
        return self.by == UNKNOWN and self.used > 0


def plan_names(licenses: Iterable[PrintedLicense], chosen: Mapping[str, str]) -> dict[str, NamePlan]:
    """Each printed license by its key. `chosen`: SKU by key, "" leaves the license out; an unknown SKU is as none.

    By the regid (with or without its version), by SKU (tag, name, description), by name when one license has it.
    """
    plans: dict[str, NamePlan] = {}
    for one in licenses:
        plan = plans.setdefault(one.key, NamePlan(one))
        plan.used += one.used
        plan.lines.append(one.line)
    printed = [plan.printed for plan in plans.values()]
    regids = _by_regid({form for one in printed for form in _regids(one)})
    skus = tags_by_sku([*(word for one in printed for word in _words(one)), *filter(None, chosen.values())])
    names = _by_name({form for one in printed for word in _words(one) for form in _forms(word)})
    for key, plan in plans.items():
        _find(plan, regids, skus, names)
        plan.found = plan.tag
        if key in chosen:
            _choose(plan, chosen[key], skus)
    return plans


def _choose(plan: NamePlan, sku: str, skus: Mapping[str, LicenseTag]) -> None:
    if not sku:
        plan.by, plan.tag = LEFT_OUT, None
    elif (tag := skus.get(name_key(sku))) is not None:
        plan.by, plan.tag = CHOSEN, tag


def _find(
    plan: NamePlan,
    regids: Mapping[str, LicenseTag],
    skus: Mapping[str, LicenseTag],
    names: Mapping[str, list[LicenseTag]],
) -> None:
    for form in _regids(plan.printed):
        if form in regids:
            plan.by, plan.tag = REGID, regids[form]
            return
    words = _words(plan.printed)
    for word in words:
        if name_key(word) in skus:
            plan.by, plan.tag = SKU, skus[name_key(word)]
            return
    for word in words:
        for form in _forms(word):
            found = names.get(form, [])
            if len(found) == 1:
                plan.by, plan.tag = NAME, found[0]
                return
            plan.candidates += [tag for tag in found if tag not in plan.candidates]


def _regids(one: PrintedLicense) -> list[str]:
    """The entitlement as printed, and without the version that follows its comma."""
    return list(dict.fromkeys([one.regid, one.regid.partition(",")[0]])) if one.regid else []


def _words(one: PrintedLicense) -> list[str]:
    """From the most to the least telling."""
    return [word for word in (one.tag, one.description, one.name) if word and len(word) <= 200]


def _forms(word: str) -> list[str]:
    """A name as it is and with spaces for its hyphens, in lower case: network-advantage is Network Advantage."""
    plain = clean(word).lower()
    return list(dict.fromkeys([plain, SEPARATORS.sub(" ", plain)]))


def _by_regid(regids: set[str]) -> dict[str, LicenseTag]:
    found: dict[str, LicenseTag] = {}
    for part in chunks(sorted(regids), 500):
        found |= {tag.regid: tag for tag in LicenseTag.objects.filter(regid__in=part) if tag.regid}
    return found


def _by_name(names: set[str]) -> dict[str, list[LicenseTag]]:
    found: dict[str, list[LicenseTag]] = defaultdict(list)
    for part in chunks(sorted(names), 300):
        named = LicenseTag.objects.annotate(en=Lower("name"), ja=Lower("name_ja"))
        for tag in named.filter(Q(en__in=part) | Q(ja__in=part)).order_by("sku_key")[:500]:
            for key in {clean(tag.name).lower(), clean(tag.name_ja).lower()} - {""}:
                found[key].append(tag)
    return found


def counts_by_tag(
    licenses: Sequence[PrintedLicense], plans: Mapping[str, NamePlan]
) -> dict[int, tuple[LicenseTag, int]]:
    """What one device uses of each license; several printed names that mean the same license add up."""
    counts: dict[int, tuple[LicenseTag, int]] = {}
    for one in licenses:
        tag = plans[one.key].tag
        if tag is not None:
            counts[tag.pk] = (tag, one.used + counts.get(tag.pk, (tag, 0))[1])
    return counts
