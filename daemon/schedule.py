"""When a cron expression fires: Debian's rule across every change of local time (scheduler.md 2.2). Pure.

A job whose minute or hour begins with a star lives in real time: it fires whenever the local clock matches, twice in
a repeated hour, not at all in a missing one. Every other job lives in local time: a missing time (of a change of at
most three hours) fires at the first minute after the gap, a repeated one only in its first pass. A larger change is a
correction: the new time simply holds, for both kinds.
Times that fall on one instant are one run (Debian would start the job once for each).
"""

from bisect import bisect_left
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from daemon.cron.clock_changes import END_OF_TIME, ClockChange, Stretch, stretch_at
from daemon.cron.cron_expression import REBOOT, CronError, CronExpression, days_between, next_day, parse
from daemon.cron.schedule_words import explain, lint

__all__ = ["REBOOT", "CronError", "FireTime", "between", "check", "explain", "lint", "next_after"]

_MINUTE: Final = timedelta(minutes=1)
_DAY: Final = timedelta(days=1)
_TICK: Final = timedelta.resolution
_SPANS: Final = tuple(i * _MINUTE for i in range(24 * 60))


class FireTime(NamedTuple):
    """One run: its instant (aware, UTC), and the local times (naive) that it stands for."""

    instant: datetime
    nominals: tuple[datetime, ...]


def check(expression: str) -> None:
    """Raise CronError unless `expression` means something."""
    if expression.strip() != REBOOT:
        parse(expression)


def next_after(expression: str, zone: ZoneInfo, after: datetime) -> FireTime:
    """The first fire time strictly later than `after` (aware).

    Raises:
        CronError: the expression is wrong, is no time (@reboot), or does not fire again within forty years.
    """
    for fire in _fires(parse(expression), zone, after.astimezone(UTC), END_OF_TIME):
        return fire
    raise CronError(expression, 1, f"it does not fire again within forty years after {after:%Y-%m-%d}")


def between(expression: str, zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[FireTime]:
    """Every fire time later than `start` and not later than `end` (both aware), in order.

    Raises:
        CronError: at once, when the expression is wrong or is no time (@reboot).
    """
    until = min(end.astimezone(UTC), END_OF_TIME)
    return _fires(parse(expression), zone, start.astimezone(UTC), until)


def _fires(cron: CronExpression, zone: ZoneInfo, after: datetime, until: datetime) -> Iterator[FireTime]:
    """From one change of the clock to the next."""
    stretch = stretch_at(zone, after)
    while True:
        yield from _fires_in(cron, stretch, after, until)
        # the next change repeats at most one day, so nothing fires before the first match from two days earlier on
        day = next_day(cron, stretch.wall(stretch.end).date() - 2 * _DAY)
        if day is None or stretch.end > until or stretch.end == END_OF_TIME:
            return
        no_earlier = max(stretch.end, datetime.combine(day, time(), UTC) - _DAY)
        stretch, after = stretch_at(zone, no_earlier), no_earlier - _TICK


def _fires_in(cron: CronExpression, stretch: Stretch, after: datetime, until: datetime) -> Iterator[FireTime]:
    """The fire times later than `after` and not later than `until` while the clock runs evenly."""
    first = _whole_minute(stretch.wall(stretch.begin))
    change = stretch.change
    if cron.fixed and change is not None and not change.is_correction:
        if change.is_gap:
            landing = FireTime((first - stretch.offset).replace(tzinfo=UTC), _made_up(cron, change, first))
            if landing.nominals and after < landing.instant <= until:
                yield landing
            first += _MINUTE
        else:
            first = _whole_minute(change.before)
    first = max(first, stretch.wall(after).replace(second=0, microsecond=0) + _MINUTE)
    end = stretch.wall(min(stretch.end, until + _TICK))
    for midnight, minutes in _days(cron, first, end):
        start = midnight.replace(tzinfo=UTC) - stretch.offset
        for minute in minutes:
            span = _SPANS[minute]
            yield FireTime(start + span, (midnight + span,))


def _made_up(cron: CronExpression, change: ClockChange, landing: datetime) -> tuple[datetime, ...]:
    """The times in a gap, and the minute after it, if the expression names them."""
    return tuple(midnight + _SPANS[minute] for midnight, minutes in _days(cron, change.before, landing + _MINUTE)
                 for minute in minutes)


def _days(cron: CronExpression, first: datetime, end: datetime) -> Iterator[tuple[datetime, tuple[int, ...]]]:
    """The matching days from `first` to before `end` (local), and of each the minutes after its midnight."""
    for day in days_between(cron, first.date(), end.date()):
        midnight, minutes = datetime.combine(day, time()), cron.times
        if end < midnight + _DAY:
            minutes = minutes[:bisect_left(minutes, (end - midnight) / _MINUTE)]
        if midnight < first:
            minutes = minutes[bisect_left(minutes, (first - midnight) / _MINUTE):]
        yield midnight, minutes


def _whole_minute(moment: datetime) -> datetime:
    """`moment`, or the next whole minute."""
    floor = moment.replace(second=0, microsecond=0)
    return floor if floor == moment else floor + _MINUTE
