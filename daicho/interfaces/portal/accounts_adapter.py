"""How allauth behaves here: it keeps log-in, the domain keeps what happened, the outbox sends the mails."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from daicho.domain.access.commands.people import (
    confirm_address,
    note_failed_log_in,
    note_user_event,
    register_user,
)
from daicho.domain.mailbox.commands import post_mail
from daicho.domain.tenancy.rules import normal_address
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal.web import actor_of

# allauth's mail → our text, and what it needs besides the person.
MAILS = {
    "account/email/email_confirmation": ("confirm_address", "activate_url"),
    "account/email/email_confirmation_signup": ("confirm_address", "activate_url"),
    "account/email/password_reset_key": ("reset_password", "password_reset_url"),
    "account/email/unknown_account": ("unknown_address", "signup_url"),
    "account/email/account_already_exists": ("address_known", "password_reset_url"),
}
# What is told on the next page; everything else of allauth's messages is seen on the page itself.
TOLD = {
    "account/messages/email_confirmed.txt": ("done", _("Your mail address is confirmed.")),
    "account/messages/email_confirmation_failed.txt": ("error", _("This mail address belongs to another user.")),
    "account/messages/email_confirmation_sent.txt": ("info", _("We have sent a mail with a link to confirm the address.")),
    "account/messages/password_changed.txt": ("done", _("Your password is changed.")),
    "account/messages/password_set.txt": ("done", _("Your password is changed.")),
    "account/messages/logged_out.txt": ("done", _("You are logged out.")),
    "mfa/messages/totp_activated.txt": ("done", _("Two-step login is on. Keep the recovery codes in a safe place.")),
    "mfa/messages/totp_deactivated.txt": ("done", _("Two-step login is off.")),
    "mfa/messages/recovery_codes_generated.txt": ("done", _("There are new recovery codes. The old ones do not work any more.")),
    "usersessions/messages/sessions_logged_out.txt": ("done", _("You are logged out everywhere else.")),
}  # fmt: skip


class AccountAdapter(DefaultAccountAdapter):
    """Log-in by mail address; sign-up with name, department and language; mails through the outbox."""

    def clean_email(self, email: str) -> str:
        return normal_address(email)

    def save_user(self, request: HttpRequest, user: Any, form: Any, commit: bool = True) -> Any:
        super().save_user(request, user, form, commit=False)
        data = form.cleaned_data
        return register_user(
            actor_of(request),
            user=user,
            name=data.get("name", ""),
            department=data.get("department", ""),
            language=data.get("language") or get_language() or settings.LANGUAGE_CODE,
        )

    def confirm_email(self, request: HttpRequest, email_address: Any) -> bool:
        confirmed = bool(super().confirm_email(request, email_address))
        if confirmed:
            confirm_address(actor_of(request), user=email_address.user, email=email_address.email)
        return confirmed

    def pre_login(self, request: HttpRequest, user: Any, **kwargs: Any) -> Any:
        """Somebody whose address was confirmed elsewhere (at the console) need not confirm it again."""
        if user.email_confirmed_at is not None:
            user.emailaddress_set.get_or_create(email=user.email, defaults={"verified": True, "primary": True})
        return super().pre_login(request, user, **kwargs)

    def login(self, request: HttpRequest, user: Any) -> None:
        super().login(request, user)
        note_user_event(actor_of(request), user=user, kind="user.logged_in")

    def logout(self, request: HttpRequest) -> None:
        if request.user.is_authenticated:
            note_user_event(actor_of(request), user=request.user, kind="user.logged_out")
        super().logout(request)

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        note_failed_log_in(actor_of(request), email=str(credentials.get("email", "")))

    def get_email_confirmation_url(self, request: HttpRequest, emailconfirmation: Any) -> str:
        """The link carries where the person was going, an invitation say, also into another browser."""
        url = str(super().get_email_confirmation_url(request, emailconfirmation))
        target = request.POST.get("next") or request.GET.get("next") or ""
        if target and url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()}):
            url += f"?{urlencode({'next': target})}"
        return url

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        known = MAILS.get(template_prefix)
        if known is None:
            return
        template, link = known
        user = context.get("user")
        post_mail(
            template,
            to=email,
            to_name=user.name if user is not None else "",
            language=user.language if user is not None else get_language() or settings.LANGUAGE_CODE,
            time_zone=user.time_zone if user is not None else "Asia/Tokyo",
            link=str(context.get(link, "")),
        )

    def add_message(
        self,
        request: HttpRequest,
        level: int,
        message_template: str | None = None,
        message_context: dict[str, Any] | None = None,
        extra_tags: str = "",
        message: str | None = None,
    ) -> None:
        told = TOLD.get(message_template or "")
        if told is not None:
            kit.tell(request, told[0], told[1])


class TwoStepAdapter(DefaultMFAAdapter):
    """Staff of the licensor cannot turn two-step log-in off."""

    def can_delete_authenticator(self, authenticator: Any) -> bool:
        return not authenticator.user.is_operator and bool(super().can_delete_authenticator(authenticator))

    def send_notification_mail(self, *args: Any, **kwargs: Any) -> None:
        """The event log tells; no mail."""
