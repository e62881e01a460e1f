"""Accounts and the customer file, for the operator."""

from django.urls import path

from daicho.interfaces.portal.views import operator_accounts

urlpatterns = [
    path("operator/accounts/", operator_accounts.listing, name="operator_accounts-list"),
    path("operator/customers/import/", operator_accounts.import_file, name="operator_accounts-import"),
    path("operator/customers/sample.csv", operator_accounts.sample, name="operator_accounts-sample"),
    path("operator/accounts/<str:identifier>/", operator_accounts.detail, name="operator_accounts-detail"),
    path("operator/accounts/<str:identifier>/licenses/", operator_accounts.licenses, name="operator_accounts-licenses"),
]
