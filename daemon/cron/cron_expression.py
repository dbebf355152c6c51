"""Five cron fields as facts: which minutes, hours and days an expression names (scheduler.md 2.1). Pure.

Debian's dialect, with the day extensions L, LW, nW, L-n, d#k and dL. Whatever is ambiguous is refused with the
position, the reason and a rewritten form; seconds, years and randomness do not exist here.
"""

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import MAXYEAR, date, timedelta
from functools import lru_cache
from typing import Final, NoReturn

from trading.errors import ConfigError

ALIASES: Final = {
    "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
}
MONTHS: Final = {name: i for i, name in enumerate(
    ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1)}
WEEKDAYS: Final = {name: i for i, name in enumerate(("sun", "mon", "tue", "wed", "thu", "fri", "sat"))}
REBOOT: Final = "@reboot"  # no time at all: once at each start of the daemon
_SEARCH_YEARS: Final = 40  # the calendar repeats every 28 years, but for centuries


class CronError(ConfigError):
    """An expression that means nothing, or two things."""

    def __init__(self, expression: str, column: int, reason: str) -> None:
        super().__init__(f"cron {expression!r}, column {column}: {reason}")
        self.column = column


@dataclass(frozen=True)
class FieldKind:
    """One of the five places."""

    name: str
    low: int
    high: int
    names: dict[str, int] = field(default_factory=dict)

    def __hash__(self) -> int:
        return hash(self.name)


KINDS: Final = (FieldKind("minute", 0, 59), FieldKind("hour", 0, 23), FieldKind("day of the month", 1, 31),
                FieldKind("month", 1, 12, MONTHS), FieldKind("day of the week", 0, 7, WEEKDAYS))


@dataclass(frozen=True)
class CronExpression:
    """A parsed expression. `fixed` jobs name times of the day, the others real intervals (the DST classes)."""

    text: str
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    day_marks: tuple[str, ...]  # L, LW, L-n, nW
    weekday_marks: tuple[str, ...]  # d#k, dL
    days_starred: bool
    weekdays_starred: bool
    fixed: bool

    def __hash__(self) -> int:
        return hash(self.text)  # says it all, and strings remember their hash

    @property
    def times(self) -> tuple[int, ...]:
        """The times of the day, in minutes after midnight."""
        return _times(self.hours, self.minutes)

    def days_in(self, year: int, month: int) -> tuple[date, ...]:
        """The days of this month on which the expression fires, in order."""
        return _days_in(self, year, month)


@lru_cache(maxsize=4096)
def parse(expression: str) -> CronExpression:
    """Read an expression.

    Raises:
        CronError: with the column and what to write instead.
    """
    text = expression.strip()
    if text.startswith("@"):
        return _parse_alias(expression, text)
    parts = [(match.group(), match.start() + 1) for match in re.finditer(r"[^ \t]+", expression)]
    if len(parts) != 5:
        raise CronError(expression, 1, _wrong_number([text for text, _ in parts]))
    fields = [_FieldReader(expression, kind, text, column).read()
              for kind, (text, column) in zip(KINDS, parts, strict=True)]
    minute, hour, day, month, weekday = fields
    parsed = CronExpression(
        text=" ".join(text for text, _ in parts), minutes=tuple(sorted(minute.values)),
        hours=tuple(sorted(hour.values)), days=frozenset(day.values), months=frozenset(month.values),
        weekdays=frozenset(value % 7 for value in weekday.values), day_marks=tuple(day.marks),
        weekday_marks=tuple(weekday.marks), days_starred=parts[2][0].startswith("*"),
        weekdays_starred=parts[4][0].startswith("*"),
        fixed=not (parts[0][0].startswith("*") or parts[1][0].startswith("*")))
    if next_day(parsed, date(2000, 1, 1)) is None:
        raise CronError(expression, parts[2][1], "no date matches; it would never run")
    return parsed


def next_day(expression: CronExpression, first: date) -> date | None:
    """The first matching day on or after `first`; None when there is none within forty years."""
    last = date(min(first.year + _SEARCH_YEARS, MAXYEAR), 12, 31)
    return next(days_between(expression, first, last), None)


