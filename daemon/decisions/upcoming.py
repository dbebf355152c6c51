"""What is due next, as rows for people, and a schedule in words. Pure; jitter is not applied."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any, Final
from zoneinfo import ZoneInfo

from daemon import schedule
from daemon.cron.business_days import WEEKDAYS, BusinessDays
from daemon.decisions.slots import Slot, next_slot
from trading.process_config import ProcessConfig, WindowConfig

Calendars = Mapping[str, BusinessDays]

_MOST_OF_EACH: Final = 10
_UNITS: Final = ((86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


def upcoming(processes: Mapping[str, ProcessConfig], default_zone: ZoneInfo, calendars: Calendars, now: datetime,
             count: int) -> list[dict[str, Any]]:
    """The next `count` slots behind `now` in order of time; of several processes at most ten of each."""
    most = count if len(processes) == 1 else min(count, _MOST_OF_EACH)
    found = [(slot.instant, name) for name, process in processes.items()
             for slot in islice(next_slots(process, default_zone, calendars, now), most)]
    return [_row(name, processes[name], instant, default_zone) for instant, name in sorted(found)[:count]]


def next_slots(process: ProcessConfig, default_zone: ZoneInfo, calendars: Calendars, now: datetime) -> Iterator[Slot]:
    """The slots of a process behind `now`; none for one that is switched off or has no slots of its own."""
    zone, calendar = zone_of(process, default_zone), calendar_of(process, calendars)
    slot = next_slot(process, zone, calendar, now) if process.enabled else None
    while slot is not None:
        yield slot
        slot = next_slot(process, zone, calendar, slot.instant)


def zone_of(process: ProcessConfig, default: ZoneInfo) -> ZoneInfo:
    """In which zone a process reads the clock."""
    return ZoneInfo(process.timezone) if process.timezone else default


def calendar_of(process: ProcessConfig, calendars: Calendars) -> BusinessDays | None:
    """The business days of a process; None: every day."""
    if process.calendar is None:
        return None
    return calendars.get(process.calendar, WEEKDAYS)


def in_words(process: ProcessConfig) -> str:
    """When a process runs: "at 06:00 on Monday to Friday, between 05:00 and 07:00"."""
    words = [_trigger(process)]
    if process.window:
        words.append(" or ".join(f"between {_window(window)}" for window in process.window))
    if process.calendar is not None:
        words.append(f"on the business days of {process.calendar}" + (
            "" if process.on_holiday.value == "skip" else f" (holidays: {process.on_holiday.value})"))
    if process.timezone is not None:
        words.append(f"{process.timezone} time")
    return ", ".join(words) + ("" if process.enabled else "; switched off")


def duration_in_words(seconds: int) -> str:
    """300 is "5 minutes"; what is no whole number of a unit is told in the next smaller one."""
    size, unit = next((size, unit) for size, unit in _UNITS if seconds % size == 0)
    count = seconds // size
    return f"{count} {unit}{'' if count == 1 else 's'}"


def _row(name: str, process: ProcessConfig, instant: datetime, default_zone: ZoneInfo) -> dict[str, Any]:
    local = instant.astimezone(zone_of(process, default_zone))
    return {"process": name, "instant": instant.isoformat(), "cron": process.cron or "", "local": local.isoformat(),
            "explain": in_words(process)}


def _trigger(process: ProcessConfig) -> str:
    if process.cron is not None and process.cron.strip() == schedule.REBOOT:
        return "once at each start of the service"
    if process.cron is not None:
        return schedule.explain(process.cron)
    if process.every is not None:
        return f"every {duration_in_words(process.every)}"
    if process.after_finish is not None:
        return f"{duration_in_words(process.after_finish)} after its last end"
    return f"whenever {process.on_success_of} has finished"


def _window(window: WindowConfig) -> str:
    return f"{window.start:%H:%M} and {window.stop:%H:%M}"
