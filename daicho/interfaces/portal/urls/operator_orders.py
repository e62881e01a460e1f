"""The operator's orders: all of them, those that wait for him, and what partners may deposit alone."""

from django.urls import path

from daicho.interfaces.portal.views import operator_orders, orders_desk, orders_import, orders_record
from daicho.interfaces.portal.views.orders_desk import both_desks

AT = "operator/orders/"

urlpatterns = [
    path(AT, both_desks(orders_desk.recorded)[1], name="operator_orders-list"),
    path(f"{AT}waiting/", operator_orders.waiting, name="operator_orders-waiting"),
    path(f"{AT}allowances/<str:company>/", operator_orders.allowances, name="operator_orders-allowances"),
    path(f"{AT}new/", both_desks(orders_record.record)[1], name="operator_orders-new"),
    path(f"{AT}import/", both_desks(orders_import.upload)[1], name="operator_orders-import"),
    path(f"{AT}import/template.<str:kind>", both_desks(orders_import.template)[1], name="operator_orders-template"),
    path(f"{AT}import/<str:uid>/", both_desks(orders_import.preview)[1], name="operator_orders-preview"),
    path(f"{AT}import/<str:uid>/rows.csv", both_desks(orders_import.bad_rows)[1], name="operator_orders-bad"),
    path(f"{AT}lines/<str:uid>/cancel/", both_desks(orders_desk.cancel)[1], name="operator_orders-cancel"),
    path(f"{AT}<str:uid>/", both_desks(orders_desk.order)[1], name="operator_orders-order"),
]
