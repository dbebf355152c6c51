"""How far the clock is off: from the broker's, and from itself since the last look (RC-29). Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

_TOLD_IN: Final = timedelta(seconds=1)  # the broker tells whole seconds


@dataclass(frozen=True, kw_only=True, slots=True)
class ClockReading:
    """The wall's clock and the monotonic one, read together."""

    wall: datetime
    monotonic_s: float


def jump(old: ClockReading, new: ClockReading) -> timedelta:
    """By how much the wall clock went further than time did."""
    return (new.wall - old.wall) - timedelta(seconds=new.monotonic_s - old.monotonic_s)


def skew(told: datetime, asked: datetime, answered: datetime) -> timedelta:
    """The least by which our clock can be ahead of the broker's (negative: behind).

    The broker's clock showed `told`, or up to a second more, at some moment between our `asked` and `answered`.
    """
    least, most = asked - told - _TOLD_IN, answered - told
    return max(least, min(most, timedelta()))
