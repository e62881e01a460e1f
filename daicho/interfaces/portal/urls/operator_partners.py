"""The operator's partner companies, and the appointment of administrators."""

from django.urls import path

from daicho.interfaces.portal.views import operator_partners as views

urlpatterns = [
    path("operator/partners/", views.companies, name="operator_partners-list"),
    path("operator/partners/new/", views.new, name="operator_partners-new"),
    path("operator/partners/<str:uid>/", views.detail, name="operator_partners-detail"),
    path("operator/partners/<str:uid>/members/<str:user>/remove/", views.remove, name="operator_partners-remove"),
    path("operator/partners/<str:uid>/api-clients/new/", views.client_new, name="operator_partners-client-new"),
    path(
        "operator/partners/<str:uid>/api-clients/<str:client>/revoke/",
        views.client_revoke,
        name="operator_partners-client-revoke",
    ),
    path("operator/accounts/<str:identifier>/administrator/", views.appoint, name="operator_partners-appoint"),
]
