"""What the machine's clock does, seen from the monotonic one: set forward, set back, or asleep (scheduler.md 2.6).

Wall time decides what is due, monotonic time how long anything takes. A step of the wall clock makes slots late, never
repeats one; a step so large that it must be a mistake holds the schedule until a person says `tradectl clock accept`.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from trading.clock import Clock, boottime_s
from trading.log import get_log

log = get_log()

_LOOK_EVERY_S: Final = 0.5
_SMALLEST_STEP_S: Final = 2.0
_LAGS_AFTER_S: Final = 1.0


class ClockEvent(StrEnum):
    """What has happened to the clock between two looks."""

    NOTHING = "nothing"
    STEPPED = "stepped"  # somebody, or a time server, has set it
    SLEPT = "slept"  # the machine was suspended
    TOO_FAR = "too far"  # set forward by more than is believable


@dataclass(frozen=True, kw_only=True)
class Reading:
    """Three clocks read together, in seconds: the wall's, one that stops in sleep, and one that does not."""

    wall_s: float
    monotonic_s: float
    boottime_s: float


@dataclass(frozen=True, kw_only=True)
class ClockChange:
    """The verdict; `step_s` is how far the wall clock went beyond real time, sleep included for SLEPT."""

    event: ClockEvent
    step_s: float


def compare(old: Reading, new: Reading, max_forward_s: float) -> ClockChange:
    """What the wall clock did between two readings that the two real clocks did not."""
    asleep_s = (new.boottime_s - old.boottime_s) - (new.monotonic_s - old.monotonic_s)
    step_s = (new.wall_s - old.wall_s) - (new.boottime_s - old.boottime_s)
    if step_s > max_forward_s:
        return ClockChange(event=ClockEvent.TOO_FAR, step_s=step_s)
    if abs(step_s) > _SMALLEST_STEP_S:
        return ClockChange(event=ClockEvent.STEPPED, step_s=step_s)
    if asleep_s > _SMALLEST_STEP_S:
        return ClockChange(event=ClockEvent.SLEPT, step_s=asleep_s)
    return ClockChange(event=ClockEvent.NOTHING, step_s=0.0)


def waits_until(now: datetime, newest_slot: datetime | None) -> str:
    """After a step back: the sentence for the status, or nothing."""
    if newest_slot is None or newest_slot - now < timedelta(seconds=_SMALLEST_STEP_S):
        return ""
    return f"the clock was set back; nothing is due until {newest_slot:%Y-%m-%d %H:%M:%S} UTC"


class ClockWatch:
    """Looks twice a second, and whenever somebody is about to decide by the clock; also tells of an event loop that
    does not get its turn."""

    def __init__(self, clock: Clock, max_forward_s: float, on_lag: Callable[[float], None],
                 boottime: Callable[[], float] = boottime_s) -> None:
        self._clock, self._max_forward_s, self._on_lag, self._boottime = clock, max_forward_s, on_lag, boottime
        self.on_change: Callable[[ClockChange], None] = lambda _: None
        self._last = self._read()

    def look(self) -> None:
        """Compare with the last look; whoever must know of a change knows it when this returns."""
        new = self._read()
        change, self._last = compare(self._last, new, self._max_forward_s), new
        if change.event is not ClockEvent.NOTHING:
            log.warning("clock_changed", kind=change.event.value, step_s=round(change.step_s, 1))
            self.on_change(change)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            asleep_s = self._clock.monotonic_s()
            await asyncio.sleep(_LOOK_EVERY_S)
            lag_s = self._clock.monotonic_s() - asleep_s - _LOOK_EVERY_S
            self._on_lag(max(lag_s, 0.0))
            if lag_s > _LAGS_AFTER_S:
                log.warning("loop_lagged", seconds=round(lag_s, 1))
            self.look()

    def _read(self) -> Reading:
        return Reading(wall_s=self._clock.now().timestamp(), monotonic_s=self._clock.monotonic_s(),
                       boottime_s=self._boottime())
