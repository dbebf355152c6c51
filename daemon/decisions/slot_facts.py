"""All that the decision about the slots of one process depends on, and where that decision begins. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from daemon.cron.business_days import BusinessDays
from daemon.cron.clock_changes import first_instant
from daemon.cron.cron_expression import REBOOT, parse
from trading.control.process_control import ProcessControl
from trading.process_config import ProcessConfig


@dataclass(frozen=True, kw_only=True)
class SlotFacts:
    """All that the decision depends on."""

    name: str
    process: ProcessConfig
    zone: ZoneInfo
    calendar: BusinessDays | None
    control: ProcessControl
    now: datetime
    trading_day: Callable[[datetime], str]
    upstream_success: str | None = None  # the newest successful run of `on_success_of`
    boot: str = ""  # names this life of the daemon, for @reboot
    booting: bool = False  # this is the first look in it
    why: str = ""  # why the first pending slot still waits


def fingerprint(process: ProcessConfig, zone: ZoneInfo) -> str:
    """What determines the slots of a process; when it changes, its schedule begins anew, now."""
    trigger = process.model_dump(mode="json", include={
        "cron", "every", "after_finish", "on_success_of", "calendar", "on_holiday", "window", "enabled"})
    return " ".join(f"{key}={value}" for key, value in {**trigger, "timezone": zone.key}.items() if value is not None)


def on_its_schedule(facts: SlotFacts) -> ProcessControl:
    """New and edited schedules begin now: nothing is made up for by surprise, or twice after the clock was set back."""
    wanted = fingerprint(facts.process, facts.zone)
    if facts.control.schedule == wanted:
        return facts.control
    already = facts.upstream_success or ("" if facts.booting else facts.boot)
    through = max(facts.now, facts.control.evaluated_through or facts.now)
    return replace(facts.control, schedule=wanted, evaluated_through=through, triggered_by=already,
                   utc_offset_s=utc_offset_s(facts.zone, through))


def decided_through(facts: SlotFacts) -> datetime | None:
    """Where undecided slots begin. When new zone data has moved the local clock, a job at a fixed time of the day goes
    on where that clock stood: a time that it ran at does not come again, one that was jumped over is late."""
    through, then_s = facts.control.evaluated_through, facts.control.utc_offset_s
    cron = facts.process.cron
    if through is None or then_s is None or cron is None or cron.strip() == REBOOT or not parse(cron).fixed:
        return through
    if utc_offset_s(facts.zone, through) == then_s:
        return through
    return first_instant(facts.zone, through.replace(tzinfo=None) + timedelta(seconds=then_s))


def utc_offset_s(zone: ZoneInfo, instant: datetime) -> int:
    """What the local clock shows beyond UTC at `instant` (aware)."""
    offset = instant.astimezone(zone).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())
