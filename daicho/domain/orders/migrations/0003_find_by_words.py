from django.db import migrations

from daicho.core.search import PairsIndex


class Migration(migrations.Migration):

    dependencies = [("orders", "0002_fewer_indexes")]

    operations = [PairsIndex("orders_order", "order_by_words", "number_key", "customer_reference")]
