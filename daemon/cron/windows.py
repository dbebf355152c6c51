"""The hours within which a process may run (scheduler.md 2.3). Pure.

The edges are local times: one that a change of the clock leaves out becomes the end of the gap, a repeated one its
first pass. So a window may be longer or shorter than on the wall, and one that lies in a gap does not open that day.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from daemon.cron.clock_changes import first_instant
from trading.process_config import WindowConfig

_DAY: Final = timedelta(days=1)
_LONGEST_SEARCH: Final = 40  # days; the longest correction of a clock was one


@dataclass(frozen=True, kw_only=True)
class OpenWindow:
    """One opening, from `opens` to before `closes` (aware, UTC). `day` is the local date on which it opens."""

    day: date
    opens: datetime
    closes: datetime


def window_at(windows: tuple[WindowConfig, ...], zone: ZoneInfo, instant: datetime) -> OpenWindow | None:
    """The window that is open at `instant` (aware); None when none is, or there are none."""
    today = instant.astimezone(zone).date()
    for day in (today, today - _DAY, today + _DAY):  # tomorrow's opens today where the clock goes back over midnight
        for window in windows:
            opening = opening_on(day, window, zone)
            if opening.opens <= instant < opening.closes:
                return opening
    return None


def next_window(windows: tuple[WindowConfig, ...], zone: ZoneInfo, after: datetime) -> OpenWindow:
    """The first window that opens later than `after` (aware).

    Raises:
        ValueError: there are no windows.
    """
    today = after.astimezone(zone).date()
    for days in range(-1, _LONGEST_SEARCH):
        openings = [opening_on(today + days * _DAY, window, zone) for window in windows]
        later = [each for each in openings if after < each.opens < each.closes]
        if later:
            return min(later, key=lambda each: each.opens)
    raise ValueError("there is no window to open: without windows a process may run at any time")


def opening_on(day: date, window: WindowConfig, zone: ZoneInfo) -> OpenWindow:
    """When `window` opens and closes on `day`; at the same instant if a gap has swallowed it."""
    last = day + _DAY if window.crosses_midnight else day
    return OpenWindow(day=day, opens=first_instant(zone, datetime.combine(day, window.start)),
                      closes=first_instant(zone, datetime.combine(last, window.stop)))


def openings(windows: tuple[WindowConfig, ...], zone: ZoneInfo, start: datetime) -> Iterator[OpenWindow]:
    """The window that is open at `start` (aware), if any, and every later one, in order, without end."""
    opening = window_at(windows, zone, start) or next_window(windows, zone, start)
    while True:
        yield opening
        opening = next_window(windows, zone, opening.closes - timedelta.resolution)


def whole_days(zone: ZoneInfo, start: datetime) -> Iterator[OpenWindow]:
    """The local date at `start` (aware) and every later one from midnight to midnight, as if each were a window."""
    day = start.astimezone(zone).date() - _DAY
    while True:
        opens, closes = (first_instant(zone, datetime.combine(each, time())) for each in (day, day + _DAY))
        if max(start, opens) < closes:  # some dates do not exist
            yield OpenWindow(day=day, opens=opens, closes=closes)
        day += _DAY
