"""Programs of the operator."""

from django.urls import path

from daicho.interfaces.portal.views import operator_api_clients as views

AT = "operator/api-clients/"

urlpatterns = [
    path(AT, views.clients, name="operator_api_clients-list"),
    path(f"{AT}new/", views.new, name="operator_api_clients-new"),
    path(f"{AT}<str:uid>/", views.detail, name="operator_api_clients-detail"),
    path(f"{AT}<str:uid>/revoke/", views.revoke, name="operator_api_clients-revoke"),
]
