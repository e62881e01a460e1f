"""Versions of the account agreement, for the operator."""

from django.urls import path

from daicho.interfaces.portal.views import operator_agreements

urlpatterns = [
    path("operator/agreements/", operator_agreements.listing, name="operator_agreements-list"),
    path("operator/agreements/publish/", operator_agreements.publish, name="operator_agreements-publish"),
    path("operator/agreements/<str:uid>/", operator_agreements.text, name="operator_agreements-text"),
]
