from django.apps import AppConfig


class OrdersConfig(AppConfig):
    name = "daicho.domain.orders"
    label = "orders"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Let the ledger find lots by the numbers of orders, which stand above it."""
        from daicho.domain.ledger.queries import words
        from daicho.domain.orders.queries.naming import lots_of_orders

        words.lots_of_orders[:] = [lots_of_orders]
