"""A copy of the whole database in one file, and the way back.

`write_backup` may run while everybody works: the file holds one moment. On SQLite it is a SQLite database, on PostgreSQL
a zip with the rows of each table as COPY writes them; both say by a `Manifest` what they hold. `restore_backup` puts
it into an empty database of the same kind and the same migrations, whole or not at all.
"""

from daicho.core.backup.whole import read_manifest, restore_backup, write_backup

__all__ = ["read_manifest", "restore_backup", "write_backup"]
