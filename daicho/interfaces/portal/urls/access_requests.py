"""Requests for access: the administrators' side and the asker's."""

from django.urls import path

from daicho.interfaces.portal.views import access_requests
from daicho.interfaces.portal.web import account_paths

urlpatterns = [
    *account_paths("access-requests/", access_requests.requests, "access_requests-list"),
    *account_paths("access-requests/<str:uid>/", access_requests.detail, "access_requests-detail"),
    path("me/access/", access_requests.own, name="me-access"),
    path("me/access/requests/<str:uid>/withdraw/", access_requests.withdraw, name="me-access-withdraw"),
    path("me/access/<str:identifier>/", access_requests.ask, name="me-access-ask"),
]
