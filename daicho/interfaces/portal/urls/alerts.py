from daicho.interfaces.portal.views import alerts
from daicho.interfaces.portal.web import account_paths

urlpatterns = [
    *account_paths("alerts/", alerts.alert_list, "alerts-list"),
    *account_paths("alerts/<str:alert>/hide/", alerts.hide, "alerts-hide"),
    *account_paths("alerts/<str:alert>/show/", alerts.show, "alerts-show"),
]
