from django.db import migrations

from daicho.core.db import AppendOnly


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]
    operations = [AppendOnly("audit_event"), AppendOnly("audit_seal"), AppendOnly("audit_sealblock")]
