"""招待: somebody is offered a role by mail, one at a time or many from a file (S22)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_POST

from daicho.core import tabular
from daicho.core.clock import now
from daicho.core.errors import BusinessError
from daicho.domain.access.commands.invitations import invite, invite_many, resend_invitation, withdraw_invitation
from daicho.domain.access.invitation_file import COLUMNS, read_invitations
from daicho.domain.access.queries_people import list_invitations
from daicho.domain.access.rules import Permission, Role
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal.lists import Column, Empty, FlagFilter, ListPage, ListQuery
from daicho.interfaces.portal.views import people_parts as parts
from daicho.interfaces.portal.views.people import MANAGE, tabs
from daicho.interfaces.portal.views.people_parts import RoleForm
from daicho.interfaces.portal.web import Here, account_page


class InviteForm(RoleForm):
    """Whom, and with which right."""

    email = forms.CharField(label=lazy("Mail address"), max_length=254, widget=forms.EmailInput())
    name = forms.CharField(label=lazy("Full name"), max_length=100, required=False)
    language = forms.ChoiceField(label=lazy("Language of the mail"), choices=settings.LANGUAGES)
    field_order = ("email", "name", "language", "scope", "kind", "ends_on")

    def __init__(self, here: Here, *args: Any, **kwargs: Any) -> None:
        super().__init__(here, *args, **kwargs)
        self.initial.setdefault("language", get_language())


@account_page(Permission.USERS_MANAGE)
def invite_one(request: HttpRequest, here: Here) -> HttpResponseBase:
    """One invitation."""
    form = InviteForm(here, request.POST or None)

    def act() -> str:
        data = form.cleaned_data
        made = invite(
            here.actor, account=here.account, email=data["email"], name=data["name"], language=data["language"],
            role=form.role, virtual_account=form.place, ends_at=form.ends_at,
        )  # fmt: skip
        kit.tell(request, "done", _("%(email)s is invited. The link works for 14 days.") % {"email": made.email})
        return here.url("people-invitations")

    context = {
        "title": _("Invite"),
        "button": _("Invite"),
        "back": here.url("people-list"),
        "crumbs": [kit.Crumb(_("Users"), here.url("people-list"))],
        "roles": parts.explained(form.roles()),
        "latest_day": parts.latest_day(here),
    }
    return parts.form_page(request, "people/right.html", form, act, context)


class FileForm(forms.Form):
    """A file from the reader's machine; its content travels on in the check page."""

    file = forms.FileField(label=lazy("File"), required=True, allow_empty_file=True)


class ContentForm(forms.Form):
    """The content of a file that was checked, on its way to being done."""

    content = forms.CharField(widget=forms.HiddenInput, strip=False)


@account_page(Permission.USERS_MANAGE)
def invite_file(request: HttpRequest, here: Here) -> HttpResponseBase:
    """Many invitations: choose a file, look at what it would do, do it."""
    context: dict[str, Any] = {
        "title": _("Invite by CSV"),
        "crumbs": [kit.Crumb(_("Users"), here.url("people-list"))],
        "back": here.url("people-list"),
        "sample": here.url("people-invite-sample"),
    }
    if request.method == "POST" and "content" in request.POST:
        form: forms.Form = ContentForm(request.POST)

        def act() -> str:
            content = form.cleaned_data["content"].encode()
            done = invite_many(here.actor, account=here.account, content=content, language=get_language() or "ja")
            text = ngettext("%(count)d person is invited.", "%(count)d people are invited.", done.sent)
            kit.tell(request, "done", text % {"count": done.sent})
            return here.url("people-invitations")

        return parts.form_page(request, "people/invite_file.html", form, act, context)
    form = FileForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            rows = tabular.read(form.cleaned_data["file"].read())
            content = "".join(tabular.csv_lines(rows[0] if rows else [], rows[1:]))
            plan = read_invitations(here.actor, here.account, content.encode())
        except BusinessError as error:
            parts.place_error(form, error)
        else:
            context |= {
                "plan": plan,
                "content": content,
                "errors": row_errors(plan.errors, COLUMNS),
                "lines": [
                    {
                        "email": row.email, "name": row.name, "role": row.role.label,
                        "place": parts.scope_name(row.virtual_account),
                        "end": parts.end_day(row.ends_at, here.account),
                    }
                    for row in plan.to_send[:200]
                ],
            }  # fmt: skip
            return render(request, "people/invite_check.html", context, status=422 if plan.errors else 200)
    return render(request, "people/invite_file.html", {"form": form, **context}, status=422 if form.errors else 200)


