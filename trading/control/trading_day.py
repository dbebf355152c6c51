"""Which trading day an instant belongs to. Pure.

A futures day often begins on the evening before (17:00 Chicago); a day that begins after noon is named for the next
date. "The same day" is never "within 24 hours" (scheduler.md 2.7).
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

_NOON: Final = time(12)


@dataclass(frozen=True, kw_only=True)
class TradingDays:
    """When a trading day begins, in which zone."""

    zone: ZoneInfo
    starts_at: time = time(0)

    def day_of(self, instant: datetime) -> str:
        """The trading day (YYYY-MM-DD) of `instant` (aware)."""
        local = instant.astimezone(self.zone)
        has_begun = local.time() >= self.starts_at
        if self.starts_at > _NOON:
            return (local.date() + timedelta(days=1 if has_begun else 0)).isoformat()
        return (local.date() - timedelta(days=0 if has_begun else 1)).isoformat()
