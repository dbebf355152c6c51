"""How fast the next fire time is found, and how fast a year is listed."""

import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from daemon.schedule import between, next_after

EXPRESSIONS = ("*/5 * * * *", "0 6 * * 1-5", "30 1 * * *", "0,30 8-17 * * *", "0 0 1 * *", "*/15 9-16 * * mon-fri",
               "@hourly", "0 0 L * *", "0 12 * * fri#2", "45 23 13 * 5")
ZONES = ("UTC", "Europe/London", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Tokyo")
START = datetime(2026, 1, 1, tzinfo=UTC)
CALLS = 200  # one after the other, for each pair


def measure() -> dict[str, float]:
    """Calls of `next_after` a second, with nothing remembered at first; milliseconds for the 105,120 of a year."""
    began = time.perf_counter()
    for zone in map(ZoneInfo, ZONES):
        for expression in EXPRESSIONS:
            now = START
            for _ in range(CALLS):
                now = next_after(expression, zone, now).instant
    calls_s = time.perf_counter() - began
    began = time.perf_counter()
    fires = sum(1 for _ in between("*/5 * * * *", ZoneInfo("Europe/London"), START, START + timedelta(days=365)))
    between_s = time.perf_counter() - began
    assert fires == 105_120, f"a year has 105120 times five minutes, not {fires}"
    return {"next_after_per_s": len(ZONES) * len(EXPRESSIONS) * CALLS / calls_s, "between_year_ms": between_s * 1000}
