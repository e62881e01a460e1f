"""The one clock. UTC inside; an end *date* means the end of that day in the account's time zone (ledger.md, lot)."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

FOREVER = dt.datetime(9999, 1, 1, tzinfo=dt.UTC)


def now() -> dt.datetime:
    """This instant, in UTC."""
    return dt.datetime.now(dt.UTC)


def start_of_day(day: dt.date, zone: str) -> dt.datetime:
    """The first instant of a day in a zone, in UTC."""
    return dt.datetime.combine(day, dt.time.min, ZoneInfo(zone)).astimezone(dt.UTC)


def end_of_day(day: dt.date, zone: str) -> dt.datetime:
    """The instant at which a day is over in a zone (exclusive), in UTC."""
    return start_of_day(day + dt.timedelta(days=1), zone)


def last_day(end_at: dt.datetime, zone: str) -> dt.date:
    """The last day that is wholly or partly before `end_at` in a zone: the inverse of `end_of_day`."""
    return (end_at - dt.timedelta(microseconds=1)).astimezone(ZoneInfo(zone)).date()


def day_of(at: dt.datetime, zone: str) -> dt.date:
    """The date of an instant in a zone."""
    return at.astimezone(ZoneInfo(zone)).date()


def today(zone: str) -> dt.date:
    """The date it is now in a zone."""
    return day_of(now(), zone)
