"""Orders of an account."""

from daicho.interfaces.portal.views import orders, orders_assign, orders_assign_many
from daicho.interfaces.portal.web import account_paths

urlpatterns = [
    *account_paths("orders/", orders.orders, "orders-list"),
    *account_paths("orders/unassigned/", orders.unassigned, "orders-unassigned"),
    *account_paths("orders/assign/", orders_assign.assign, "orders-assign"),
    *account_paths("orders/assign/start/", orders_assign_many.start, "orders-assign-start"),
    *account_paths("orders/assign/matching/", orders_assign_many.matching, "orders-assign-matching"),
    *account_paths("orders/card/", orders.card, "orders-card"),
    *account_paths("orders/assignments/<str:entry>/undo/", orders.undo, "orders-undo"),
    *account_paths("orders/<str:uid>/", orders.detail, "orders-detail"),
]
