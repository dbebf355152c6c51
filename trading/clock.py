"""The only place that reads a clock. Everybody else receives a `Clock`.

Two readings, never mixed: `now` says what time it is in the world that we trade in (aware, UTC; it may be
shifted into the past to play recorded days), `monotonic_s` measures how long something takes (always real).
"""

import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

OFFSET_VARIABLE = "TRADINGD_CLOCK_OFFSET_S"  # how a child process learns of its parent's shifted clock

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    """What time it is, and how much of it has passed."""

    def now(self) -> datetime:
        """The world's time: aware, UTC."""

    def monotonic_s(self) -> float:
        """Seconds since an arbitrary moment; never jumps; real even when `now` is shifted."""


@dataclass(frozen=True)
class SystemClock:
    """The machine's clock, shifted by a fixed offset (zero in production)."""

    offset: timedelta = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset

    def monotonic_s(self) -> float:
        return time.monotonic()


@dataclass
class FollowingClock:
    """Shows what another clock shows, and may be given another one: a store is opened before the day is known."""

    followed: Clock

    def now(self) -> datetime:
        return self.followed.now()

    def monotonic_s(self) -> float:
        return self.followed.monotonic_s()


def boottime_s() -> float:
    """Seconds since the machine was started, those included in which it slept; never jumps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def clock_as_of(instant: datetime) -> SystemClock:
    """A clock that shows `instant` (aware) now and goes on from there at the normal pace."""
    return SystemClock(offset=instant - datetime.now(UTC))


def inherited_clock() -> SystemClock:
    """The clock of the process that started this one; the machine's own when nobody shifted it."""
    return SystemClock(timedelta(seconds=float(os.environ.get(OFFSET_VARIABLE, "0"))))


def to_milliseconds(instant: datetime) -> int:
    """Milliseconds since 1970 in UTC; `instant` must be aware."""
    return (instant - _EPOCH) // timedelta(milliseconds=1)


def from_milliseconds(milliseconds: int) -> datetime:
    """The aware UTC instant `milliseconds` after the start of 1970."""
    return _EPOCH + timedelta(milliseconds=milliseconds)
