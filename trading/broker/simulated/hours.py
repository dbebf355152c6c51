"""Days of a zone, and how the gateway writes times. Pure. When an exchange is open stands in exchange_hours.py."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

SATURDAY: Final = 5
DAYS_AHEAD: Final = 6
NO_ZONE_OF_ANYBODY: Final = "Atlantis"
ZONED_STAMPS_SINCE: Final = 174  # older clients get local time without a zone (ib_wire.md 2.6)


class TimeStyle(StrEnum):
    """How a gateway writes the times of executions; the real one has a setting for it (ib_wire.md 2.6)."""

    BY_VERSION = "BY_VERSION"  # with the zone for the clients that read it
    ZONE = "ZONE"
    NO_ZONE = "NO_ZONE"
    UTC_DASH = "UTC_DASH"  # 20211013-12:00:00, without a word that it is UTC
    UNKNOWN_ZONE = "UNKNOWN_ZONE"  # the local time, and a name that no client knows


def is_trading_day(day: date) -> bool:
    return day.weekday() < SATURDAY


def midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, zone).astimezone(ZoneInfo("UTC"))


def local_date(instant: datetime, zone: ZoneInfo) -> date:
    return instant.astimezone(zone).date()


def stamp(instant: datetime, zone: ZoneInfo, version: int) -> str:
    """A time in executions, bars and completed orders, as clients of `version` expect it."""
    local = instant.astimezone(zone)
    return f"{local:%Y%m%d %H:%M:%S} {zone.key}" if version >= ZONED_STAMPS_SINCE else f"{local:%Y%m%d  %H:%M:%S}"


def zoned_stamp(instant: datetime, zone: ZoneInfo) -> str:
    return stamp(instant, zone, ZONED_STAMPS_SINCE)


@dataclass(frozen=True)
class ExecutionStamps:
    """Writes the times of executions in the style that the gateway is set to."""

    zone: ZoneInfo
    style: TimeStyle = TimeStyle.BY_VERSION

    def text(self, instant: datetime, version: int) -> str:
        match self.style:
            case TimeStyle.BY_VERSION:
                return stamp(instant, self.zone, version)
            case TimeStyle.ZONE:
                return stamp(instant, self.zone, ZONED_STAMPS_SINCE)
            case TimeStyle.NO_ZONE:
                return stamp(instant, self.zone, ZONED_STAMPS_SINCE - 1)
            case TimeStyle.UTC_DASH:
                return f"{instant.astimezone(UTC):%Y%m%d-%H:%M:%S}"
            case TimeStyle.UNKNOWN_ZONE:
                return f"{instant.astimezone(self.zone):%Y%m%d %H:%M:%S} {NO_ZONE_OF_ANYBODY}"
