"""The organization from a file (S26): which virtual accounts it makes, moves and changes, and which rows are wrong.

Columns, in any order, by the names of `COLUMNS` or the Japanese ones; only the name is needed. The parent is named by
its name, or by its path with " / " between the names; empty means the top. Tags are separated by commas or semicolons.
A row whose name the account already has describes that virtual account: an empty description, empty tags or visibility
leave it as it is. The same file again therefore changes nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from daicho.core import tabular
from daicho.core.actor import Actor
from daicho.core.errors import BusinessError
from daicho.core.text import clean, name_key, tidy
from daicho.domain.access.invitation_file import match_columns
from daicho.domain.access.policy import ensure_may
from daicho.domain.access.rules import Permission
from daicho.domain.accounts.errors_virtual_accounts import TOO_LONG, NestedInItself, TooDeep
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount, VirtualAccountTag
from daicho.domain.tenancy.rules import DESCRIPTION_LENGTH, MAX_DEPTH, clean_name, clean_tags

MAX_ROWS = 10_000

COLUMNS: dict[str, tuple[str, ...]] = {
    "name": ("名称", "名前", "バーチャルアカウント", "virtual account"),
    "parent": ("親", "階層", "path"),
    "description": ("説明",),
    "tags": ("タグ",),
    "visibility": ("公開", "公開範囲"),
}
VISIBILITIES = {
    "": None, "public": VirtualAccount.Visibility.PUBLIC, "private": VirtualAccount.Visibility.PRIVATE,
    "公開": VirtualAccount.Visibility.PUBLIC, "非公開": VirtualAccount.Visibility.PRIVATE,
}  # fmt: skip


@dataclass(slots=True)
class FileRow:
    """A row as it was read. `key` and `parent_key` are what names are compared by; parent "" is the top."""

    number: int
    name: str
    key: str
    parent_text: str
    parent_key: str
    description: str
    tags: list[str] | None
    visibility: str | None


@dataclass(slots=True)
class TreePlan:
    """What a file would do to the tree. With errors, nothing."""

    create: list[FileRow] = field(default_factory=list)
    move: list[tuple[FileRow, VirtualAccount]] = field(default_factory=list)
    change: list[tuple[FileRow, VirtualAccount]] = field(default_factory=list)
    unchanged: int = 0
    errors: list[dict[str, object]] = field(default_factory=list)

    def refuse(self, row: int, column: str, error: BusinessError) -> None:
        self.errors.append({"row": row, "column": column, "code": error.code, "message": error.text()})


def read_tree_file(actor: Actor, account: SmartAccount, content: bytes) -> TreePlan:
    """What a file of the organization would do: the preview. Writes nothing.

    Limit: 10,000 rows. Raises what `core.tabular.read` raises, `columns_missing`, `too_many_rows` (422).
    """
    ensure_may(actor, Permission.VIRTUAL_ACCOUNTS_MANAGE, account)
    head, *rows = tabular.read(content) or [[]]
    places = match_columns(head, COLUMNS, needed=("name",))
    if len(rows) > MAX_ROWS:
        raise BusinessError("too_many_rows", 422, _("The file has more than %(limit)d rows. Split it."), limit=MAX_ROWS)
    reader = _Reader(account)
    for number, cells in enumerate(rows, 2):
        if any(cells):
            reader.take(number, {name: cells[at] if at < len(cells) else "" for name, at in places.items()})
    return reader.finish()


class _Reader:
    def __init__(self, account: SmartAccount) -> None:
        living = VirtualAccount.objects.filter(account=account, deleted_at=None)
        self.present = {place.name_key: place for place in living}
        self.by_number = {place.pk: place for place in self.present.values()}
        self.tags: dict[int, set[str]] = {}
        for number, key in VirtualAccountTag.objects.filter(virtual_account__in=living).values_list(
            "virtual_account_id", "name_key"
        ):
            self.tags.setdefault(number, set()).add(key)
        self.rows: dict[str, FileRow] = {}
        self.plan = TreePlan()

    def take(self, number: int, cells: dict[str, str]) -> None:
        """Read one row by itself."""
        errors = len(self.plan.errors)
        name, tags, described = "", None, tidy(cells.get("description", ""))
        try:
            name = clean_name(cells.get("name", ""))
        except BusinessError as error:
            self.plan.refuse(number, "name", error)
        try:
            if clean(cells.get("tags", "")):
                tags = clean_tags(re.split(r"[,;、；，]", cells["tags"]))
        except BusinessError as error:
            self.plan.refuse(number, "tags", error)
        if len(described) > DESCRIPTION_LENGTH:
            self.plan.refuse(number, "description", BusinessError("too_long", 422, TOO_LONG, limit=DESCRIPTION_LENGTH))
        shown = name_key(cells.get("visibility", ""))
        if shown not in VISIBILITIES:
            self._refuse(number, "visibility", "unknown_visibility", _("Enter public or private."))
        if name_key(name) in self.rows:
            self._refuse(number, "name", "row_repeated", _("This name stands in the file twice."))
        if len(self.plan.errors) > errors:
            return
        self.rows[name_key(name)] = FileRow(
            number=number, name=name, key=name_key(name), parent_text=clean(cells.get("parent", "")), parent_key="",
            description=described, tags=tags, visibility=VISIBILITIES[shown],
        )  # fmt: skip

    def finish(self) -> TreePlan:
        """Look at the rows together: parents, circles, depth; then sort them into what is to be done."""
        for row in self.rows.values():
            self._find_parent(row)
        if not self.plan.errors:
            self._check_tree()
        if not self.plan.errors:
            for row in self.rows.values():
                self._sort(row)
        return self.plan

    def _find_parent(self, row: FileRow) -> None:
        if not row.parent_text:
            return
        key = name_key(row.parent_text)
        if key not in self.rows and key not in self.present:
            key = name_key(re.split(r"\s*[/／>＞]\s*", row.parent_text.strip("/ "))[-1])
        if key not in self.rows and key not in self.present:
            self._refuse(
                row.number, "parent", "unknown_parent",
                _("There is no virtual account with the parent's name, neither here nor in the file."),
            )  # fmt: skip
            return
        row.parent_key = key

    def _parent_of(self, key: str) -> str:
        """The key of the parent as it will be; "" at the top."""
        row = self.rows.get(key)
        if row is not None:
            return row.parent_key
        place = self.present[key]
        return self.by_number[place.parent_id].name_key if place.parent_id in self.by_number else ""

    def _check_tree(self) -> None:
        for key in {*self.rows, *self.present}:
            depth, above = 1, self._parent_of(key)
            while above and above != key and depth <= MAX_DEPTH:
                depth, above = depth + 1, self._parent_of(above)
            row = self.rows.get(key)
            number = row.number if row is not None else self._row_above(key)
            if above == key:
                self.plan.refuse(number, "parent", NestedInItself())
            elif depth > MAX_DEPTH:
                self.plan.refuse(number, "parent", TooDeep())
        self.plan.errors.sort(key=lambda error: str(error["row"]).zfill(6))

    def _row_above(self, key: str) -> int:
        """The row of the file that moves a virtual account which itself does not stand in it."""
        for _step in range(MAX_DEPTH + 1):
            if key in self.rows:
                return self.rows[key].number
            key = self._parent_of(key)
            if not key:
                break
        return 1

    def _sort(self, row: FileRow) -> None:
        place = self.present.get(row.key)
        if place is None:
            self.plan.create.append(row)
            return
        parent = self.by_number.get(place.parent_id or 0)
        moves = row.parent_key != (parent.name_key if parent is not None else "")
        changes = (
            row.name != place.name
            or (bool(row.description) and row.description != place.description)
            or (row.visibility is not None and row.visibility != place.visibility)
            or (row.tags is not None and {name_key(tag) for tag in row.tags} != self.tags.get(place.pk, set()))
        )
        if moves:
            self.plan.move.append((row, place))
        if changes:
            self.plan.change.append((row, place))
        if not moves and not changes:
            self.plan.unchanged += 1

    def _refuse(self, number: int, column: str, code: str, message: str | Promise) -> None:
        self.plan.refuse(number, column, BusinessError(code, 422, message))