def row_errors(errors: list[dict[str, object]], columns: dict[str, tuple[str, ...]]) -> list[kit.RowError]:
    """What is wrong with the rows of a file, columns named as the reader's language names them."""
    japanese = (get_language() or "").startswith("ja")

    def named(column: str) -> str:
        words = columns.get(column, ())
        return next((word for word in words if not word.isascii()), column) if japanese else column

    return [kit.RowError(int(str(e["row"])), named(str(e["column"])), str(e["message"])) for e in errors]


@account_page(Permission.USERS_MANAGE)
def sample(request: HttpRequest, here: Here) -> HttpResponseBase:
    """A file to begin with: the columns and one row per kind of role."""
    domain = here.account.identifier
    rows = [
        [f"hanako@{domain}", "佐藤 花子", Role.ACCOUNT_USER, "", "", "ja"],
        [f"taro@{domain}", "Taro Yamada", Role.VA_VIEWER, here.va.name if here.va else "DEFAULT", "2030-03-31", "en"],
    ]
    return csv_file("invitations.csv", list(COLUMNS), rows)


def csv_file(name: str, head: list[str], rows: list[list[Any]]) -> HttpResponse:
    answer = HttpResponse("".join(tabular.csv_lines(head, rows)), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


class InvitationList(ListPage):
    """Who was invited and has not come yet."""

    key = "invitations"
    title = lazy("Invitations")
    filters = (FlagFilter("all", lazy("Answered ones too")),)
    empty = Empty(lazy("No open invitations"), lazy("People you invite appear here until they accept."))
    here: Here
    columns = (
        Column("email", lazy("Mail address")),
        Column("name", lazy("Full name")),
        Column("role", lazy("Role"), value=lambda i: str(Role(i.role).label)),
        Column("place", lazy("Scope"), value=lambda i: parts.scope_name(i.virtual_account)),
        Column("state", lazy("State"), kind="state", value=lambda i: state_of(i)),
        Column("inviter", lazy("Invited by"), value=lambda i: str(i.invited_by or "")),
        Column("created_at", lazy("Sent"), kind="datetime"),
        Column("expires_at", lazy("Link works until"), kind="datetime"),
    )

    def fetch(self, q: ListQuery) -> Any:
        return list_invitations(
            self.here.actor, self.here.account, virtual_account=self.here.va,
            open_only=not q.filters.get("all"), cursor=q.cursor, size=q.size,
        )  # fmt: skip

    def row_menu(self, row: Any) -> list[kit.MenuItem]:
        if row.state != "open" or not self.here.scope.allows(MANAGE, row.virtual_account_id):
            return []
        return [
            kit.MenuItem(_("Send again"), self.here.url("people-invitation-resend", uid=row.uid), "send", post=True),
            kit.MenuItem(_("Withdraw"), self.here.url("people-invitation-withdraw", uid=row.uid), "x", post=True),
        ]


def state_of(invitation: Any) -> kit.State:
    """An invitation's state in words."""
    if invitation.state == "accepted":
        return kit.State("accepted", text=_("Accepted"))
    if invitation.state == "withdrawn":
        return kit.State("cancelled", text=_("Withdrawn"))
    if invitation.expires_at <= now():
        return kit.State("ended", text=_("Link ended"))
    return kit.State("waiting", text=_("Waiting for an answer"))


@account_page(Permission.USERS_VIEW)
def invitations(request: HttpRequest, here: Here) -> HttpResponseBase:
    """The list of invitations."""
    context: dict[str, Any] = {"tabs": tabs(here, "invitations")}
    if here.may(MANAGE):
        context["primary"] = kit.Action(here.url("people-invite"), _("Invite"), "user-plus")
    return InvitationList(request, here=here).response(context)


@require_POST
@account_page(Permission.USERS_VIEW)
def resend(request: HttpRequest, here: Here, uid: str) -> HttpResponseBase:
    """Send an invitation again."""

    def act() -> str:
        found = resend_invitation(here.actor, account=here.account, invitation_uid=uid)
        kit.tell(request, "done", _("The invitation was sent to %(email)s again.") % {"email": found.email})
        return here.url("people-invitations")

    return parts.once(request, act)


@require_POST
@account_page(Permission.USERS_VIEW)
def withdraw(request: HttpRequest, here: Here, uid: str) -> HttpResponseBase:
    """Withdraw an invitation."""

    def act() -> str:
        withdraw_invitation(here.actor, account=here.account, invitation_uid=uid)
        kit.tell(request, "done", _("The invitation is withdrawn."))
        return here.url("people-invitations")

    return parts.once(request, act)
