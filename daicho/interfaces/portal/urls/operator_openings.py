"""The operator's queue, openings and contests."""

from django.urls import path

from daicho.interfaces.portal.views import operator_openings

urlpatterns = [
    path("operator/", operator_openings.queue, name="operator_openings-queue"),
    path("operator/openings/", operator_openings.listing, name="operator_openings-list"),
    path("operator/openings/<str:uid>/", operator_openings.detail, name="operator_openings-detail"),
    path("operator/contests/<str:uid>/", operator_openings.contest, name="operator_openings-contest"),
]
