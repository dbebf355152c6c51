"""When the clocks of a zone change, found by asking the zone itself. Pure.

No zone has changed its clock twice within six days since 1970, so a look every six days misses nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import MAXYEAR, UTC, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

_LOOK: Final = timedelta(days=6)
_SECOND: Final = timedelta(seconds=1)
_LARGEST_SHIFT: Final = timedelta(minutes=180)
END_OF_TIME: Final = datetime(MAXYEAR, 12, 30, tzinfo=UTC)  # later, local times cannot be written down


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
    def is_correction(self) -> bool:
        """More than three hours: no daylight saving, but a new reckoning (a dateline); nothing is made up for."""
        return abs(self.after - self.before) > _LARGEST_SHIFT

    @property
    def offset(self) -> timedelta:
        """Local time minus UTC once the clock has changed."""
        return self.after - self.instant.replace(tzinfo=None)


@dataclass(frozen=True)
class Stretch:
    """Instants from `begin` to before `end`, in which the local clock runs evenly. `change` is what began it, if known:
    any change of the last six days is."""

    begin: datetime
    end: datetime
    offset: timedelta
    change: ClockChange | None

    def wall(self, instant: datetime) -> datetime:
        """What the local clock shows at `instant`, by the reckoning of this stretch."""
        return instant.replace(tzinfo=None) + self.offset


def changes(zone: ZoneInfo, after: datetime, until: datetime) -> Iterator[ClockChange]:
    """Every change later than `after` and not later than `until` (both aware, UTC), in order."""
    for year in range(after.year, until.year + 1):
        for stretch in _stretches_of_year(zone, year):
            change = stretch.change
            if change is not None and change.instant.year == year and after < change.instant <= until:
                yield change


def stretch_at(zone: ZoneInfo, instant: datetime) -> Stretch:
    """The stretch in which `instant` (aware, UTC) lies; it ends with the year at the latest."""
    stretches = _stretches_of_year(zone, instant.year)
    return next(stretch for stretch in reversed(stretches) if stretch.begin <= instant)


def first_instant(zone: ZoneInfo, wall: datetime) -> datetime:
    """The instant (UTC) at which the local clock first shows `wall` (naive); for a time in a gap, the gap's end."""
    instant = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == wall:
        return instant
    change = stretch_at(zone, instant).change
    assert change is not None, f"{wall} does not exist in {zone}, and no change of the clock says why"
    return change.instant


@lru_cache(maxsize=8192)
def _stretches_of_year(zone: ZoneInfo, year: int) -> tuple[Stretch, ...]:
    """From six days before the year, so that a change just before it is known, to its end."""
    begin = datetime(year, 1, 1, tzinfo=UTC) - _LOOK
    end = datetime(year + 1, 1, 1, tzinfo=UTC) if year < MAXYEAR else END_OF_TIME
    looks = [*(begin + i * _LOOK for i in range((end - begin) // _LOOK)), end - _SECOND]
    offsets = [_offset(zone, look) for look in looks]
    found = [_change_between(zone, looks[i - 1], looks[i]) for i in range(1, len(looks))
             if offsets[i - 1] != offsets[i]]
    begins = [begin, *(change.instant for change in found)]
    return tuple(map(Stretch, begins, [*begins[1:], end], [offsets[0], *(change.offset for change in found)],
                     [None, *found]))


def _change_between(zone: ZoneInfo, low: datetime, high: datetime) -> ClockChange:
    """The change later than `low` and not later than `high`, to the second."""
    old, new = _offset(zone, low), _offset(zone, high)
    while high - low > _SECOND:
        middle = low + (high - low) // (2 * _SECOND) * _SECOND
        low, high = (middle, high) if _offset(zone, middle) == old else (low, middle)
    wall = high.replace(tzinfo=None)
    return ClockChange(instant=high, before=wall + old, after=wall + new)


def _offset(zone: ZoneInfo, instant: datetime) -> timedelta:
    offset = instant.astimezone(zone).utcoffset()
    assert offset is not None
    return offset
