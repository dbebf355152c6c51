"""The calendars that processes name: `weekdays`, files of holidays, and exchanges.

The sessions of an exchange come from a child process (exchange_days.py) and are kept as a plain file, so that the
next start does not wait for them.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Final
from urllib.parse import quote

from daemon.cron.business_days import WEEKDAYS, BusinessDays
from trading.clock import inherited_clock
from trading.errors import ConfigError
from trading.process_config import CalendarConfig

BUILT_IN: Final = "weekdays"
_AHEAD: Final = timedelta(days=400)  # as far as slots are looked for
_REFUSED: Final = timedelta(days=60)
_ALARMED: Final = timedelta(days=30)
_LIMIT_S: Final = 60.0
_HOW_TO_LIST: Final = "python -m daemon.cron.exchange_days"


def load_calendars(calendars: Mapping[str, CalendarConfig], folder: Path, cache: Path | None,
                   today: date | None = None) -> dict[str, BusinessDays]:
    """Every calendar by its name, and `weekdays`.

    Args:
        folder: where files of holidays lie.
        cache: where the sessions of exchanges are kept; None: they are asked for anew.
        today: the date around which sessions are wanted; by default that of the clock.

    Raises:
        ConfigError: a file or an exchange cannot be read; the message names file and line.
    """
    if BUILT_IN in calendars:
        raise ConfigError(f"{BUILT_IN} is the built-in calendar of every Monday to Friday; give yours another name")
    day = today or inherited_clock().now().date()
    return {BUILT_IN: WEEKDAYS, **{name: _load(calendar, folder, cache, day) for name, calendar in calendars.items()}}


def calendar_error(name: str, days: BusinessDays, today: date) -> str:
    """Why a configuration with this calendar is refused; empty unless it ends within 60 days."""
    return _end_is_near(name, days, today, _REFUSED)


def calendar_alert(name: str, days: BusinessDays, today: date) -> str:
    """What a running daemon has to say about this calendar; empty unless it ends within 30 days."""
    return _end_is_near(name, days, today, _ALARMED)


def _end_is_near(name: str, days: BusinessDays, today: date, limit: timedelta) -> str:
    if days.until is None or days.until - today > limit:
        return ""
    source = "update the library (pip install --upgrade exchange_calendars) and start again" \
        if days.sessions is not None else "add the coming holidays to its file and move `until`"
    left = (days.until - today).days
    when = f"in {left} days" if left > 1 else "tomorrow" if left == 1 else "today" if left == 0 else f"{-left} days ago"
    ends = "ends" if left >= 0 else "ended"
    return f"the calendar {name} {ends} {when}, on {days.until}; behind it no slot runs. To go on, {source}"


def _load(calendar: CalendarConfig, folder: Path, cache: Path | None, today: date) -> BusinessDays:
    if calendar.holidays is not None:
        return BusinessDays.without(_read_holidays(folder / calendar.holidays), until=calendar.until)
    assert calendar.exchange is not None
    return _exchange(calendar.exchange, cache, today)


def _read_holidays(path: Path) -> list[date]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}. It holds one holiday a line, as "
                          f"2026-12-25") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 text: {error.reason} at byte {error.start}") from error
    holidays = []
    for number, line in enumerate(lines, start=1):
        text = line.partition("#")[0].strip()
        if text:
            holidays.append(_read_date(text, f"{path}:{number}"))
    return holidays


def _read_date(text: str, place: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(f"{place}: {text!r} is no date; write one a line as YYYY-MM-DD, and words behind "
                          f"a #") from error
    if day.isoformat() != text:  # 20261225 and 2026-W52-5 are ISO too, but easily mistaken
        raise ConfigError(f"{place}: write {text} as {day}")
    return day


@dataclass(frozen=True, kw_only=True)
class _Sessions:
    """What a child has said about an exchange, and on which day it was asked."""

    days: BusinessDays
    asked: date

    def serves(self, today: date) -> bool:
        """Whether it reaches far enough, or cannot be had any better today."""
        assert self.days.since is not None
        assert self.days.until is not None
        return self.asked == today or self.days.since <= today <= self.days.until - _AHEAD


def _exchange(code: str, cache: Path | None, today: date) -> BusinessDays:
    if cache is None:
        return _parsed(_ask_child(code, today), today).days
    file = cache / f"{quote(code, safe='')}-{version('exchange_calendars')}.json"
    kept = _kept(file)
    if kept is not None and kept.serves(today):
        return kept.days
    answer = _ask_child(code, today)
    _keep(file, {**answer, "asked": today.isoformat()})
    return _parsed(answer, today).days


def _ask_child(code: str, today: date) -> dict[str, object]:
    span = (f"{today.year - 10}-01-01", f"{today.year + 2}-12-31")
    try:
        child = subprocess.run([sys.executable, "-m", "daemon.cron.exchange_days", code, *span], capture_output=True,
                               text=True, timeout=_LIMIT_S, check=False, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired as error:
        raise ConfigError(f"the sessions of {code} were not there after {_LIMIT_S:.0f} s. Try again, or write a file "
                          f"of holidays") from error
    if child.returncode == 2:
        raise ConfigError(f"there is no exchange {code}; `{_HOW_TO_LIST}` lists the codes")
    if child.returncode != 0:
        last_words = (child.stderr.strip().splitlines() or ["no word about it"])[-1]
        raise ConfigError(f"the sessions of {code} cannot be had: {last_words}. Use a file of holidays instead, or see "
                          f"`{_HOW_TO_LIST} {code}`")
    answer: dict[str, object] = json.loads(child.stdout)
    return answer


def _parsed(answer: Mapping[str, object], asked: date) -> _Sessions:
    sessions = answer["sessions"]
    if not isinstance(sessions, list):
        raise TypeError(f"expected a list of sessions, found {sessions!r}")
    first, last = (date.fromisoformat(str(answer[key])) for key in ("first", "last"))
    return _Sessions(days=BusinessDays.of_sessions(map(date.fromisoformat, sessions), first, last), asked=asked)


def _kept(file: Path) -> _Sessions | None:
    """What the file says; None when there is none, or it is damaged and must be made again."""
    try:
        answer = json.loads(file.read_text(encoding="utf-8"))
        return _parsed(answer, date.fromisoformat(answer["asked"]))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def _keep(file: Path, answer: Mapping[str, object]) -> None:
    """Write it whole or not at all."""
    fresh = file.with_suffix(f".{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_text(json.dumps(answer), encoding="utf-8")
        fresh.replace(file)
    except OSError as error:
        raise ConfigError(f"{file} cannot be written: {error.strerror}. Give the daemon a folder that it "
                          f"owns") from error
