from django.db import migrations

from daicho.core.db import AppendOnly


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial")]
    operations = [AppendOnly("ledger_posting"), AppendOnly("ledger_usechange"), AppendOnly("ledger_lot")]
