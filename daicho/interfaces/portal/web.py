"""From a request to a command and back: who acts, where the page stands, how a refusal is shown.

A view is `def view(request, here, …)` under one of four decorators, which log people in, fetch and permit in one step
and turn a BusinessError that the view did not handle into a page with its code:

    @account_page(Permission.LICENSES_VIEW)     /a/<identifier>/… and /a/<identifier>/va/<va>/…   here.account, here.va
    @operator_page(OperatorPermission.CATALOG)  /operator/…
    @partner_page                               /partner/<company>/…                              here.company
    @signed_in_page                             everything that only needs a person
"""

from __future__ import annotations

import functools
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import get_language

from daicho.core.actor import Actor, ActorKind
from daicho.core.errors import BusinessError, FieldErrors, NotFound
from daicho.domain.access import policy
from daicho.domain.access.policy import Scope
from daicho.domain.access.rules import OperatorPermission, Permission

if TYPE_CHECKING:
    from daicho.domain.access.models import PartnerCompany
    from daicho.domain.tenancy.models import SmartAccount, VirtualAccount

type View = Callable[..., HttpResponseBase]


@dataclass(frozen=True, slots=True)
class Here:
    """Where a page stands: who looks, at which account and virtual account, with which rights."""

    actor: Actor
    frame: str = "signed_in"
    account_or_none: SmartAccount | None = None
    va: VirtualAccount | None = None
    company_or_none: PartnerCompany | None = None
    scope: Scope = field(default_factory=Scope)

    @property
    def account(self) -> SmartAccount:
        """The account of an account page."""
        if self.account_or_none is None:
            raise LookupError("this page stands in no account")
        return self.account_or_none

    @property
    def company(self) -> PartnerCompany:
        """The partner company of a partner page."""
        if self.company_or_none is None:
            raise LookupError("this page stands in no partner company")
        return self.company_or_none

    def may(self, permission: Permission | str) -> bool:
        """For showing or leaving out an act; the command asks the door itself."""
        wanted = Permission(permission)
        if self.va is not None:
            return self.scope.allows(wanted, self.va.pk)
        return self.scope.allows_somewhere(wanted)

    def url(self, name: str, **kwargs: Any) -> str:
        """The address of a page in this account, in the same virtual account when the page stands in one."""
        if self.account_or_none is not None:
            kwargs.setdefault("identifier", self.account.identifier)
        if self.va is not None:
            kwargs.setdefault("va", self.va.uid)
        if self.company_or_none is not None:
            kwargs.setdefault("company", self.company.uid)
        if kwargs.get("va", "") is None:
            kwargs.pop("va")
        return address(name, kwargs)


PLAIN_HANDLE = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*\Z")  # nothing that an address would have to quote


def address(name: str, kwargs: dict[str, Any]) -> str:
    """`reverse`, quicker: a list of two hundred rows asks for several hundred addresses of a few pages."""
    pattern = _pattern(name, tuple(kwargs))
    if pattern and all(PLAIN_HANDLE.match(str(value)) for value in kwargs.values()):
        return pattern.format_map(kwargs)
    return reverse(name, kwargs=kwargs)


@functools.cache
def _pattern(name: str, parameters: tuple[str, ...]) -> str:
    """A page's address with its parameters in braces; "" where one of them is no plain text."""
    marks = {parameter: f"-{number}-mark-" for number, parameter in enumerate(parameters)}
    try:
        text = reverse(name, kwargs=marks)
    except NoReverseMatch:
        return ""
    for parameter, mark in marks.items():
        text = text.replace(mark, f"{{{parameter}}}")
    return text


def actor_of(request: HttpRequest) -> Actor:
    """The acting person; somebody who is not logged in is an anonymous actor whom no door lets in."""
    user = request.user
    language = get_language() or "en"
    address = request.META.get("REMOTE_ADDR", "")
    if not user.is_authenticated:
        return Actor(ActorKind.ANONYMOUS, "", interface="portal", address=address, language=language)
    return Actor(
        ActorKind.USER,
        user.name or user.email,
        user_id=user.pk,
        is_operator=user.is_operator,
        interface="portal",
        address=address,
        language=language,
        request_id=request_id_of(request),
        memo={} if request.method in ("GET", "HEAD") else None,  # what changes rights asks for them anew
    )


