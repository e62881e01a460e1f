"""Where each interface begins. `/healthz` and `/readyz` are answered before routing, by the portal's health middleware."""

from importlib.util import find_spec

from django.urls import include, path

urlpatterns = [
    path("account/", include("allauth.urls")),
    path("", include("daicho.interfaces.portal.urls")),
]
if find_spec("daicho.interfaces.api"):
    urlpatterns.insert(0, path("api/v1/", include("daicho.interfaces.api.urls")))

handler500 = "daicho.config.faults.server_error"
