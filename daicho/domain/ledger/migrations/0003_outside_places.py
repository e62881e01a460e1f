from typing import Any

from django.db import migrations


def add(apps: Any, schema_editor: Any) -> None:
    place = apps.get_model("ledger", "Place")
    for kind in ("issued", "cancelled", "converted"):
        place.objects.using(schema_editor.connection.alias).create(kind=kind)


class Migration(migrations.Migration):
    dependencies = [("ledger", "0002_append_only")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
