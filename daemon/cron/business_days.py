"""Which dates are business days: every weekday but the holidays, or exactly the sessions of an exchange. Pure.

Beyond its dates a calendar knows nothing: `knows` says so, and the other answers are then those of plain weekdays.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

_DAY: Final = timedelta(days=1)
_SATURDAY: Final = 5


@dataclass(frozen=True, kw_only=True)
class BusinessDays:
    """A calendar. Give `holidays`, or `sessions` with the first and last date that they cover."""

    holidays: frozenset[date] = frozenset()
    sessions: frozenset[date] | None = None
    since: date | None = None  # the first date that it is good for; None: any
    until: date | None = None  # the last one; None: any

    @classmethod
    def without(cls, holidays: Iterable[date], until: date | None = None) -> "BusinessDays":
        """Every Monday to Friday that is not in `holidays`."""
        return cls(holidays=frozenset(holidays), until=until)

    @classmethod
    def of_sessions(cls, sessions: Iterable[date], first: date, last: date) -> "BusinessDays":
        """Exactly `sessions`, which are complete from `first` to `last`."""
        return cls(sessions=frozenset(sessions), since=first, until=last)

    def knows(self, day: date) -> bool:
        """Whether the calendar is good for `day`."""
        return (self.since is None or self.since <= day) and (self.until is None or day <= self.until)

    def is_business_day(self, day: date) -> bool:
        """Whether business is done on `day`."""
        if self.sessions is not None and self.knows(day):
            return day in self.sessions
        return day.weekday() < _SATURDAY and day not in self.holidays

    def previous(self, day: date) -> date:
        """The last business day before `day`."""
        return self._first_from(day - _DAY, -_DAY)

    def next(self, day: date) -> date:
        """The first business day after `day`."""
        return self._first_from(day + _DAY, _DAY)

    def _first_from(self, day: date, step: timedelta) -> date:
        while not self.is_business_day(day):
            day += step
        return day


WEEKDAYS: Final = BusinessDays()
