from django.apps import AppConfig


class OrdersConfig(AppConfig):
    name = "daicho.domain.orders"
    label = "orders"
    default_auto_field = "django.db.models.BigAutoField"
