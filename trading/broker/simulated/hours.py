"""Days of a zone, and how the gateway writes times. Pure. When an exchange is open stands in exchange_hours.py."""

from datetime import date, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

SATURDAY: Final = 5
DAYS_AHEAD: Final = 6
ZONED_STAMPS_SINCE: Final = 174  # older clients get local time without a zone (ib_wire.md 2.6)


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
