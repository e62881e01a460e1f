"""Forms of the opening wizard: what each step asks. What may stand in a field is judged by the accounts room."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from daicho.domain.accounts.countries import country_choices
from daicho.interfaces.portal.components import Combobox

YES, NO = "yes", "no"


class AuthorityForm(forms.Form):
    """代表権限: oneself, or a named approver (S11)."""

    is_representative = forms.ChoiceField(
        label=_("Authority"),
        choices=[
            (YES, _("Yes, I am authorized to represent my company and to accept the activation.")),
            (NO, _("No. Somebody else in my company decides; I name that person.")),
        ],
        widget=forms.RadioSelect,
    )
    approver_name = forms.CharField(label=_("Name of the approver"), required=False, max_length=100)
    approver_email = forms.CharField(
        label=_("Mail address of the approver"),
        required=False,
        max_length=254,
        help_text=_("A company address. The approver gets a mail, decides there, and becomes Smart Account Approver."),
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )

    def values(self) -> dict[str, Any]:
        cleaned = dict(self.cleaned_data)
        return cleaned | {"is_representative": cleaned["is_representative"] == YES}


class AccountForm(forms.Form):
    """アカウント: identifier and name (S12, S13)."""

    identifier = forms.CharField(
        label=_("Domain identifier"),
        max_length=300,
        help_text=_("Normally the domain of your mail address. It cannot be changed later."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}),
    )
    account_name = forms.CharField(
        label=_("Account name"),
        max_length=200,
        help_text=_("The full name of your company."),
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )

    def values(self) -> dict[str, Any]:
        return dict(self.cleaned_data)


class AddressForm(forms.Form):
    """本社住所: entered, or filled in from the postal code (S14). Also for the account's settings."""

    country = forms.ChoiceField(label=_("Country"), widget=Combobox)
    postal_code = forms.CharField(
        label=_("Postal code"),
        max_length=20,
        required=False,
        help_text=_("Seven digits fill in the rest. Postal codes of single offices cannot be used."),
        widget=forms.TextInput(attrs={"autocomplete": "postal-code"}),
    )
    region = forms.CharField(
        label=_("Prefecture or state"),
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "address-level1"}),
    )
    city = forms.CharField(
        label=_("City"),
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "address-level2"}),
    )
    street = forms.CharField(
        label=_("Street and number"), max_length=200, widget=forms.TextInput(attrs={"autocomplete": "address-line1"})
    )
    building = forms.CharField(
        label=_("Building and floor"),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "address-line2"}),
    )
    phone = forms.CharField(
        label=_("Telephone"),
        max_length=32,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "tel", "type": "tel"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["country"].choices = country_choices(get_language() or "en")  # type: ignore[attr-defined]

    def values(self) -> dict[str, Any]:
        return dict(self.cleaned_data)


class ReasonForm(forms.Form):
    """The answer to why a company opens an account for this domain."""

    answer = forms.CharField(
        label=_("Reason"), max_length=1000, widget=forms.Textarea(attrs={"rows": 5, "maxlength": 1000})
    )


class DeclineForm(forms.Form):
    """Why somebody says no; the requester reads it."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=500,
        help_text=_("The requester reads it."),
        widget=forms.Textarea(attrs={"rows": 3, "maxlength": 500}),
    )


class ContestForm(forms.Form):
    """A domain that somebody else holds though it is ours."""

    identifier = forms.CharField(label=_("Domain identifier"), max_length=300)
    reason = forms.CharField(
        label=_("What is wrong"),
        max_length=1000,
        help_text=_("Say how the operator can check that the domain belongs to your company."),
        widget=forms.Textarea(attrs={"rows": 5, "maxlength": 1000}),
    )
