"""When a cron expression fires: Debian's rule across every change of local time (scheduler.md 2.2). Pure.

A job whose minute or hour begins with a star lives in real time: it fires whenever the local clock matches, twice in
a repeated hour, not at all in a missing one. Every other job lives in local time: a missing time (of a change of at
most three hours) fires at the first minute after the gap, a repeated one only in its first pass.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from daemon.cron_expression import CronError, CronExpression, next_day, parse
from daemon.schedule_words import explain, lint

__all__ = ["CronError", "FireTime", "between", "check", "explain", "lint", "next_after"]

_MINUTE: Final = timedelta(minutes=1)
_DAY: Final = timedelta(days=1)
_LARGEST_CHANGE: Final = timedelta(minutes=180)  # anything more is a correction, not daylight saving


@dataclass(frozen=True)
class FireTime:
    """One run: its instant in UTC, and the local times that it stands for."""

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
    cron = parse(expression)
    quick = _quick(cron, zone, after)
    return quick if quick is not None else _thorough(cron, zone, after.astimezone(UTC))


def between(expression: str, zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[FireTime]:
    """Every fire time later than `start` and not later than `end`, in order."""
    fire = next_after(expression, zone, start)
    while fire.instant <= end:
        yield fire
        fire = next_after(expression, zone, fire.instant)


def _quick(cron: CronExpression, zone: ZoneInfo, after: datetime) -> FireTime | None:
    """The answer where no change of local time is near; None where one may be."""
    local = after.astimezone(zone)
    if local.utcoffset() != (local.astimezone(UTC) + _DAY).astimezone(zone).utcoffset():
        return None
    nominal = _next_nominal(cron, local.replace(tzinfo=None, fold=0))
    placed = nominal.replace(tzinfo=zone)
    if placed.utcoffset() != placed.replace(fold=1).utcoffset():
        return None
    instant = placed.astimezone(UTC)
    return FireTime(instant, (nominal,)) if instant > after else None


def _thorough(cron: CronExpression, zone: ZoneInfo, after: datetime) -> FireTime:
    """Place every nominal time of the days around `after`, and take the first that is later."""
    first = after.astimezone(zone).date() - 2 * _DAY
    while True:
        day = next_day(cron, first)
        if day is None:
            raise CronError(cron.text, 1, f"it does not fire again after {after:%Y-%m-%d}")
        window = [day + i * _DAY for i in range(5)]
        placed = sorted(slot for each in window for slot in _slots_of(cron, zone, each))
        for instant, _ in placed:
            if instant > after and instant.astimezone(zone).date() <= window[3]:
                return FireTime(instant, tuple(nominal for other, nominal in placed if other == instant))
        first = window[2]


def _slots_of(cron: CronExpression, zone: ZoneInfo, day: date) -> Iterator[tuple[datetime, datetime]]:
    """(instant, nominal) of every time that the expression names on `day`."""
    if day.day not in cron.days_in(day.year, day.month):
        return
    for hour in cron.hours:
        for minute in cron.minutes:
            nominal = datetime.combine(day, time(hour, minute))
            for instant in _instants(cron, zone, nominal):
                yield instant, nominal


def _instants(cron: CronExpression, zone: ZoneInfo, nominal: datetime) -> Iterator[datetime]:
    early, late = nominal.replace(tzinfo=zone), nominal.replace(tzinfo=zone, fold=1)
    first, second = early.astimezone(UTC), late.astimezone(UTC)
    if first > second:  # a gap: the time does not exist
        if cron.fixed and first - second <= _LARGEST_CHANGE:
            yield _end_of_gap(zone, second, first)
        return
    yield first
    if second > first and not cron.fixed:
        yield second


def _end_of_gap(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The first whole minute with the new offset, between `before` and `after`."""
    old, low, high = before.astimezone(zone).utcoffset(), 0, (after - before) // _MINUTE
    while low < high:
        middle = (low + high) // 2
        if (before + middle * _MINUTE).astimezone(zone).utcoffset() == old:
            low = middle + 1
        else:
            high = middle
    return before + low * _MINUTE


def _next_nominal(cron: CronExpression, after: datetime) -> datetime:
    """The first local time that the expression names after `after`, whether or not it exists."""
    day = after.date()
    if day.day in cron.days_in(day.year, day.month):
        if after.hour in cron.hours:
            later = bisect_right(cron.minutes, after.minute)
            if later < len(cron.minutes):
                return datetime.combine(day, time(after.hour, cron.minutes[later]))
        hour = bisect_right(cron.hours, after.hour)
        if hour < len(cron.hours):
            return datetime.combine(day, time(cron.hours[hour], cron.minutes[0]))
    following = next_day(cron, day + _DAY)
    if following is None:
        raise CronError(cron.text, 1, f"it does not fire again after {day}")
    return datetime.combine(following, time(cron.hours[0], cron.minutes[0]))
