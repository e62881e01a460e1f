"""Orders of an account."""

from daicho.interfaces.portal.views import orders, orders_assign
from daicho.interfaces.portal.web import account_paths

urlpatterns = [
    *account_paths("orders/", orders.orders, "orders-list"),
    *account_paths("orders/unassigned/", orders.unassigned, "orders-unassigned"),
    *account_paths("orders/assign/", orders_assign.assign, "orders-assign"),
    *account_paths("orders/card/", orders.card, "orders-card"),
    *account_paths("orders/assignments/<str:entry>/undo/", orders.undo, "orders-undo"),
    *account_paths("orders/<str:uid>/", orders.detail, "orders-detail"),
]
