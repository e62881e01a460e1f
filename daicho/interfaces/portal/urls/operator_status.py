from django.urls import path

from daicho.interfaces.portal.views import operator_status

urlpatterns = [
    path("operator/status/", operator_status.page, name="operator_status-page"),
    path("operator/status/check-ledger/", operator_status.check_the_ledger, name="operator_status-check-ledger"),
    path("operator/status/verify-log/", operator_status.verify_the_log, name="operator_status-verify-log"),
    path("operator/status/mails/retry/", operator_status.retry_all, name="operator_status-retry-all"),
    path("operator/status/mails/<str:uid>/retry/", operator_status.retry_one, name="operator_status-retry"),
]
