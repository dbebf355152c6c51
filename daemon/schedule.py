"""When a cron expression fires: Debian's rule across every change of local time (scheduler.md 2.2). Pure.

A job whose minute or hour begins with a star lives in real time: it fires whenever the local clock matches, twice in
a repeated hour, not at all in a missing one. Every other job lives in local time: a missing time (of a change of at
most three hours) fires at the first minute after the gap, a repeated one only in its first pass.
Times that fall on one instant are one run (Debian would start the job once for each).
"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from daemon.clock_changes import ClockChange, changes, end_of_second_pass
from daemon.cron_expression import CronError, CronExpression, next_day, parse
from daemon.schedule_words import explain, lint

__all__ = ["CronError", "FireTime", "between", "check", "explain", "lint", "next_after"]

_MINUTE: Final = timedelta(minutes=1)
_DAY: Final = timedelta(days=1)
_LARGEST_CHANGE: Final = timedelta(minutes=180)  # anything more is a correction, not daylight saving


@dataclass(frozen=True)
class FireTime:
    """One run: its instant (aware, UTC), and the local times (naive) that it stands for."""

    instant: datetime
    nominals: tuple[datetime, ...]


def check(expression: str) -> None:
    """Raise CronError unless `expression` means something."""
    parse(expression)


def next_after(expression: str, zone: ZoneInfo, after: datetime) -> FireTime:
    """The first fire time strictly later than `after` (aware).

    Raises:
        CronError: the expression is wrong, or does not fire again within forty years.
    """
    cron, now = parse(expression), after.astimezone(UTC)
    local = now.astimezone(zone).replace(tzinfo=None, fold=0)
    first = _lived_through(cron, zone, now, local.replace(second=0, microsecond=0) + _MINUTE)
    return _search(cron, zone, now, first, local - now.replace(tzinfo=None))


def between(expression: str, zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[FireTime]:
    """Every fire time later than `start` and not later than `end`, in order."""
    fire = next_after(expression, zone, start)
    while fire.instant <= end:
        yield fire
        fire = next_after(expression, zone, fire.instant)


def _lived_through(cron: CronExpression, zone: ZoneInfo, now: datetime, first: datetime) -> datetime:
    """`first`, or for a fixed job in the second pass of a repeated time: the end of that time."""
    end = end_of_second_pass(zone, now) if cron.fixed else None
    return first if end is None else max(first, end)


def _search(cron: CronExpression, zone: ZoneInfo, now: datetime, first: datetime, offset: timedelta) -> FireTime:
    """From one change of the clock to the next: the first match at or after the wall time `first`."""
    while True:
        nominal = _nominal_from(cron, first)
        fire = FireTime((nominal - offset).replace(tzinfo=UTC), (nominal,))
        change = next(changes(zone, now, fire.instant), None)
        if change is None:
            return fire
        if _is_caught_up(cron, change, nominal):
            return _after_the_gap(cron, change, nominal)
        first = max(change.before, change.after) if cron.fixed else change.after
        now, offset = change.instant, change.offset


def _is_caught_up(cron: CronExpression, change: ClockChange, nominal: datetime) -> bool:
    """Whether the job makes up for `nominal`, a time that `change` has left out."""
    return cron.fixed and nominal < change.after and change.after - change.before <= _LARGEST_CHANGE


def _after_the_gap(cron: CronExpression, change: ClockChange, nominal: datetime) -> FireTime:
    """One run for `nominal` and whatever else lies in the gap, at the first whole minute behind it."""
    landing, nominals = _whole_minute(change.after), []
    while nominal <= landing:
        nominals.append(nominal)
        nominal = _nominal_from(cron, nominal + _MINUTE)
    return FireTime((landing - change.offset).replace(tzinfo=UTC), tuple(nominals))


def _nominal_from(cron: CronExpression, first: datetime) -> datetime:
    """The first local time at or after `first` that the expression names, whether or not it exists."""
    first = _whole_minute(first)
    if first.day in cron.days_in(first.year, first.month):
        hour = bisect_left(cron.hours, first.hour)
        if hour < len(cron.hours) and cron.hours[hour] == first.hour:
            minute = bisect_left(cron.minutes, first.minute)
            if minute < len(cron.minutes):
                return first.replace(minute=cron.minutes[minute])
            hour += 1
        if hour < len(cron.hours):
            return first.replace(hour=cron.hours[hour], minute=cron.minutes[0])
    day = next_day(cron, (first + _DAY).date())
    if day is None:
        raise CronError(cron.text, 1, f"it does not fire again within forty years after {first:%Y-%m-%d}")
    return datetime.combine(day, time(cron.hours[0], cron.minutes[0]))


def _whole_minute(moment: datetime) -> datetime:
    """`moment`, or the next whole minute."""
    floor = moment.replace(second=0, microsecond=0)
    return floor if floor == moment else floor + _MINUTE
