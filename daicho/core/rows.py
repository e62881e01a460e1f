"""Rows of tables as Django's models, made several times quicker than Django makes them.

A page of fifty rows reads some hundred models. Django sets each of their fields through its descriptors and tells signals
of it; here nobody listens, and what was just read needs no conversion.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Self

from django.db import models
from django.db.models.base import ModelState


class Row(models.Model):
    """What our tables derive from."""

    class Meta:
        abstract = True

    @classmethod
    def from_db(
        cls, db: str | None, field_names: Collection[str], values: Collection[Any], *, fetch_mode: Any = None
    ) -> Self:
        """A row as it was read; fields that were left out are read when they are asked for."""
        row = cls.__new__(cls)
        state = row.__dict__["_state"] = ModelState()
        state.db, state.adding = db, False
        if fetch_mode is not None:
            state.fetch_mode = fetch_mode
        row.__dict__.update(zip(field_names, values, strict=True))
        return row
