"""Business days between two dates: weekdays on which neither the exchange nor the broker is closed. Pure.

Dates are those of the exchange's own clock (see `exchange_date`); nothing here knows a time of day.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Final

_DAY: Final = timedelta(days=1)
_SATURDAY: Final = 5


@dataclass(frozen=True, kw_only=True)
class OpenDays:
    """Holidays of the exchange and of the broker: either one makes a day on which nothing can be closed.

    Source: orders_and_risk.md 6.4; fork bug-or-feature #50, where the broker rolled early around a weekend.
    """

    exchange: frozenset[date] = frozenset()
    broker: frozenset[date] = frozenset()

    def is_open(self, day: date) -> bool:
        return day.weekday() < _SATURDAY and day not in self.exchange and day not in self.broker

    def before(self, day: date, count: int) -> date:
        """The business day that lies `count` business days before `day`; for 0 `day` itself, or the last before it."""
        if count < 0:
            raise ValueError(f"{count} business days before {day} is a date after it; count from 0 upwards.")
        found, left = day, count
        while left > 0 or not self.is_open(found):
            found -= _DAY
            left -= self.is_open(found)
        return found

    def between(self, start: date, end: date) -> int:
        """Business days after `start` up to and including `end`; negative when `end` is the earlier one."""
        if end < start:
            return -self.between(end, start)
        return sum(self.is_open(day) for day in _days(start + _DAY, end))


def exchange_date(now: datetime, zone: tzinfo) -> date:
    """The date on the exchange's clock, whatever zone `now` is written in; its one door from instants to dates.

    Raises:
        ValueError: `now` has no zone.
    """
    if now.tzinfo is None:
        raise ValueError(f"{now.isoformat()} has no zone, so its date at the exchange is unknown. Pass an aware time.")
    return now.astimezone(zone).date()


def _days(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += _DAY
