"""Time as markets count it: Saturdays and Sundays are none. Pure."""

from datetime import UTC, datetime, time, timedelta
from typing import Final

_WEEKDAYS: Final = 5


def time_on_weekdays(since: datetime, until: datetime) -> timedelta:
    """What passed between two moments, without the Saturdays and Sundays (UTC) in between.

    Friday 22:00 to Monday 22:00 is one day; no moment of a weekend is later than its Friday's end. Negative where
    `until` is before `since`.
    """
    return _on_weekdays(until.astimezone(UTC)) - _on_weekdays(since.astimezone(UTC))


def _on_weekdays(moment: datetime) -> timedelta:
    """What has passed since a Monday long ago."""
    weeks, weekday = divmod(moment.toordinal() - 1, 7)  # day 1 is a Monday
    if weekday >= _WEEKDAYS:
        return timedelta(days=_WEEKDAYS * (weeks + 1))
    return timedelta(days=_WEEKDAYS * weeks + weekday) + (moment - datetime.combine(moment.date(), time(0), UTC))