def request_id_of(request: HttpRequest) -> uuid.UUID:
    """The form's own id (hidden field `request_id`), so that a double click acts once; a new one otherwise."""
    try:
        return uuid.UUID(request.POST.get("request_id", ""))
    except ValueError:
        return uuid.uuid4()


def account_paths(route: str, view: View, name: str) -> list[URLPattern]:
    """An account page under the whole account and under one of its virtual accounts, by one name."""
    return [
        path(f"a/<str:identifier>/{route}", view, name=name),
        path(f"a/<str:identifier>/va/<str:va>/{route}", view, name=name),
    ]


def account_page(permission: Permission) -> Callable[[View], View]:
    """A page in an account, or in one of its virtual accounts when the address names one.

    Under the whole account it opens to who holds the permission anywhere in it: lists show that part, and commands ask
    the door again for each virtual account.
    """

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def page(request: HttpRequest, identifier: str, va: str | None = None, **kwargs: Any) -> HttpResponseBase:
            def answer(actor: Actor) -> HttpResponseBase:
                account = policy.find_account(actor, identifier)
                found = policy.find_virtual_account(actor, account, va) if va is not None else None
                scope = policy.scope_of(actor, account)
                if found is not None or not scope.allows_somewhere(permission):
                    policy.ensure_may(actor, permission, account, found)
                return _show(request, view, Here(actor, "account", account, found, None, scope), kwargs)

            return _signed_in(request, answer)

        return page

    return decorate


def operator_page(permission: OperatorPermission) -> Callable[[View], View]:
    """A page of the licensor's staff; nobody else learns that it exists."""

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def page(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
            def answer(actor: Actor) -> HttpResponseBase:
                policy.ensure_operator(actor, permission)
                return _show(request, view, Here(actor, "operator"), kwargs)

            return _signed_in(request, answer)

        return page

    return decorate


def partner_page(view: View) -> View:
    """A page of a partner company, for its members."""

    @functools.wraps(view)
    def page(request: HttpRequest, company: str, **kwargs: Any) -> HttpResponseBase:
        def answer(actor: Actor) -> HttpResponseBase:
            found = policy.get_company(actor, company)
            return _show(request, view, Here(actor, "partner", company_or_none=found), kwargs)

        return _signed_in(request, answer)

    return page


def signed_in_page(view: View) -> View:
    """A page for any person who is logged in."""

    @functools.wraps(view)
    def page(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        return _signed_in(request, lambda actor: _show(request, view, Here(actor), kwargs))

    return page


def public_page(view: View) -> View:
    """A page for everybody; `here.actor` may be anonymous."""

    @functools.wraps(view)
    def page(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        frame = "signed_in" if request.user.is_authenticated else "public"
        try:
            return _show(request, view, Here(actor_of(request), frame), kwargs)
        except BusinessError as error:
            return refusal(request, error)

    return page


def _signed_in(request: HttpRequest, answer: Callable[[Actor], HttpResponseBase]) -> HttpResponseBase:
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    timezone.activate(ZoneInfo(request.user.time_zone))
    try:
        return answer(actor_of(request))
    except BusinessError as error:
        return refusal(request, error)


def _show(request: HttpRequest, view: View, here: Here, kwargs: dict[str, Any]) -> HttpResponseBase:
    request.here = here  # type: ignore[attr-defined]  # read by the frame's context (navigation.py)
    return view(request, here, **kwargs)


def refusal(request: HttpRequest, error: BusinessError) -> HttpResponse:
    """A refusal that no form shows: the page of its status, with the code; a fragment for parts of pages."""
    if isinstance(error, NotFound) or error.http_status == 404:
        raise Http404
    part = request.headers.get("HX-Request-Type") == "partial"
    template = "errors/_refusal.html" if part else "errors/refusal.html"
    return render(request, template, {"error": error, "title": error.text()}, status=error.http_status)


def show_errors(form: forms.Form, error: BusinessError) -> None:
    """Put a command's refusal where it belongs: at its fields, or on top of the form."""
    if isinstance(error, FieldErrors):
        for name, problem in error.errors.items():
            form.add_error(
                name if name in form.fields else None, forms.ValidationError(problem.text(), code=problem.code)
            )
    else:
        form.add_error(None, forms.ValidationError(error.text(), code=error.code))
