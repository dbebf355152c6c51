"""Cron expressions in words, and what about them deserves a second look. Pure."""

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from daemon.cron_expression import KINDS, CronExpression, parse

_WEEKDAY_NAMES: Final = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_MONTH_NAMES: Final = ("January", "February", "March", "April", "May", "June", "July", "August", "September",
                       "October", "November", "December")
_EVERY_DAY: Final = 31


def explain(expression: str) -> str:
    """A sentence: "at 06:00 on Monday to Friday"."""
    cron = parse(expression)
    return f"{_times(cron)}{_days(cron)}{_months(cron)}"


def lint(expression: str, zone: ZoneInfo, now: datetime) -> list[str]:
    """Warnings: what is legal but probably not meant, or behaves unexpectedly when the clocks change."""
    cron = parse(expression)
    fields = cron.text.split()
    warnings = [f"{text}: the step {text.partition('/')[2]} does not divide {size}, so the last gap is shorter"
                for text, size in zip(fields[:2], (60, 24), strict=True)
                if "/" in text and text.partition("/")[2].isdecimal() and size % int(text.partition("/")[2])]
    warnings += [f"{text} is not Debian's cron: it means {text.partition('/')[0]}-{kind.high}/{text.partition('/')[2]}"
                 for text, kind in zip(fields, KINDS, strict=True)
                 if "/" in text and text.partition("/")[0].isdecimal()]
    if not cron.days_starred and not cron.weekdays_starred:
        warnings.append("both day fields are set: it runs when either matches, not only when both do")
    return warnings + _clock_changes(cron, zone, now)


def _clock_changes(cron: CronExpression, zone: ZoneInfo, now: datetime) -> list[str]:
    found = []
    for change in _changes(zone, now.astimezone(UTC), now.astimezone(UTC) + timedelta(days=366)):
        before = (change - timedelta(minutes=1)).astimezone(zone).replace(tzinfo=None) + timedelta(minutes=1)
        after = change.astimezone(zone).replace(tzinfo=None)
        low, high = min(before, after), max(before, after)
        hit = [hour for hour in cron.hours for minute in cron.minutes
               if low <= datetime.combine(low.date(), time(hour, minute)) < high
               and low.day in cron.days_in(low.year, low.month)]
        if hit:
            found.append(_change_in_words(cron, before, after))
    return found


def _change_in_words(cron: CronExpression, before: datetime, after: datetime) -> str:
    day = f"{before:%Y-%m-%d}"
    if after > before:
        effect = f"runs at {after:%H:%M} instead" if cron.fixed else "does not run in the missing time"
        return f"on {day} the clock goes from {before:%H:%M} to {after:%H:%M}: it {effect}"
    effect = "runs only the first time" if cron.fixed else "runs in both passes"
    return f"on {day} the clock goes back from {before:%H:%M} to {after:%H:%M}: it {effect}"


def _changes(zone: ZoneInfo, start: datetime, end: datetime) -> list[datetime]:
    """Instants at which the zone's offset changes, found by halving days."""
    changes, day = [], start.replace(hour=0, minute=0, second=0, microsecond=0)
    while day < end:
        following = day + timedelta(days=1)
        if day.astimezone(zone).utcoffset() != following.astimezone(zone).utcoffset():
            low, high, old = 0, 1440, day.astimezone(zone).utcoffset()
            while low < high:
                middle = (low + high) // 2
                same = (day + timedelta(minutes=middle)).astimezone(zone).utcoffset() == old
                low, high = (middle + 1, high) if same else (low, middle)
            changes.append(day + timedelta(minutes=low))
        day = following
    return [change for change in changes if change >= start]


def _times(cron: CronExpression) -> str:
    minute, hour = cron.text.split()[:2]
    if minute == "*" and hour == "*":
        return "every minute"
    if minute.startswith("*/") and hour == "*":
        return f"every {minute[2:]} minutes"
    if hour == "*":
        return f"at minute {_list(map(str, cron.minutes))} of every hour"
    if len(cron.minutes) * len(cron.hours) <= 6:
        return "at " + _list(f"{h:02d}:{m:02d}" for h in cron.hours for m in cron.minutes)
    minutes = f"every {minute[2:]} minutes" if minute.startswith("*/") else \
        "every minute" if minute == "*" else f"at minute {_list(map(str, cron.minutes))}"
    return f"{minutes} in the hours {_list(_runs(cron.hours, tuple(map(str, range(24)))))}"


def _days(cron: CronExpression) -> str:
    by_day = _days_of_month(cron) if len(cron.days) < _EVERY_DAY or cron.day_marks else ""
    names = _runs(tuple(sorted(cron.weekdays)), _WEEKDAY_NAMES) if len(cron.weekdays) < 7 else []
    names += [_weekday_mark(mark) for mark in cron.weekday_marks]
    by_weekday = f"on {_list(names)}" if names else ""
    joint = " if it falls " if cron.days_starred or cron.weekdays_starred else " or "
    return (" " if by_day or by_weekday else "") + joint.join(filter(None, (by_day, by_weekday)))


def _days_of_month(cron: CronExpression) -> str:
    names = _runs(tuple(sorted(cron.days)), tuple(map(str, range(32))))
    marks = {"L": "the last day", "LW": "the last working day"}
    names += [marks.get(mark) or (f"{mark[2:]} days before the last day" if mark.startswith("L-")
                                  else f"the working day nearest to {mark[:-1]}") for mark in cron.day_marks]
    return f"on day {_list(names)} of the month"


def _weekday_mark(mark: str) -> str:
    name = _WEEKDAY_NAMES[int(mark[0])]
    return f"the last {name}" if mark[1] == "L" else f"{name} number {mark[2]} of the month"


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
