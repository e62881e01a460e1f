"""Many invitations from a file (S22): what each row says, and what is wrong with it.

Columns, in any order, by the names of `COLUMNS` or the Japanese ones: mail and role are needed. A virtual account is
named as the actor sees it; empty means the whole account. The end is a day (2026-11-24 or 2026/11/24), valid to the end
of that day in the account's zone.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from daicho.core import tabular
from daicho.core.actor import Actor
from daicho.core.clock import end_of_day, now
from daicho.core.errors import BusinessError
from daicho.core.text import clean, name_key
from daicho.domain.access.commands.people import checked_address
from daicho.domain.access.errors import BadAddress
from daicho.domain.access.giving import ensure_end, ensure_fits, ensure_may_grant, proposed_end
from daicho.domain.access.models import Invitation
from daicho.domain.access.policy import ensure_may, live_grants, visible_virtual_accounts
from daicho.domain.access.rules import Permission, Role, is_outsider
from daicho.domain.tenancy.models import SmartAccount, VirtualAccount

MAX_INVITATIONS = 1000

COLUMNS: dict[str, tuple[str, ...]] = {
    "email": ("mail", "mail address", "メールアドレス", "メール"),
    "name": ("氏名", "名前"),
    "role": ("役割",),
    "virtual_account": ("virtual account", "バーチャルアカウント"),
    "ends_on": ("end", "end date", "有効期限", "期限"),
    "language": ("言語",),
}
LANGUAGES = {"": "", "ja": "ja", "en": "en", "日本語": "ja", "english": "en"}


@dataclass(frozen=True, slots=True)
class InvitationRow:
    """One row that can be sent."""

    number: int
    email: str
    name: str
    role: Role
    virtual_account: VirtualAccount | None
    ends_at: dt.datetime | None
    language: str


@dataclass(slots=True)
class InvitationPlan:
    """What a file would do. With errors, nothing."""

    to_send: list[InvitationRow] = field(default_factory=list)
    unchanged: int = 0
    errors: list[dict[str, object]] = field(default_factory=list)

    def refuse(self, row: int, column: str, error: BusinessError) -> None:
        self.errors.append({"row": row, "column": column, "code": error.code, "message": error.text()})


def read_invitations(actor: Actor, account: SmartAccount, content: bytes) -> InvitationPlan:
    """What a file of invitations would do: the preview. Writes nothing.

    Limits: 1,000 rows. Raises what `core.tabular.read` raises, `columns_missing`, `too_many_invitations` (422).
    """
    scope = ensure_may(actor, Permission.USERS_VIEW, account)
    if not scope.allows_somewhere(Permission.USERS_MANAGE):
        ensure_may(actor, Permission.USERS_MANAGE, account)
    head, *rows = tabular.read(content) or [[]]
    places = match_columns(head, COLUMNS, needed=("email", "role"))
    if len(rows) > MAX_INVITATIONS:
        raise BusinessError(
            "too_many_invitations",
            422,
            _("The file has more than %(limit)d rows. Split it."),
            limit=MAX_INVITATIONS,
        )
    reader = _Reader(actor, account)
    for number, cells in enumerate(rows, 2):
        if any(cells):
            reader.take(number, {name: cells[at] if at < len(cells) else "" for name, at in places.items()})
    return reader.plan


def match_columns(head: list[str], known: dict[str, tuple[str, ...]], needed: tuple[str, ...]) -> dict[str, int]:
    """Where each known column stands in the head of a file. Raises `columns_missing` (422)."""
    meaning = {name_key(word): name for name, words in known.items() for word in (name, *words)}
    places: dict[str, int] = {}
    for at, word in enumerate(head):
        name = meaning.get(name_key(word))
        if name is not None:
            places.setdefault(name, at)
    missing = [name for name in needed if name not in places]
    if missing:
        raise BusinessError(
            "columns_missing",
            422,
            _("The first row must name the columns. Missing: %(columns)s."),
            columns=", ".join(missing),
        )
    return places


def role_named(text: str) -> Role | None:
    """A role by its code or by its name in either language."""
    key = name_key(text)
    for role in Role:
        names = {role.value}
        for language in ("en", "ja"):
            with translation.override(language):
                names.add(str(role.label))
        if key in {name_key(name) for name in names}:
            return role
    return None


class _Reader:
    def __init__(self, actor: Actor, account: SmartAccount) -> None:
        self.actor, self.account, self.plan = actor, account, InvitationPlan()
        self.places = {
            place.name_key: place for place in visible_virtual_accounts(actor, account, Permission.USERS_VIEW)
        }
        self.granted: dict[tuple[str, int | None], str] = {
            (email, place): role
            for email, place, role in live_grants()
            .filter(account=account, user__isnull=False)
            .values_list("user__email", "virtual_account_id", "role")
        }
        waiting = Invitation.objects.filter(account=account, state=Invitation.State.OPEN, expires_at__gt=now())
        self.invited: dict[tuple[str, int | None], str] = {
            (email, place): role for email, place, role in waiting.values_list("email", "virtual_account_id", "role")
        }
        self.seen: set[tuple[str, int | None]] = set()
        self.verdicts: dict[tuple[Role, int | None, bool, dt.datetime | None], tuple[str, BusinessError] | None] = {}

    def take(self, number: int, cells: dict[str, str]) -> None:
        row = self._parse(number, cells)
        if row is None:
            return
        key = (row.email, row.virtual_account.pk if row.virtual_account is not None else None)
        if key in self.seen:
            self._refuse(number, "email", "row_repeated", _("This address and scope stand in the file twice."))
            return
        self.seen.add(key)
        held = self.granted.get(key) or self.invited.get(key)
        if held is None:
            self.plan.to_send.append(row)
        elif held == row.role:
            self.plan.unchanged += 1
        else:
            self._refuse(
                number, "role", "grant_exists",
                _("This person has or was offered another role there. Change that role instead."),
            )  # fmt: skip

    def _parse(self, number: int, cells: dict[str, str]) -> InvitationRow | None:
        errors = len(self.plan.errors)
        email = ""
        try:
            email = checked_address(cells.get("email", ""))
        except BadAddress as error:
            self.plan.refuse(number, "email", error)
        role = role_named(cells.get("role", ""))
        if role is None:
            self._refuse(number, "role", "unknown_role", _("There is no such role. Use one of the sample file's."))
        place_name = clean(cells.get("virtual_account", ""))
        place = self.places.get(name_key(place_name)) if place_name else None
        if place_name and place is None:
            self._refuse(
                number, "virtual_account", "unknown_virtual_account", _("There is no virtual account with this name.")
            )
        language = LANGUAGES.get(name_key(cells.get("language", "")))
        if language is None:
            self._refuse(number, "language", "unknown_language", _("Choose one of the languages."))
        day, day_is_good = _day(cells.get("ends_on", ""))
        if not day_is_good:
            self._refuse(number, "ends_on", "bad_date", _("Enter the day as 2026-11-24."))
        if len(self.plan.errors) > errors or role is None or language is None:
            return None
        ends_at = end_of_day(day, self.account.time_zone) if day is not None else None
        if not self._allowed(number, email, role, place, ends_at):
            return None
        return InvitationRow(number, email, clean(cells.get("name", ""))[:100], role, place, ends_at, language)

    def _allowed(
        self, number: int, email: str, role: Role, place: VirtualAccount | None, ends_at: dt.datetime | None
    ) -> bool:
        outsider = is_outsider(email.rpartition("@")[2], self.account.identifier)
        key = (role, place.pk if place is not None else None, outsider, ends_at)
        if key not in self.verdicts:
            self.verdicts[key] = self._judge(role, place, ends_at, outsider=outsider)
        verdict = self.verdicts[key]
        if verdict is not None:
            self.plan.refuse(number, *verdict)
        return verdict is None

    def _judge(
        self, role: Role, place: VirtualAccount | None, ends_at: dt.datetime | None, *, outsider: bool
    ) -> tuple[str, BusinessError] | None:
        try:
            ensure_fits(role, self.account, place)
            ensure_may(self.actor, Permission.USERS_MANAGE, self.account, place)
            ensure_may_grant(self.actor, self.account, place, role)
        except BusinessError as error:
            return "role", error
        end = ends_at or proposed_end(self.actor, self.account, place, outsider=outsider)
        try:
            ensure_end(self.actor, self.account, place, end, outsider=outsider)
        except BusinessError as error:
            return "ends_on", error
        return None

    def _refuse(self, number: int, column: str, code: str, message: str | Promise) -> None:
        self.plan.refuse(number, column, BusinessError(code, 422, message))


def _day(text: str) -> tuple[dt.date | None, bool]:
    """The day that a cell names, and whether it could be read; an empty cell names none."""
    text = clean(text).replace("/", "-")
    if not text:
        return None, True
    try:
        year, month, day = (int(part) for part in text.split("-"))
        return dt.date(year, month, day), True
    except ValueError:
        return None, False
