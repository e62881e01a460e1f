from django.db import migrations

from daicho.core.search import PairsIndex


class Migration(migrations.Migration):

    dependencies = [("ledger", "0006_lot_attachments")]

    operations = [PairsIndex("ledger_lotdetails", "lot_details_by_words", "management_number_key", "certificate_number_key", "department_key", "storage_place_key", "note_key")]
