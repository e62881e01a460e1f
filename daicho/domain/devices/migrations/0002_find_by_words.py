from django.db import migrations

from daicho.core.search import PairsIndex


class Migration(migrations.Migration):

    dependencies = [("devices", "0001_initial")]

    operations = [PairsIndex("devices_device", "device_by_words", "name_key", "serial", "product_id")]
