from django.urls import path

from daicho.interfaces.portal.views import notifications

urlpatterns = [
    path("a/<str:identifier>/notifications/", notifications.settings, name="notifications-settings"),
    path("a/<str:identifier>/notifications/addresses/", notifications.addresses, name="notifications-addresses"),
    path(
        "a/<str:identifier>/notifications/addresses/<str:address>/remove/", notifications.remove,
        name="notifications-remove",
    ),
    path("notifications/confirm/<str:token>/", notifications.confirm, name="notifications-confirm"),
]  # fmt: skip
