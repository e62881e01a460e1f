"""The account agreement in one account: list, full text, difference to the last version, acceptance, files."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language, gettext_lazy, override
from django.utils.translation import gettext as _

from daicho.core.errors import BusinessError
from daicho.domain.access.rules import Permission, Role
from daicho.domain.accounts import rules
from daicho.domain.accounts.commands.agreements import accept_agreement
from daicho.domain.accounts.queries_agreements import AgreementInAccount, agreement_in_account, agreements_of
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal import prose, words
from daicho.interfaces.portal.web import Here, account_page

STATES = {
    rules.PENDING: ("waiting", gettext_lazy("Pending")),
    rules.ACCEPTED: ("in_compliance", gettext_lazy("Accepted")),
    rules.SUPERSEDED: ("neutral", gettext_lazy("Superseded")),
}


def language_now() -> str:
    return "ja" if (get_language() or "en").startswith("ja") else "en"


def _look(one: AgreementInAccount) -> kit.State:
    code, word = STATES[one.state]
    return kit.State(code, text=word)


def _row(here: Here, one: AgreementInAccount) -> dict[str, Any]:
    return {
        "version": one.agreement.version,
        "title": one.title(language_now()),
        "url": reverse("agreements-text", kwargs={"identifier": here.account.identifier, "uid": one.agreement.uid}),
        "published_at": one.agreement.published_at,
        "due": one.due,
        "state": _look(one),
        "acceptance": one.acceptance,
        "role": Role(one.acceptance.role).label if one.acceptance else "",
    }


@account_page(Permission.AGREEMENTS_VIEW)
def listing(request: HttpRequest, here: Here) -> HttpResponse:
    """What must one of us accept, by when?"""
    found = agreements_of(here.actor, here.account)
    pending = next((one for one in found if one.is_next), None)
    context = {
        "rows": [_row(here, one) for one in found],
        "pending": pending,
        "pending_url": _row(here, pending)["url"] if pending else "",
        "may_accept": here.may(Permission.AGREEMENTS_ACCEPT),
    }
    return render(request, "agreements/list.html", context)


@account_page(Permission.AGREEMENTS_VIEW)
def text(request: HttpRequest, here: Here, uid: str) -> HttpResponseBase:
    """The whole text; whoever may, accepts it here."""
    account = here.account
    one, last = agreement_in_account(here.actor, account, uid)
    refusal: BusinessError | None = None
    if request.method == "POST":
        try:
            accept_agreement(here.actor, account=account, agreement_uid=uid, language=language_now())
        except BusinessError as error:
            refusal = error
        else:
            kit.tell(
                request,
                "done",
                _("You have accepted the account agreement. Licenses that were waiting arrive within a minute."),
            )
            return HttpResponseRedirect(reverse("agreements-list", kwargs={"identifier": account.identifier}))
    language = language_now()
    old = (last.text_ja if language == "ja" else last.text_en) if last else ""
    context = {
        "one": one,
        "row": _row(here, one),
        "text": prose.html(one.text(language)),
        "old": old,
        "new": one.text(language),
        "refusal": refusal,
        "may_accept": here.may(Permission.AGREEMENTS_ACCEPT),
        "crumbs": [
            kit.Crumb(_("Account agreement"), reverse("agreements-list", kwargs={"identifier": account.identifier}))
        ],
    }
    return render(request, "agreements/text.html", context, status=refusal.http_status if refusal else 200)


@account_page(Permission.AGREEMENTS_VIEW)
def download(request: HttpRequest, here: Here, uid: str, file_format: str) -> HttpResponse:
    """The text as accepted (in the language of the acceptance), else in the page's language; PDF or plain text."""
    account = here.account
    one, _last = agreement_in_account(here.actor, account, uid)
    language = one.acceptance.language if one.acceptance else language_now()
    with override(language):
        facts = _facts(here, one)
        title, body = one.title(language), one.text(language)
        if file_format == "pdf":
            foot = f"{settings.OPERATOR_NAME} · {words.named(account.name, account.identifier)}"
            content: bytes = prose.pdf(title, body, language=language, facts=facts, foot=foot)
            kind = "application/pdf"
        else:
            head = "\n".join(_("%(name)s: %(value)s") % {"name": label, "value": value} for label, value in facts)
            content = f"{title}\n\n{head}\n\n{body}\n".encode()
            kind = "text/plain; charset=utf-8"
    response = HttpResponse(content, content_type=kind)
    name = f"account-agreement-v{one.agreement.version}-{account.identifier}.{file_format}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _facts(here: Here, one: AgreementInAccount) -> list[tuple[str, str]]:
    facts = [
        (str(_("Smart Account")), words.named(here.account.name, here.account.identifier)),
        (str(_("Version")), str(one.agreement.version)),
        (str(_("In force from")), words.datetime(one.due, zone=True)),
    ]
    if one.acceptance is not None:
        taken = one.acceptance
        facts += [
            (
                str(_("Accepted by")),
                words.listed((words.named(taken.user_name, taken.user_email), Role(taken.role).label)),
            ),
            (str(_("Accepted")), words.datetime(taken.at, zone=True)),
            (str(_("SHA-256 of the text")), taken.text_hash),
        ]
    return facts
