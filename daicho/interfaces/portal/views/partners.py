"""パートナー: which outsiders see what, until when? (S23)"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from daicho.domain.access.queries_people import Outsider, list_outsiders
from daicho.domain.access.rules import Permission
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal.lists import Column, Empty, ListPage, ListQuery
from daicho.interfaces.portal.views import people_parts as parts
from daicho.interfaces.portal.web import Here, account_page


class PartnerList(ListPage):
    """One row per right of somebody from another company; what ends next comes first."""

    key = "partners"
    title = lazy("Partners")
    text_label = lazy("Filter by company, name or mail address")
    template = "partners/list.html"
    here: Here

    @property
    def columns(self) -> list[Column]:  # type: ignore[override]
        def person(row: Outsider) -> str:
            return self.here.url("people-detail", uid=row.person_uid)

        return [
            Column("name", lazy("Person"), link=person),
            Column("company", lazy("Company")),
            Column("email", lazy("Mail address"), optional=True),
            Column("place", lazy("Scope"), value=lambda o: parts.scope_name(o.virtual_account), phone=True),
            Column("role", lazy("Role"), value=lambda o: str(o.role.label)),
            Column("since", lazy("Since"), kind="date"),
            Column(
                "ends_at", lazy("Ends on"), kind="until", value=lambda o: parts.end_day(o.ends_at, self.here.account), phone=True
            ),
            Column("last_act", lazy("Last act"), kind="datetime"),
        ]  # fmt: skip

    def fetch(self, q: ListQuery) -> Any:
        page = list_outsiders(
            self.here.actor, self.here.account, virtual_account=self.here.va, text=q.text, cursor=q.cursor, size=q.size
        )
        self.shown_rows = page.rows
        return page

    def row_menu(self, row: Outsider) -> list[kit.MenuItem]:
        place = row.virtual_account.pk if row.virtual_account is not None else None
        if not self.here.scope.allows(Permission.USERS_MANAGE, place):
            return []
        return [
            kit.MenuItem(_("Change the end"), self.here.url("people-grant", uid=row.uid), "calendar-due"),
            kit.MenuItem(_("Revoke"), dialog=f"revoke-{row.uid}", icon="x", danger=True),
        ]

    def dialogs(self) -> list[dict[str, str]]:
        """What each revocation would take away."""
        return [
            {
                "id": f"revoke-{row.uid}",
                "action": self.here.url("people-grant-revoke", uid=row.uid),
                "text": _("%(name)s loses at once: %(role)s, %(place)s.")
                % {"name": row.name, "role": row.role.label, "place": parts.scope_name(row.virtual_account)},
            }
            for row in getattr(self, "shown_rows", [])
        ]


@account_page(Permission.USERS_VIEW)
def partners(request: HttpRequest, here: Here) -> HttpResponseBase:
    """The list of outsiders."""
    empty = Empty(
        _("No partner has a right here"),
        _("A partner manages and sees only the virtual accounts that you delegate, and only until the end date."),
    )
    context: dict[str, Any] = {"back": request.get_full_path()}
    if here.may(Permission.USERS_MANAGE):
        context["primary"] = kit.Action(here.url("people-invite"), _("Delegate to a partner"), "user-plus")
    return PartnerList(request, here=here, empty=empty).response(context)
