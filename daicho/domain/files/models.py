"""A file and its parts. In the database, so that one backup holds all and no shared disk is needed."""

from __future__ import annotations

from django.db import models

from daicho.core.clock import now
from daicho.core.ids import new_uid
from daicho.core.rows import Row


class StoredFile(Row):
    """A file, written once and never changed; whole as soon as `sha256` is filled.

    `owner` is who uploaded it (`Actor.owner`), empty for what Daicho wrote itself. A file that no row of another table
    points to is dropped after a day: whoever keeps one points to it by a foreign key (PROTECT).
    """

    uid = models.CharField(max_length=16, unique=True, default=new_uid, editable=False)
    name = models.CharField(max_length=200)
    media_type = models.CharField(max_length=100)
    size = models.BigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    owner = models.CharField(max_length=80, blank=True)
    created_at = models.DateTimeField(default=now, db_index=True)

    def __str__(self) -> str:
        return self.name


class FileChunk(Row):
    """One part, at most 1 MiB, numbered from 0; every part but the last is full."""

    file = models.ForeignKey(StoredFile, on_delete=models.CASCADE, related_name="chunks")
    number = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["file", "number"], name="file_chunk_once")]
