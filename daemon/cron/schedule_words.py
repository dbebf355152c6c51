"""Cron expressions in words, and what about them deserves a second look. Pure."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from daemon.cron.clock_changes import ClockChange, changes
from daemon.cron.cron_expression import KINDS, REBOOT, CronExpression, FieldKind, parse

_WEEKDAY_NAMES: Final = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTH_NAMES: Final = ("", "January", "February", "March", "April", "May", "June", "July", "August", "September",
                       "October", "November", "December")
_NUMBERS: Final = tuple(map(str, range(60)))
_EVERY_DAY: Final = 31
_DAY: Final = timedelta(days=1)
_YEAR: Final = timedelta(days=366)


def explain(expression: str) -> str:
    """A sentence: "at 06:00 on Monday to Friday"."""
    if expression.strip() == REBOOT:
        return "once at each start of the daemon"
    cron = parse(expression)
    when = _days(cron)
    if not when and len(cron.hours) < 24:
        when = " every day"
    extension = " (an extension of Debian's cron)" if cron.day_marks or cron.weekday_marks else ""
    return f"{_times(cron)}{when}{_months(cron, when)}{extension}"


def lint(expression: str, zone: ZoneInfo, now: datetime) -> list[str]:
    """Warnings: what is legal but probably not meant, or behaves unexpectedly when the clocks change within a year."""
    if expression.strip() == REBOOT:
        return []
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
    size, whole = kind.high - kind.low + 1, "-" not in span
    if whole and int(step) >= size:
        yield f"{item}: the step is as large as the {kind.name} itself, so it matches once"
    elif whole and kind in KINDS[:2] and size % int(step):
        yield f"{item}: the step {step} does not divide {size}, so the last interval is shorter"
    if whole and span != "*":
        yield f"{item} is not Debian's cron: it means {span}-{kind.high}/{step}"


def _about_days(cron: CronExpression) -> Iterator[str]:
    day, weekday = cron.text.split()[2], cron.text.split()[4]
    if not cron.days_starred and not cron.weekdays_starred:
        yield "both day fields are set: it runs when either matches, not only when both do"
    elif "*" not in (day, weekday):
        yield "both day fields are set and one begins with a star: it runs only when both match"


def _about_gap(cron: CronExpression, change: ClockChange) -> Iterator[str]:
    """A fixed job is moved; a job in real time is only worth a word when it loses the whole day."""
    named = _nominals(cron, change.before, change.after)
    missing = [each for each in named if change.before <= each < change.after]
    if not missing or not (cron.fixed or len(missing) == len(named)):
        return
    effect = "no run"
    if cron.fixed and not change.is_correction:
        effect = f"one run at {change.after:%H:%M} ({change.instant:%H:%M} UTC)"
    yield (f"on {change.before:%Y-%m-%d} the clock goes from {change.before:%H:%M} to {_landing(change)}: "
           f"{effect} instead of {_some(missing)}")


def _landing(change: ClockChange) -> str:
    same_day = change.before.date() == change.after.date()
    return f"{change.after:%H:%M}" if same_day else f"{change.after:%H:%M on %Y-%m-%d}"


def _about_fold(cron: CronExpression, change: ClockChange) -> Iterator[str]:
    """A job in real time runs in both passes, as it should; only a fixed one is worth a word."""
    named = _nominals(cron, change.after, change.before)
    twice = [each for each in named if change.after <= each < change.before]
    if not twice or not cron.fixed:
        return
    offset = change.before - change.instant.replace(tzinfo=None)
    verb = "runs" if len(twice) == 1 else "run"
    effect = f"{verb} only the first time ({_some([each - offset for each in twice])} UTC)"
    if change.is_correction:
        effect = f"{verb} twice"
    yield (f"on {change.after:%Y-%m-%d} the clock goes back from {change.before:%H:%M} to {change.after:%H:%M}: "
           f"{_some(twice)} {effect}")


def _some(moments: list[datetime]) -> str:
    return ", ".join(f"{each:%H:%M}" for each in moments[:3]) + (", ..." if len(moments) > 3 else "")


def _nominals(cron: CronExpression, first: datetime, last: datetime) -> list[datetime]:
    """The local times that the expression names on the dates of `first` to `last`."""
    days = [first.date() + i * _DAY for i in range((last.date() - first.date()).days + 1)]
    return [datetime.combine(day, time(*divmod(minute, 60))) for day in days
            if day in cron.days_in(day.year, day.month) for minute in cron.times]


def _times(cron: CronExpression) -> str:
    minute, hour = cron.text.split()[:2]
    every = _every(minute)
    if hour in ("*", "*/1"):
        return every or f"{_minutes(cron)} of every hour"
    if len(cron.times) <= 6:
        return "at " + _list(f"{each // 60:02d}:{each % 60:02d}" for each in cron.times)
    if len(cron.hours) == 1:
        return f"{every or _minutes(cron)} between {cron.hours[0]:02d}:00 and {cron.hours[0]:02d}:59"
    return f"{every or _minutes(cron)} in the hours {_list(_runs(cron.hours, _NUMBERS))}"


def _minutes(cron: CronExpression) -> str:
    return f"at minute{'s' if len(cron.minutes) > 1 else ''} {_list(_runs(cron.minutes, _NUMBERS))}"


def _every(minute: str) -> str:
    """In words for a minute field that means a real interval; empty for any other."""
    step = re.fullmatch(r"\*/([0-9]+)", minute)
    if minute == "*" or (step is not None and int(step.group(1)) == 1):
        return "every minute"
    return f"every {int(step.group(1))} minutes" if step is not None and 60 % int(step.group(1)) == 0 \
        and int(step.group(1)) < 60 else ""


def _days(cron: CronExpression) -> str:
    any_day, any_weekday = len(cron.days) == _EVERY_DAY, len(cron.weekdays) == 7
    both = cron.days_starred or cron.weekdays_starred
    if (any_day and any_weekday) or (not both and (any_day or any_weekday)):
        return ""  # one side matches every day
    if any_weekday:
        return f" on {_days_of_month(cron)} of the month"
    if any_day:
        return f" on {_list(_weekdays(cron))}"
    if both:
        return f" on {_days_of_month(cron)} of the month if it falls on {_list(_weekdays(cron), 'or')}"
    return f" on {_days_of_month(cron)} of the month or on {_list(_weekdays(cron))}"


def _days_of_month(cron: CronExpression) -> str:
    step = re.fullmatch(r"\*/([0-9]+)", cron.text.split()[2])
    if step is not None and len(cron.days) > 3:
        return f"every {_ordinal(int(step.group(1)))} day (1, {', '.join(map(str, sorted(cron.days)[1:3]))}, ...)"
    names = []
    if cron.days:
        names = [f"day{'s' if len(cron.days) > 1 else ''} {_list(_runs(tuple(sorted(cron.days)), _NUMBERS))}"]
    return _list(names + [_day_mark(mark) for mark in cron.day_marks])


def _day_mark(mark: str) -> str:
    if mark in ("L", "LW"):
        return "the last day" if mark == "L" else "the last working day"
    if mark.startswith("L-"):
        return f"the {_ordinal(int(mark[2:]))} day before the last day"
    return f"the working day nearest to day {int(mark[:-1])}"


def _weekdays(cron: CronExpression) -> list[str]:
    """Sunday stands at the end when Saturday is there, or Monday is not."""
    days = cron.weekdays
    if 0 in days and (6 in days or 1 not in days):
        days = days - {0} | {7}
    return [*_runs(tuple(sorted(days)), _WEEKDAY_NAMES), *map(_weekday_mark, cron.weekday_marks)]


def _weekday_mark(mark: str) -> str:
    name = _WEEKDAY_NAMES[int(mark[0])]
    return f"the {'last' if mark[1] == 'L' else _ordinal(int(mark[2]))} {name} of the month"


def _months(cron: CronExpression, when: str) -> str:
    if len(cron.months) == 12:
        return ""
    comma = "," if " or " in when or " if " in when else ""
    return f"{comma} in {_list(_runs(tuple(sorted(cron.months)), _MONTH_NAMES))}"


def _runs(values: tuple[int, ...], names: tuple[str, ...]) -> list[str]:
    """Three neighbours and more joined: 1,2,3,5 becomes ["Monday to Wednesday", "Friday"]."""
    found: list[list[int]] = []
    for value in values:
        if found and value == found[-1][-1] + 1:
            found[-1].append(value)
        else:
            found.append([value])
    return [word for run in found for word in
            ([f"{names[run[0]]} to {names[run[-1]]}"] if len(run) > 2 else [names[value] for value in run])]


def _ordinal(number: int) -> str:
    ending = "th" if 10 < number % 100 < 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _list(words: Iterable[str], last_joint: str = "and") -> str:
    *most, last = words
    return f"{', '.join(most)} {last_joint} {last}" if most else str(last)
