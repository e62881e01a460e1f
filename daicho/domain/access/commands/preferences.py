"""What a person chose in a list and wants to find again: its columns, its saved conditions (design.md §4, tables)."""

from __future__ import annotations

from daicho.core.actor import Actor
from daicho.core.commands import command
from daicho.domain.access.models import Preference
from daicho.domain.access.policy import ensure_signed_in

MOST_COLUMNS, MOST_VIEWS, LONGEST_NAME, LONGEST_QUERY = 100, 20, 60, 4_000


@command(permission=None, events=())
def keep_list_choices(actor: Actor, *, list_key: str, columns: list[str] | None, views: list[tuple[str, str]]) -> None:
    """A person keeps the columns of a list and its saved conditions (name, query string).

    `columns` None: as the list has them. The newest 20 conditions are kept; names to 60, queries to 4,000 characters.
    """
    user = ensure_signed_in(actor)
    kept = [(name[:LONGEST_NAME], query) for name, query in views if len(query) <= LONGEST_QUERY][-MOST_VIEWS:]
    value = {"columns": columns[:MOST_COLUMNS] if columns is not None else None, "views": kept}
    Preference.objects.update_or_create(user=user, key=f"list.{list_key}"[:100], defaults={"value": value})
