"""When the recorded exchange is open, and how the gateway writes times. Pure.

The exchange opens Monday to Friday from 00:00 to 23:59 in one zone; no holidays. A day is a local day of that zone.
"""

from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

CLOSE: Final = time(23, 59)
SATURDAY: Final = 5
DAYS_AHEAD: Final = 6
ZONED_STAMPS_SINCE: Final = 174  # older clients get local time without a zone (ib_wire.md 2.6)


def is_trading_day(day: date) -> bool:
    return day.weekday() < SATURDAY


def is_open(instant: datetime, zone: ZoneInfo) -> bool:
    local = instant.astimezone(zone)
    return is_trading_day(local.date()) and local.time() < CLOSE


def next_open(instant: datetime, zone: ZoneInfo) -> datetime:
    """`instant` itself while the exchange is open, else the next opening; in UTC like every instant."""
    if is_open(instant, zone):
        return instant
    day = instant.astimezone(zone).date() + timedelta(days=1)
    while not is_trading_day(day):
        day += timedelta(days=1)
    return midnight(day, zone)


def session_close(instant: datetime, zone: ZoneInfo) -> datetime:
    """When the session that is open at `instant`, or opens next after it, ends."""
    day = next_open(instant, zone).astimezone(zone).date()
    return datetime.combine(day, CLOSE, zone).astimezone(ZoneInfo("UTC"))


def midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, zone).astimezone(ZoneInfo("UTC"))


def local_date(instant: datetime, zone: ZoneInfo) -> date:
    return instant.astimezone(zone).date()


def hours_text(today: date) -> str:
    """The sessions of the next six days the way contract details list them (ib_wire.md 2.6)."""
    return ";".join(_session(today + timedelta(days=ahead)) for ahead in range(DAYS_AHEAD))


def _session(day: date) -> str:
    return f"{day:%Y%m%d}:0000-{day:%Y%m%d}:2359" if is_trading_day(day) else f"{day:%Y%m%d}:CLOSED"


def stamp(instant: datetime, zone: ZoneInfo, version: int) -> str:
    """A time in executions, bars and completed orders, as clients of `version` expect it."""
    local = instant.astimezone(zone)
    return f"{local:%Y%m%d %H:%M:%S} {zone.key}" if version >= ZONED_STAMPS_SINCE else f"{local:%Y%m%d  %H:%M:%S}"


def zoned_stamp(instant: datetime, zone: ZoneInfo) -> str:
    return stamp(instant, zone, ZONED_STAMPS_SINCE)
