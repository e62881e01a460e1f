"""License tags and the ladders in which a better one covers a lesser one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import IntegrityError, transaction

from daicho.core.actor import Actor
from daicho.core.commands import command
from daicho.core.errors import BusinessError, FieldErrors
from daicho.core.text import name_key
from daicho.domain.access.policy import ensure_operator
from daicho.domain.access.rules import OperatorPermission
from daicho.domain.audit.record import record
from daicho.domain.catalog import errors, rules
from daicho.domain.catalog.models import Ladder, LicenseTag

LIMITS = {"name": 200, "name_ja": 200, "regid": 300, "family": 100, "description": 500, "description_ja": 500}


def tag_values(given: dict[str, Any], fields: rules.Fields) -> dict[str, Any]:
    """Checked column values of a tag out of raw texts; only those given."""
    values: dict[str, Any] = {}
    for field, limit in LIMITS.items():
        if field in given:
            values[field] = fields.text(field, given[field], limit, needed=field == "name")
    if "regid" in values:
        values["regid"] = values["regid"] or None
    if "enforcement" in given:
        code = rules.enforcement_of(str(given["enforcement"]))
        if code is None:
            fields.errors["enforcement"] = errors.unknown_choice(
                str(given["enforcement"]), ", ".join(rules.ENFORCEMENTS)
            )
        else:
            values["enforcement"] = code
    if "is_sold" in given:
        values["is_sold"] = bool(given["is_sold"])
    return values


@command(permission=OperatorPermission.CATALOG, events=("catalog.tag_added",))
def add_tag(
    actor: Actor,
    *,
    sku: str,
    name: str,
    name_ja: str = "",
    regid: str = "",
    family: str = "",
    enforcement: str = "unenforced",
    description: str = "",
    description_ja: str = "",
) -> LicenseTag:
    """Add a kind of license to the catalog.

    SKU and name are needed; `enforcement` is unenforced, enforced or export_controlled. Raises FieldErrors,
    `sku_taken`, `regid_taken` (at their fields).
    """
    ensure_operator(actor, OperatorPermission.CATALOG)
    fields = rules.Fields()
    sku = fields.text("sku", sku, 100, needed=True)
    values = tag_values(
        {
            "name": name, "name_ja": name_ja, "regid": regid, "family": family, "enforcement": enforcement,
            "description": description, "description_ja": description_ja,
        },
        fields,
    )  # fmt: skip
    fields.stop_if_wrong()
    _ensure_free(sku=sku, regid=values["regid"])
    try:
        with transaction.atomic():
            tag = LicenseTag.objects.create(sku=sku, sku_key=name_key(sku), **values)
    except IntegrityError:  # somebody added it between the look and the write
        raise FieldErrors({"sku": errors.sku_taken(sku)}) from None
    record(actor, "catalog.tag_added", subject=tag.sku, subject_uid=tag.uid, after={"sku": sku} | values)
    return tag


@command(permission=OperatorPermission.CATALOG, events=("catalog.tag_changed",))
def change_tag(actor: Actor, /, *, tag: LicenseTag, **changes: Any) -> LicenseTag:
    """Change what the catalog says of a kind of license; its SKU never, its enforcement only before the first delivery.

    `changes`: name, name_ja, regid, family, enforcement, description, description_ja, is_sold. Raises FieldErrors,
    `class_is_fixed`, `regid_taken` (at their fields). Source: ledger.md, "a tag's class is fixed from its first pool".
    """
    ensure_operator(actor, OperatorPermission.CATALOG)
    tag = LicenseTag.objects.select_for_update().get(pk=tag.pk)
    fields = rules.Fields()
    values = tag_values(changes, fields)
    fields.stop_if_wrong()
    changed = {field: value for field, value in values.items() if getattr(tag, field) != value}
    if not changed:
        return tag
    if "enforcement" in changed and tag.pools.exists():
        raise FieldErrors({"enforcement": errors.class_is_fixed(tag.sku)})
    if changed.get("regid"):
        _ensure_free(regid=changed["regid"])
    before = {field: getattr(tag, field) for field in changed}
    for field, value in changed.items():
        setattr(tag, field, value)
    tag.save(update_fields=list(changed))
    record(actor, "catalog.tag_changed", subject=tag.sku, subject_uid=tag.uid, before=before, after=changed)
    return tag


@command(permission=OperatorPermission.CATALOG, events=("catalog.ladder_set",))
def set_ladder(actor: Actor, *, name: str, skus: Sequence[str]) -> Ladder:
    """Say which licenses cover which lesser ones, the best one first.

    2 to 20 SKUs. A license that was ever delivered neither joins nor leaves a ladder nor changes its place among the
    delivered ones. Raises FieldErrors, `unknown_sku`, `listed_twice`, `tag_in_use`, `in_other_ladder`.
    Source: ledger.md, ladder.
    """
    ensure_operator(actor, OperatorPermission.CATALOG)
    fields = rules.Fields()
    name = fields.text("name", name, 100, needed=True)
    fields.stop_if_wrong()
    keys = [name_key(sku) for sku in skus if sku.strip()]
    if not 2 <= len(keys) <= rules.MAX_LADDER:
        raise FieldErrors({"skus": errors.ladder_too_short()})
    tags = {tag.sku_key: tag for tag in LicenseTag.objects.select_for_update().filter(sku_key__in=keys).order_by("pk")}
    wanted = [_known(tags, key, sku) for key, sku in zip(keys, [s for s in skus if s.strip()], strict=True)]
    ladder = Ladder.objects.select_for_update().filter(name=name).first()
    old = list(ladder.tags.select_for_update().order_by("rank")) if ladder is not None else []
    _ensure_ladder_may_change(ladder, old, wanted)
    if [tag.pk for tag in old] == [tag.pk for tag in wanted] and ladder is not None:
        return ladder
    if ladder is None:
        ladder = Ladder.objects.create(name=name)
    LicenseTag.objects.filter(ladder=ladder).update(ladder=None, rank=None)
    for rank, tag in enumerate(wanted, 1):
        LicenseTag.objects.filter(pk=tag.pk).update(ladder=ladder, rank=rank)
    record(
        actor,
        "catalog.ladder_set",
        subject=ladder.name,
        subject_uid=ladder.uid,
        before=[tag.sku for tag in old],
        after=[tag.sku for tag in wanted],
    )
    return ladder


def _known(tags: dict[str, LicenseTag], key: str, sku: str) -> LicenseTag:
    if key not in tags:
        raise FieldErrors({"skus": errors.unknown_sku(sku)})
    return tags[key]


def _ensure_ladder_may_change(ladder: Ladder | None, old: list[LicenseTag], wanted: list[LicenseTag]) -> None:
    error: BusinessError | None = None
    seen: set[int] = set()
    for tag in wanted:
        if tag.pk in seen:
            error = errors.listed_twice(tag.sku)
        elif tag.ladder is not None and (ladder is None or tag.ladder.pk != ladder.pk):
            error = errors.in_other_ladder(tag.sku, tag.ladder.name)
        elif tag.ladder is None and tag.pools.exists():
            error = errors.tag_in_use(tag.sku)
        if error is not None:
            raise FieldErrors({"skus": error})
        seen.add(tag.pk)
    delivered = [tag for tag in old if tag.pools.exists()]
    for tag, place in zip(delivered, [t for t in wanted if t in delivered], strict=False):
        if tag.pk != place.pk:
            raise FieldErrors({"skus": errors.tag_in_use(tag.sku)})
    for tag in delivered:
        if tag.pk not in seen:
            raise FieldErrors({"skus": errors.tag_in_use(tag.sku)})


def _ensure_free(*, sku: str = "", regid: str | None = None) -> None:
    if sku and LicenseTag.objects.filter(sku_key=name_key(sku)).exists():
        raise FieldErrors({"sku": errors.sku_taken(sku)})
    if regid and LicenseTag.objects.filter(regid=regid).exists():
        raise FieldErrors({"regid": errors.regid_taken(regid)})
