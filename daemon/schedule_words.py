"""Cron expressions in words, and what about them deserves a second look. Pure."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from daemon.clock_changes import ClockChange, changes
from daemon.cron_expression import KINDS, CronExpression, FieldKind, parse

_WEEKDAY_NAMES: Final = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_MONTH_NAMES: Final = ("January", "February", "March", "April", "May", "June", "July", "August", "September",
                       "October", "November", "December")
_EVERY_DAY: Final = 31
_YEAR: Final = timedelta(days=366)
_LARGEST_CHANGE: Final = timedelta(minutes=180)


def explain(expression: str) -> str:
    """A sentence: "at 06:00 on Monday to Friday"."""
    cron = parse(expression)
    when = _days(cron) + _months(cron)
    if not when and len(cron.hours) < 24:
        when = " every day"
    extension = " (an extension of Debian's cron)" if cron.day_marks or cron.weekday_marks else ""
    return f"{_times(cron)}{when}{extension}"


def lint(expression: str, zone: ZoneInfo, now: datetime) -> list[str]:
    """Warnings: what is legal but probably not meant, or behaves unexpectedly when the clocks change within a year."""
    cron = parse(expression)
    warnings = [warning for text, kind in zip(cron.text.split(), KINDS, strict=True)
                for item in text.split(",") for warning in _about_step(item, kind)]
    warnings += _about_days(cron)
    start = now.astimezone(UTC)
    for change in changes(zone, start, start + _YEAR):
        warnings += _about_gap(cron, change) if change.is_gap else _about_fold(cron, change)
    return warnings


def _about_step(item: str, kind: FieldKind) -> Iterator[str]:
    span, slash, step = item.partition("/")
    if not slash:
        return
    size = kind.high - kind.low + 1
    if int(step) >= size:
        yield f"{item}: the step is as large as the {kind.name} itself, so it matches once"
    elif kind in KINDS[:2] and size % int(step):
        yield f"{item}: the step {step} does not divide {size}, so the last interval is shorter"
    if "-" not in span and span != "*":
        yield f"{item} is not Debian's cron: it means {span}-{kind.high}/{step}"


def _about_days(cron: CronExpression) -> Iterator[str]:
    day, weekday = cron.text.split()[2], cron.text.split()[4]
    if not cron.days_starred and not cron.weekdays_starred:
        yield "both day fields are set: it runs when either matches, not only when both do"
    elif "*" not in (day, weekday):
        yield "both day fields are set and one begins with a star: it runs only when both match"


def _about_gap(cron: CronExpression, change: ClockChange) -> Iterator[str]:
    """A fixed job is moved; a job in real time is only worth a word when it loses the whole day."""
    missing = [each for each in _nominals(cron, change.before) if change.before <= each < change.after]
    left = [each for each in _nominals(cron, change.before) if each not in missing]
    if not missing or not (cron.fixed or not left):
        return
    effect = "no run"
    if cron.fixed and change.after - change.before <= _LARGEST_CHANGE:
        effect = f"one run at {change.after:%H:%M} ({change.instant:%H:%M} UTC)"
    named = ", ".join(f"{each:%H:%M}" for each in missing[:3]) + (", ..." if len(missing) > 3 else "")
    yield (f"on {change.before:%Y-%m-%d} the clock goes from {change.before:%H:%M} to {change.after:%H:%M}: "
           f"{effect} instead of {named}")


def _about_fold(cron: CronExpression, change: ClockChange) -> Iterator[str]:
    """A job in real time runs in both passes, as it should; only a fixed one is worth a word."""
    twice = [each for each in _nominals(cron, change.after) if change.after <= each < change.before]
    if not twice or not cron.fixed:
        return
    offset = change.before - change.instant.replace(tzinfo=None)
    yield (f"on {change.after:%Y-%m-%d} the clock goes back from {change.before:%H:%M} to {change.after:%H:%M}: "
           f"{twice[0]:%H:%M} runs only the first time ({twice[0] - offset:%H:%M} UTC)")


def _nominals(cron: CronExpression, day: datetime) -> list[datetime]:
    """The local times that the expression names on the date of `day`."""
    if day.day not in cron.days_in(day.year, day.month):
        return []
    return [datetime.combine(day.date(), time(hour, minute)) for hour in cron.hours for minute in cron.minutes]


def _times(cron: CronExpression) -> str:
    minute, hour = cron.text.split()[:2]
    every = _every(minute)
    if hour == "*":
        return every or f"{_minutes(cron)} of every hour"
    if len(cron.minutes) * len(cron.hours) <= 6:
        return "at " + _list(f"{h:02d}:{m:02d}" for h in cron.hours for m in cron.minutes)
    hours = _list(_runs(cron.hours, tuple(map(str, range(24)))))
    return f"{every or _minutes(cron)} in the hour{'s' if len(cron.hours) > 1 else ''} {hours}"


def _minutes(cron: CronExpression) -> str:
    return f"at minute {_list(_runs(cron.minutes, tuple(map(str, range(60)))))}"


def _every(minute: str) -> str:
    """In words for a minute field that means a real interval; empty for any other."""
    step = re.fullmatch(r"\*/([0-9]+)", minute)
    if minute == "*" or (step is not None and int(step.group(1)) == 1):
        return "every minute"
    return f"every {int(step.group(1))} minutes" if step is not None and 60 % int(step.group(1)) == 0 else ""


def _days(cron: CronExpression) -> str:
    by_day = _days_of_month(cron) if len(cron.days) < _EVERY_DAY or cron.day_marks else ""
    names = _runs(tuple(sorted(cron.weekdays)), _WEEKDAY_NAMES) if len(cron.weekdays) < 7 else []
    names += [_weekday_mark(mark) for mark in cron.weekday_marks]
    by_weekday = f"on {_list(names)}" if names else ""
    joint = " if it falls " if cron.days_starred or cron.weekdays_starred else " or "
    if joint == " or " and (len(cron.days) == _EVERY_DAY or len(cron.weekdays) == 7):
        return ""  # one side matches every day
    return (" " if by_day or by_weekday else "") + joint.join(filter(None, (by_day, by_weekday)))


def _days_of_month(cron: CronExpression) -> str:
    runs = _runs(tuple(sorted(cron.days)), tuple(map(str, range(32))))
    names = [f"day {_list(runs)}"] if runs else []
    return f"on {_list(names + [_day_mark(mark) for mark in cron.day_marks])} of the month"


def _day_mark(mark: str) -> str:
    if mark in ("L", "LW"):
        return "the last day" if mark == "L" else "the last working day"
    return f"the day {mark[2:]} before the last" if mark.startswith("L-") else f"the working day nearest to {mark[:-1]}"


def _weekday_mark(mark: str) -> str:
    name = _WEEKDAY_NAMES[int(mark[0])]
    return f"the last {name} of the month" if mark[1] == "L" else f"{name} number {mark[2]} of the month"


def _months(cron: CronExpression) -> str:
    if len(cron.months) == 12:
        return ""
    return f" in {_list(_runs(tuple(sorted(cron.months)), ('', *_MONTH_NAMES)))}"


def _runs(values: tuple[int, ...], names: tuple[str, ...]) -> list[str]:
    """Neighbours joined: 1,2,3,5 becomes ["Monday to Wednesday", "Friday"]."""
    found: list[list[int]] = []
    for value in values:
        if found and value == found[-1][-1] + 1:
            found[-1].append(value)
        else:
            found.append([value])
    return [names[run[0]] if len(run) == 1 else f"{names[run[0]]} to {names[run[-1]]}" for run in found]


def _list(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else str(last)
