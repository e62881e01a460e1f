"""Take a whole file into the catalog: products, or license tags. Repeating it changes nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from daicho.core import tabular
from daicho.core.actor import Actor
from daicho.core.commands import command
from daicho.core.errors import BusinessError
from daicho.core.text import clean, name_key
from daicho.domain.access.policy import ensure_operator
from daicho.domain.access.rules import OperatorPermission
from daicho.domain.audit.record import record
from daicho.domain.catalog import errors, rules
from daicho.domain.catalog.commands.products import product_values
from daicho.domain.catalog.commands.tags import tag_values
from daicho.domain.catalog.models import LicenseTag, Product

# Column heads that mean the same, by the key of what is written.
HEADS = {
    "vendor": "vendor", "manufacturer": "vendor", "ベンダー": "vendor", "メーカー": "vendor",
    "model": "name", "name": "name", "product name": "name", "名称": "name", "製品名": "name",
    "name_ja": "name_ja", "日本語名": "name_ja",
    "part_number": "part_number", "part number": "part_number", "部品番号": "part_number", "製品型番": "part_number",
    "sku": "sku", "string id": "sku", "型番(sku)": "sku", "型番": "sku",
    "regid": "regid", "family": "family", "ファミリー": "family",
    "enforcement": "enforcement", "class": "enforcement", "強制": "enforcement",
    "description": "description", "説明": "description", "description_ja": "description_ja", "説明(日本語)": "description_ja",
    "service plans included": "plans",
}  # fmt: skip
TAG_COLUMNS = ("sku", "name", "name_ja", "regid", "family", "enforcement", "description", "description_ja")
BATCH = 500


@dataclass(frozen=True)
class RowProblem:
    """A row that cannot be taken: its number in the file (the head is row 1), the column, and why."""

    row: int
    column: str
    error: BusinessError


@dataclass
class CatalogImport:
    """What a file would do or did. `kind` is tags or products; `repeated` rows name one that stands in a later row."""

    kind: str
    rows: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    repeated: int = 0
    problems: list[RowProblem] = field(default_factory=list)
    written: bool = False

    def as_data(self) -> dict[str, Any]:
        """Plain values, for programs."""
        return {
            "kind": self.kind, "rows": self.rows, "added": self.added, "changed": self.changed,
            "unchanged": self.unchanged, "repeated": self.repeated, "written": self.written,
            "errors": [
                {"row": p.row, "column": p.column, "code": p.error.code, "message": p.error.text()} for p in self.problems
            ],
        }  # fmt: skip


@command(permission=OperatorPermission.CATALOG, events=("catalog.imported",))
def import_catalog(actor: Actor, *, content: bytes, dry_run: bool = False) -> CatalogImport:
    """Take products or license tags from a CSV, XLSX or JSON file; all rows or none.

    A file with a column `sku` (or `String ID`) holds license tags, one with `vendor` (or `manufacturer`) and `model`
    holds products. Of rows that name the same thing the last one counts. With `dry_run`, or when a row is wrong,
    nothing is written and the answer says which and why. Raises `file_unreadable`, `unknown_columns`,
    `nothing_in_file`, `bad_json`, `file_too_large`, `too_many_rows`.
    """
    ensure_operator(actor, OperatorPermission.CATALOG)
    rows = _read(content)
    if not rows:
        raise errors.nothing_in_file()
    of_tags = "sku" in rows[0][1]
    result = _take_tags(rows, dry_run) if of_tags else _take_products(rows, dry_run)
    result.rows = len(rows)
    if result.written and (result.added or result.changed):
        record(
            actor,
            "catalog.imported",
            subject=result.kind,
            after={"rows": result.rows, "added": result.added, "changed": result.changed},
        )
    return result


def _read(content: bytes) -> list[tuple[int, dict[str, str]]]:
    if content.lstrip(b"\xef\xbb\xbf \r\n\t")[:1] in (b"[", b"{"):
        return _read_json(content)
    table = tabular.read(content)
    if not table:
        raise errors.nothing_in_file()
    heads = [HEADS.get(name_key(head), "") for head in table[0]]
    _ensure_columns(heads)
    found = []
    for number, cells in enumerate(table[1:], 2):
        if any(cells):
            found.append((number, {head: cell for head, cell in zip(heads, cells, strict=False) if head}))
    return found


def _read_json(content: bytes) -> list[tuple[int, dict[str, str]]]:
    try:
        data = json.loads(content.decode("utf-8-sig"))
    except (UnicodeDecodeError, ValueError):
        raise errors.bad_json() from None
    if not isinstance(data, list) or not all(isinstance(item, dict) for item in data):
        raise errors.bad_json()
    found = []
    for number, item in enumerate(data, 1):
        row = {HEADS[name_key(k)]: str(v) for k, v in item.items() if name_key(k) in HEADS and v is not None}
        _ensure_columns(list(row))
        found.append((number, row))
    return found


def _ensure_columns(heads: Sequence[str]) -> None:
    if not ({"sku", "name"} <= set(heads) or {"vendor", "name"} <= set(heads)):
        raise errors.no_columns("sku, name / vendor, model")


def _take_tags(rows: list[tuple[int, dict[str, str]]], dry_run: bool) -> CatalogImport:
    result = CatalogImport("tags")
    wanted: dict[str, tuple[int, dict[str, Any]]] = {}
    for number, row in rows:
        fields = rules.Fields()
        sku = fields.text("sku", row.get("sku"), 100, needed=True)
        given = {column: row[column] for column in TAG_COLUMNS if column != "sku" and column in row}
        if "plans" in row and "description" not in given:
            given["description"] = _plan_names(row["plans"])
        values = {"sku": sku} | tag_values({"name": ""} | given, fields)
        result.problems += [RowProblem(number, name, error) for name, error in fields.errors.items()]
        result.repeated += name_key(sku) in wanted
        wanted[name_key(sku)] = (number, values)
    present = _present(LicenseTag.objects, "sku_key", list(wanted))
    owners = {
        tag.regid: tag.sku_key for tag in LicenseTag.objects.exclude(regid=None).only("regid", "sku_key")
    }  # fmt: skip
    new: list[LicenseTag] = []
    changed: list[LicenseTag] = []
    fixed = set(LicenseTag.objects.filter(pools__isnull=False).values_list("pk", flat=True).distinct())
    for key, (number, values) in wanted.items():
        regid = values.get("regid")
        if regid and owners.setdefault(regid, key) != key:
            result.problems.append(RowProblem(number, "regid", errors.regid_taken(regid)))
        tag = present.get(key)
        if tag is None:
            new.append(LicenseTag(sku_key=key, **values))
        elif "enforcement" in values and values["enforcement"] != tag.enforcement and tag.pk in fixed:
            result.problems.append(RowProblem(number, "enforcement", errors.class_is_fixed(tag.sku)))
        elif _apply(tag, {k: v for k, v in values.items() if k != "sku"}):
            changed.append(tag)
        else:
            result.unchanged += 1
    _finish(result, new, changed, dry_run)
    if result.written:
        LicenseTag.objects.bulk_create(new, batch_size=BATCH)
        LicenseTag.objects.bulk_update(changed, [c for c in TAG_COLUMNS if c != "sku"], batch_size=BATCH)
    return result


def _take_products(rows: list[tuple[int, dict[str, str]]], dry_run: bool) -> CatalogImport:
    result = CatalogImport("products")
    wanted: dict[str, dict[str, str]] = {}
    for number, row in rows:
        fields = rules.Fields()
        values = product_values(row, fields)
        result.problems += [RowProblem(number, name, error) for name, error in fields.errors.items()]
        result.repeated += values["key"] in wanted
        wanted[values["key"]] = values
    present = _present(Product.objects, "key", list(wanted))
    new: list[Product] = []
    changed: list[Product] = []
    for key, values in wanted.items():
        product = present.get(key)
        if product is None:
            new.append(Product(**values))
        elif values["description"] and _apply(product, {"description": values["description"]}):
            changed.append(product)
        else:
            result.unchanged += 1
    _finish(result, new, changed, dry_run)
    if result.written:
        Product.objects.bulk_create(new, batch_size=BATCH)
        Product.objects.bulk_update(changed, ["description"], batch_size=BATCH)
    return result


def _present(manager: Any, column: str, keys: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for start in range(0, len(keys), BATCH):
        chunk = manager.filter(**{f"{column}__in": keys[start : start + BATCH]})
        found |= {getattr(item, column): item for item in chunk}
    return found


def _apply(item: Any, values: dict[str, Any]) -> bool:
    changed = {name: value for name, value in values.items() if getattr(item, name) != value}
    for name, value in changed.items():
        setattr(item, name, value)
    return bool(changed)


def _finish(result: CatalogImport, new: Sequence[object], changed: Sequence[object], dry_run: bool) -> None:
    result.added, result.changed = len(new), len(changed)
    result.written = not dry_run and not result.problems


def _plan_names(plans: str) -> str:
    """The names of a suite's parts, without their GUIDs, as far as they fit."""
    names = ", ".join(clean(line.split("(")[0]) for line in plans.splitlines() if line.strip())
    return names if len(names) <= 500 else names[:497] + "..."
