"""Timers: at an instant of the world's clock (APScheduler's engine), or after a real time span. Both only ring.

The world's clock may be shifted or may jump, the machine's timers know neither; so a ring is only a reason to look,
and whoever is rung decides by the clock. A new timer of the same name replaces the old one.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.date import DateTrigger

from trading.clock import SystemClock

Ring = Callable[[], None]
_FARTHEST = timedelta(days=1)  # a timer is set anew at least so often, whatever the clocks do meanwhile


class Timers(Protocol):
    """What the runner needs of time beside a clock."""

    def at(self, name: str, instant: datetime, ring: Ring) -> None:
        """Call `ring` at `instant` (aware) of the world's clock, or soon if that has passed."""

    def after(self, name: str, delay_s: float, ring: Ring) -> None:
        """Call `ring` once `delay_s` seconds have really passed."""

    def cancel(self, name: str) -> None:
        """Forget the timer `name`, if there is one."""

    async def pause(self, delay_s: float) -> None:
        """Return once `delay_s` seconds have really passed."""


class SchedulerTimers:
    """APScheduler for instants, the event loop for spans; APScheduler's own cron and job stores are not used."""

    def __init__(self, clock: SystemClock) -> None:
        self._clock = clock
        self._scheduler = AsyncIOScheduler(timezone="UTC")
        self._instants: dict[str, datetime] = {}
        self._spans: dict[str, asyncio.TimerHandle] = {}

    def start(self) -> None:
        """Ring from now on. Needs a running event loop."""
        self._scheduler.start()

    def stop(self) -> None:
        """Ring no more; stopping twice is harmless."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        for handle in self._spans.values():
            handle.cancel()
        self._instants.clear()
        self._spans.clear()

    def at(self, name: str, instant: datetime, ring: Ring) -> None:
        now = self._clock.now()
        instant = min(instant, now + _FARTHEST)
        if self._instants.get(name) == instant:
            return

        async def rung() -> None:  # a coroutine, so that it runs on the loop and not on a thread
            self._instants.pop(name, None)
            ring()

        self._instants[name] = instant
        machine_time = now - self._clock.offset + max(instant - now, timedelta(0))
        self._scheduler.add_job(rung, DateTrigger(machine_time), id=name, replace_existing=True,
                                misfire_grace_time=None, coalesce=True)

    def after(self, name: str, delay_s: float, ring: Ring) -> None:
        self.cancel(name)

        def rung() -> None:
            self._spans.pop(name, None)
            ring()

        self._spans[name] = asyncio.get_running_loop().call_later(max(delay_s, 0.0), rung)

    def cancel(self, name: str) -> None:
        if (handle := self._spans.pop(name, None)) is not None:
            handle.cancel()
        if self._instants.pop(name, None) is not None and self._scheduler.get_job(name) is not None:
            self._scheduler.remove_job(name)

    async def pause(self, delay_s: float) -> None:
        await asyncio.sleep(delay_s)

    def wake_up(self) -> None:
        """The clock has jumped: APScheduler looks at all its timers again at once."""
        if self._scheduler.running:
            self._scheduler.wakeup()
