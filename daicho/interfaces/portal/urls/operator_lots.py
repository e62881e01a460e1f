"""The operator's work on an account's lots."""

from django.urls import path

from daicho.interfaces.portal.views import operator_co_term, operator_lots

AT = "operator/accounts/<str:identifier>/lots/"

urlpatterns = [
    path(AT, operator_lots.listing, name="operator_lots-list"),
    path(f"{AT}co-term/", operator_co_term.co_term, name="operator_lots-co-term"),
    path(f"{AT}<str:lot>/", operator_lots.detail, name="operator_lots-detail"),
    path(f"{AT}<str:lot>/correct/", operator_lots.correct, name="operator_lots-correct"),
    path(f"{AT}<str:lot>/revoke/", operator_lots.revoke, name="operator_lots-revoke"),
]