def days_between(expression: CronExpression, first: date, last: date) -> Iterator[date]:
    """The matching days from `first` to `last`, in order."""
    year, month = first.year, first.month
    while (year, month) <= (last.year, last.month):
        for day in expression.days_in(year, month):
            if first <= day <= last:
                yield day
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)


def _parse_alias(expression: str, text: str) -> CronExpression:
    if text in ALIASES:
        return parse(ALIASES[text])
    word, _, rest = text.partition(" ")
    if text == REBOOT:
        reason = f"{REBOOT} is no time: it runs once at each start of the daemon and has no next fire time"
    elif word.lower() == "@every":
        reason = "a real interval is not cron; write every: PT90S instead of cron:"
    elif rest and word in (*ALIASES, REBOOT):
        reason = f"{word} stands alone; remove {rest.strip()!r}"
    elif word.lower() in (*ALIASES, REBOOT):
        reason = f"{word} is unknown; it is written in small letters: {word.lower()}"
    else:
        reason = f"{word} is unknown (known: {', '.join((*ALIASES, REBOOT))})"
    raise CronError(expression, 1, reason)


def _wrong_number(parts: list[str]) -> str:
    """What somebody who wrote another number of fields may have meant."""
    found = f"it has {len(parts)} fields, not five (minute hour day month weekday)"
    for fewer in (parts[:5], parts[1:6]) if parts[-1:] and re.fullmatch(r"[0-9]{4}", parts[-1]) and len(parts) == 6 \
            else (parts[1:6],):
        if len(parts) in (6, 7) and _means_something(fewer):
            return f"{found}; seconds and years are not supported, did you mean '{' '.join(fewer)}'?"
    if len(parts) > 5 and _means_something(parts[:5]):
        return f"{found}; a command does not belong here, write '{' '.join(parts[:5])}'"
    return found


def _means_something(parts: list[str]) -> bool:
    try:
        parse(" ".join(parts))
    except CronError:
        return False
    return True


