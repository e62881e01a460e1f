"""Forms of allauth's pages in our words (S10)."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import LoginForm as AllauthLoginForm
from allauth.account.forms import SignupForm as AllauthSignupForm
from django import forms
from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from daicho.domain.tenancy.rules import normal_address


class AddressField(forms.EmailField):
    """A mail address, typed in any width and case."""

    def to_python(self, value: Any) -> Any:
        return normal_address(str(value)) if value else super().to_python(value)


class SignupForm(AllauthSignupForm):
    """Sign-up with the company's mail address."""

    name = forms.CharField(label=_("Full name"), max_length=100, widget=forms.TextInput({"autocomplete": "name"}))
    department = forms.CharField(label=_("Department"), max_length=100, required=False)
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
    field_order = ("email", "name", "department", "language", "password1", "password2")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"] = AddressField(
            label=_("Company mail address"),
            max_length=254,
            widget=forms.EmailInput({"autocomplete": "email"}),
        )
        self.fields["password1"].label = _("Password")
        self.fields["password1"].help_text = _("At least 12 characters.")
        self.fields["password2"].label = _("Password, again")
        self.fields["language"].initial = get_language()
        self.order_fields(self.field_order)


class LoginForm(AllauthLoginForm):
    """Log-in by mail address, typed in any width and case."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"] = AddressField(
            label=_("Mail address"), max_length=254, widget=forms.EmailInput({"autocomplete": "username"})
        )
        self.fields["password"].label = _("Password")
        self.order_fields(("login", "password"))
