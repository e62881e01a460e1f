"""登録トークン: what devices register with; issued, shown, revoked."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from daicho.core.errors import BusinessError
from daicho.domain.access.rules import Permission
from daicho.domain.devices.commands.tokens import (
    DAYS,
    MOST_DAYS,
    MOST_PLACES,
    MOST_USES,
    USES,
    issue_tokens,
    revoke_token,
    show_token,
)
from daicho.domain.devices.queries.devices import look_at_devices
from daicho.domain.devices.queries.tokens import (
    STATES,
    TokenRow,
    devices_of_token,
    get_token,
    list_tokens,
    look_at_tokens,
)
from daicho.domain.ledger.queries.sight import Sight, manageable
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal import words
from daicho.interfaces.portal.lists import ChoiceFilter, Column, Empty, ListPage, ListQuery, Page
from daicho.interfaces.portal.views.devices_list import devices_crumb, may_change
from daicho.interfaces.portal.web import Here, account_page, request_id_of, show_errors

STATE_WORDS = {
    "open": gettext_lazy("Open"),
    "used_up": gettext_lazy("Used up"),
    "expired": gettext_lazy("Expired"),
    "revoked": gettext_lazy("Revoked"),
}
LOOKS = {"open": "in_compliance", "used_up": "neutral", "expired": "ended", "revoked": "cancelled"}


class TokenForm(forms.Form):
    virtual_accounts = forms.MultipleChoiceField(
        label=gettext_lazy("Virtual accounts"), widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Each gets a token of its own; a device registers where its token is from."),
    )  # fmt: skip
    description = forms.CharField(label=gettext_lazy("Description"), required=False, max_length=200)
    days = forms.IntegerField(
        label=gettext_lazy("Expires after (days)"), initial=DAYS, min_value=1, max_value=MOST_DAYS
    )
    uses = forms.IntegerField(
        label=gettext_lazy("Devices that may register with it"), initial=USES, min_value=1, max_value=MOST_USES
    )
    export_controlled = forms.BooleanField(
        label=gettext_lazy("Allow export-controlled licenses"), required=False,
        help_text=gettext_lazy("Only for devices that may use them by law; whoever registers with it may."),
    )  # fmt: skip

    def __init__(self, *args: Any, places: list[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["virtual_accounts"].choices = [(place.uid, place.name) for place in places]  # type: ignore[attr-defined]


class TokenList(ListPage):
    key = "tokens"
    title = gettext_lazy("Registration tokens")
    text_label = gettext_lazy("Filter by description")
    filters = (ChoiceFilter("state", gettext_lazy("State"), [(state.value, STATE_WORDS[state]) for state in STATES]),)
    here: Here
    sight: Sight
    empty = Empty(
        gettext_lazy("No registration tokens yet"),
        gettext_lazy("A device registers by itself with a token of its virtual account."),
    )

    @property
    def columns(self) -> list[Column]:  # type: ignore[override]
        here = self.here
        columns = [
            Column("name", gettext_lazy("Description"), link=lambda r: here.url("tokens-detail", registration=r.token.uid)),
            Column("virtual_account", gettext_lazy("Virtual account"), value=lambda r: r.token.virtual_account.name, phone=True),
            Column("state", gettext_lazy("State"), kind="state", value=state_of),
            Column("left", gettext_lazy("Uses left"), kind="num", value=lambda r: r.token.uses_left, phone=True),
            Column("expires", gettext_lazy("Expires"), kind="datetime", value=lambda r: r.token.expires_at, phone=True),
            Column("export", gettext_lazy("Export-controlled"), kind="bool", value=lambda r: r.token.allows_export_controlled),
            Column("by", gettext_lazy("Issued by"), value=lambda r: r.token.created_by),
            Column("created", gettext_lazy("Issued on"), kind="datetime", value=lambda r: r.token.created_at),
        ]  # fmt: skip
        return columns if self.sight.is_wide else [c for c in columns if c.key != "virtual_account"]

    def fetch(self, q: ListQuery) -> Page:
        found = list_tokens(self.sight, state=q.filters.get("state", ""), text=q.text, cursor=q.cursor, size=q.size)
        return Page(found.rows, found.next_cursor, found.previous_cursor, found.count, found.count_is_exact)


def state_of(row: TokenRow) -> kit.State:
    return kit.State(LOOKS[row.state], text=str(STATE_WORDS[row.state]))


def tokens_crumb(here: Here) -> kit.Crumb:
    return kit.Crumb(_("Registration tokens"), here.url("tokens-list"))


@account_page(Permission.TOKENS_VIEW)
def listing(request: HttpRequest, here: Here) -> HttpResponseBase:
    sight = look_at_tokens(here.actor, here.account, here.va)
    context: dict[str, Any] = {}
    if may_change(here):
        context["primary"] = kit.Action(here.url("tokens-new"), _("Issue a token"), "plus")
    return TokenList(request, here=here, sight=sight).response(context)


@account_page(Permission.DEVICES_MANAGE)
def new(request: HttpRequest, here: Here) -> HttpResponseBase:
    sight = look_at_devices(here.actor, here.account)
    places = manageable(sight, uids=[here.va.uid]) if here.va else manageable(sight, limit=MOST_PLACES)
    first = [place.uid for place in places[:1]]
    form = TokenForm(request.POST or None, places=places, initial={"virtual_accounts": first})
    if request.method == "POST" and form.is_valid():
        read = form.cleaned_data
        try:
            made = issue_tokens(
                here.actor, account=here.account, request_id=request_id_of(request),
                virtual_accounts=[place for place in places if place.uid in read["virtual_accounts"]],
                description=read["description"], days=read["days"], uses=read["uses"],
                allows_export_controlled=read["export_controlled"],
            )  # fmt: skip
        except BusinessError as error:
            if error.http_status in (403, 404):
                raise
            show_errors(form, error)
        else:
            if len(made) == 1:
                return HttpResponseRedirect(here.url("tokens-detail", registration=made[0].uid))
            kit.tell(request, "done", _("%(count)s tokens were issued.") % {"count": len(made)})
            return HttpResponseRedirect(here.url("tokens-list"))
    context = {
        "title": _("Issue a registration token"),
        "crumbs": [devices_crumb(here), tokens_crumb(here), kit.Crumb(_("Issue a token"))],
        "form": form,
        "back_url": here.url("tokens-list"),
    }
    return render(request, "tokens/new.html", context, status=422 if form.errors else 200)


@account_page(Permission.TOKENS_VIEW)
def detail(request: HttpRequest, here: Here, registration: str) -> HttpResponseBase:
    return _page(request, here, registration)


@never_cache
@require_POST
@account_page(Permission.DEVICES_MANAGE)
def show(request: HttpRequest, here: Here, registration: str) -> HttpResponseBase:
    """The page with the secret, or the secret as a file; either is an event."""
    secret = show_token(here.actor, account=here.account, uid=registration)
    if request.POST.get("as") == "file":
        answer = HttpResponse(secret + "\n", content_type="text/plain; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="token-{registration}.txt"'
        return answer
    return _page(request, here, registration, secret)


@require_POST
@account_page(Permission.DEVICES_MANAGE)
def revoke(request: HttpRequest, here: Here, registration: str) -> HttpResponseBase:
    revoke_token(here.actor, account=here.account, uid=registration)
    kit.tell(request, "done", _("The token was revoked. Devices that registered with it stay."))
    return HttpResponseRedirect(here.url("tokens-detail", registration=registration))


def _page(request: HttpRequest, here: Here, registration: str, secret: str = "") -> HttpResponse:
    row = get_token(here.actor, here.account, registration)
    token, sight = row.token, look_at_devices(here.actor, here.account)
    manages = sight.may_manage(token.virtual_account_id)
    used = devices_of_token(sight, token)
    context = {
        "title": row.name,
        "crumbs": [devices_crumb(here), tokens_crumb(here), kit.Crumb(row.name)],
        "state": state_of(row),
        "facts": [
            kit.Fact(_("Virtual account"), token.virtual_account.name),
            kit.Fact(_("Uses left"), f"{token.uses_left:,} / {token.max_uses:,}"),
            kit.Fact(_("Expires"), words.datetime(token.expires_at)),
            kit.Fact(_("Export-controlled"), _("Yes") if token.allows_export_controlled else _("No")),
            kit.Fact(_("Issued by"), token.created_by),
            kit.Fact(_("Issued on"), words.datetime(token.created_at)),
            kit.Fact(_("Revoked by"), token.revoked_by),
        ],
        "secret": secret,
        "command": f"daicho-agent register --server {request.build_absolute_uri('/')} --token {secret}" if secret else "",
        "may_show": manages and row.state == "open",
        "may_revoke": manages and row.state != "revoked",
        "show_url": here.url("tokens-show", registration=registration),
        "revoke_url": here.url("tokens-revoke", registration=registration),
        "left": token.uses_left,
        "used": [
            {"name": device.name, "serial": device.serial, "place": device.unit.virtual_account.name,
             "url": here.url("devices-detail", va=None, device=device.uid)}
            for device in used
        ],
    }  # fmt: skip
    return render(request, "tokens/detail.html", context)
