"""Programs of an account."""

from daicho.interfaces.portal.views import api_clients
from daicho.interfaces.portal.web import account_paths

urlpatterns = [
    *account_paths("api-clients/", api_clients.clients, "api_clients-list"),
    *account_paths("api-clients/new/", api_clients.new, "api_clients-new"),
    *account_paths("api-clients/<str:uid>/", api_clients.detail, "api_clients-detail"),
    *account_paths("api-clients/<str:uid>/secret/", api_clients.rotate, "api_clients-rotate"),
    *account_paths("api-clients/<str:uid>/revoke/", api_clients.revoke, "api_clients-revoke"),
]