@dataclass
class _FieldReader:
    """Reads one field into values and marks."""

    expression: str
    kind: FieldKind
    text: str
    column: int
    values: set[int] = field(default_factory=set)
    marks: list[str] = field(default_factory=list)

    def read(self) -> "_FieldReader":
        position = self.column
        for item in self.text.split(","):
            if not item:
                self._refuse(position, "an empty item in a list; remove the comma")
            if not self._read_mark(item, position):
                self._read_range(item, position)
            position += len(item) + 1
        return self

    def _read_mark(self, item: str, position: int) -> bool:
        """Whether `item` is one of the extensions, which no range looks like."""
        upper = item.upper() if item.isascii() else item
        if self.kind is KINDS[2] and re.fullmatch(r"L|LW|L-[0-9]{1,2}|[0-9]{1,2}W", upper):
            self.marks.append(self._day_mark(upper, position))
        elif self.kind is KINDS[4] and re.fullmatch(r"([0-7]|SUN|MON|TUE|WED|THU|FRI|SAT)(#[1-5]|L)", upper):
            day, mark = re.split(r"(?=#|L$)", upper, maxsplit=1)
            self.marks.append(f"{self._number(day, position) % 7}{mark}")
        elif re.search(r"[#?]", item) or re.fullmatch(r"L.*|.*[0-9]W|.*[0-9]L", upper):
            self._refuse(position, f"{item} means nothing in the {self.kind.name} (day of the month: L, LW, 15W, L-3; "
                                   f"day of the week: fri#2, friL)")
        else:
            return False
        return True

    def _day_mark(self, mark: str, position: int) -> str:
        number, top = re.search(r"[0-9]+", mark), 30 if mark.startswith("L") else 31
        if number is not None and not 1 <= int(number.group()) <= top:
            self._refuse(position, f"{mark}: no month has such a day (allowed: 1-{top})")
        return mark

    def _read_range(self, item: str, position: int) -> None:
        span, slash, step_text = item.partition("/")
        step = self._step(step_text, position + len(span) + 1) if slash else 1
        if span == "*":
            low, high = self.kind.low, self.kind.high - (self.kind is KINDS[4])
        else:
            first, dash, last = span.partition("-")
            low = self._number(first, position)
            high = self._number(last, position + len(first) + 1) if dash else (self.kind.high if slash else low)
        if low > high:
            self._refuse(position, f"{span} runs backwards; write {self._turned(low, high)}")
        self.values.update(range(low, high + 1, step))

    def _turned(self, low: int, high: int) -> str:
        """A reversed range as two: 22-2 becomes 22-23,0-2."""
        top = 6 if self.kind is KINDS[4] else self.kind.high
        ends = [(low, top), (self.kind.low, high)] if low <= top else [(self.kind.low, high)]  # 7 is Sunday, like 0
        return ",".join(f"{first}-{last}" if first < last else str(last) for first, last in ends)

    def _step(self, text: str, position: int) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) == 0:
            self._refuse(position, f"the step {text!r} is no positive number, as in */15")
        return int(text)

    def _number(self, text: str, position: int) -> int:
        if text.lower() in self.kind.names:
            return self.kind.names[text.lower()]
        if not text:
            self._refuse(position, f"a number is missing in {self.text} (there are no signs; a range is written 1-5)")
        if not re.fullmatch(r"[0-9]{1,9}", text):
            names = f" or {', '.join(self.kind.names)}" if self.kind.names else ""
            self._refuse(position, f"{text!r} is no {self.kind.name} "
                                   f"(allowed: {self.kind.low}-{self.kind.high}{names}){self._short_name(text)}")
        if not self.kind.low <= int(text) <= self.kind.high:
            self._refuse(position, f"{text} is no {self.kind.name} (allowed: {self.kind.low}-{self.kind.high})")
        return int(text)

    def _short_name(self, text: str) -> str:
        """A hint for full names: sunday means sun."""
        known = text.lower()[:3] in self.kind.names and text.isalpha()
        return f"; write {text.lower()[:3]}" if known else ""

    def _refuse(self, position: int, reason: str) -> NoReturn:
        raise CronError(self.expression, position, reason)


@lru_cache(maxsize=1024)
def _times(hours: tuple[int, ...], minutes: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(60 * hour + minute for hour in hours for minute in minutes)


@lru_cache(maxsize=65536)
def _days_in(expression: CronExpression, year: int, month: int) -> tuple[date, ...]:
    if month not in expression.months:
        return ()
    last = calendar.monthrange(year, month)[1]
    days = (date(year, month, day) for day in range(1, last + 1))
    return tuple(day for day in days if _fires_on(expression, day, last))


def _fires_on(expression: CronExpression, day: date, last: int) -> bool:
    by_day = day.day in expression.days or any(_marked_day(mark, day, last) for mark in expression.day_marks)
    weekday = day.isoweekday() % 7
    by_weekday = weekday in expression.weekdays or any(
        _marked_weekday(mark, day, weekday, last) for mark in expression.weekday_marks)
    if expression.days_starred or expression.weekdays_starred:
        return by_day and by_weekday
    return by_day or by_weekday


def _marked_day(mark: str, day: date, last: int) -> bool:
    if mark == "L":
        return day.day == last
    if mark.startswith("L-"):
        return day.day == last - int(mark[2:])
    target = last if mark == "LW" else int(mark[:-1])
    return target <= last and day == _nearest_workday(day.replace(day=target), last)


def _nearest_workday(day: date, last: int) -> date:
    """The nearest Monday to Friday that does not leave the month."""
    if day.weekday() == 5:
        return day - timedelta(days=1) if day.day > 1 else day + timedelta(days=2)
    if day.weekday() == 6:
        return day + timedelta(days=1) if day.day < last else day - timedelta(days=2)
    return day


def _marked_weekday(mark: str, day: date, weekday: int, last: int) -> bool:
    if weekday != int(mark[0]):
        return False
    return day.day + 7 > last if mark[1] == "L" else (day.day - 1) // 7 + 1 == int(mark[2])
