"""Everything that decides what is due and what it needs, as one value; an edit of the configuration makes a new one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from daemon.cron.business_days import WEEKDAYS, BusinessDays
from trading.control.trading_day import TradingDays
from trading.process_config import ProcessConfig


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The processes with their surroundings."""

    processes: Mapping[str, ProcessConfig]
    zone: ZoneInfo  # of schedules that name none
    days: TradingDays
    resources: Mapping[str, int] = field(default_factory=dict)
    calendars: Mapping[str, BusinessDays] = field(default_factory=lambda: {"weekdays": WEEKDAYS})
    values: Mapping[str, Any] = field(default_factory=dict)  # the whole configuration, as a worker is told it
    generation: int = 0  # of that configuration

    def zone_of(self, process: ProcessConfig) -> ZoneInfo:
        return self.zone if process.timezone is None else ZoneInfo(process.timezone)

    def calendar_of(self, process: ProcessConfig) -> BusinessDays | None:
        return None if process.calendar is None else self.calendars[process.calendar]
