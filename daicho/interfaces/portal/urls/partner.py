"""Pages of a partner company."""

from django.urls import path

from daicho.interfaces.portal.views import orders_desk, orders_import, orders_record, partner
from daicho.interfaces.portal.views.orders_desk import both_desks

AT = "partner/<str:company>/"

urlpatterns = [
    path(f"{AT}", partner.home, name="partner-home"),
    path(f"{AT}orders/", both_desks(orders_desk.recorded)[0], name="partner-orders"),
    path(f"{AT}record/", both_desks(orders_record.record)[0], name="partner-order-new"),
    path(f"{AT}import/", both_desks(orders_import.upload)[0], name="partner-import"),
    path(f"{AT}import/template.<str:kind>", both_desks(orders_import.template)[0], name="partner-import-template"),
    path(f"{AT}import/<str:uid>/", both_desks(orders_import.preview)[0], name="partner-import-preview"),
    path(f"{AT}import/<str:uid>/rows.csv", both_desks(orders_import.bad_rows)[0], name="partner-import-bad"),
    path(f"{AT}orders/lines/<str:uid>/cancel/", both_desks(orders_desk.cancel)[0], name="partner-line-cancel"),
    path(f"{AT}orders/<str:uid>/", both_desks(orders_desk.order)[0], name="partner-order"),
]
