"""When the clocks of a zone change, found by asking the zone itself. Pure.

Two changes within one day would hide each other; no zone has ever had such a day.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import MAXYEAR, UTC, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

_DAY: Final = timedelta(days=1)
_SECOND: Final = timedelta(seconds=1)


@dataclass(frozen=True, kw_only=True)
class ClockChange:
    """At `instant` (aware, UTC) the local clock goes from `before` to `after` (naive wall times)."""

    instant: datetime
    before: datetime
    after: datetime

    @property
    def is_gap(self) -> bool:
        """Local times from `before` to `after` never happen; otherwise those from `after` to `before` happen twice."""
        return self.after > self.before

    @property
    def offset(self) -> timedelta:
        """Local time minus UTC once the clock has changed."""
        return self.after - self.instant.replace(tzinfo=None)


def changes(zone: ZoneInfo, after: datetime, until: datetime) -> Iterator[ClockChange]:
    """Every change later than `after` and not later than `until` (both aware, UTC), in order."""
    for year in range(after.year, until.year + 1):
        for change in _changes_of_year(zone, year):
            if after < change.instant <= until:
                yield change


def end_of_second_pass(zone: ZoneInfo, now: datetime) -> datetime | None:
    """The wall time at which the repeated time ends that the local clock shows at `now`; None when it repeats none."""
    local = now.astimezone(zone)
    if local.fold == 0:
        return None
    newest = max(changes(zone, now - 2 * _DAY, now), key=lambda change: change.instant, default=None)
    return None if newest is None else newest.before


@lru_cache(maxsize=4096)
def _changes_of_year(zone: ZoneInfo, year: int) -> tuple[ClockChange, ...]:
    if year >= MAXYEAR:
        return ()
    found, day, offset = [], datetime(year, 1, 1, tzinfo=UTC), _offset(zone, datetime(year, 1, 1, tzinfo=UTC))
    while day.year == year:
        following = day + _DAY
        if _offset(zone, following) != offset:
            found.append(_change_between(zone, day, following))
            offset = _offset(zone, following)
        day = following
    return tuple(found)


def _change_between(zone: ZoneInfo, low: datetime, high: datetime) -> ClockChange:
    """The change later than `low` and not later than `high`, to the second."""
    old = _offset(zone, low)
    while high - low > _SECOND:
        middle = low + (high - low) // (2 * _SECOND) * _SECOND
        low, high = (middle, high) if _offset(zone, middle) == old else (low, middle)
    wall = high.replace(tzinfo=None)
    return ClockChange(instant=high, before=wall + old, after=wall + _offset(zone, high))


def _offset(zone: ZoneInfo, instant: datetime) -> timedelta:
    return instant.astimezone(zone).replace(tzinfo=None) - instant.replace(tzinfo=None)
