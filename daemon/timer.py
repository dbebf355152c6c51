"""The timers of the schedule: APScheduler fires, our own evaluator says when.

Slots are times of the world's clock, which may be shifted; APScheduler only knows the machine's.
"""

from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger

from daemon.schedule import FireTime, next_after
from trading.clock import SystemClock
from trading.config import ProcessConfig

_EARLY = timedelta(milliseconds=50)  # a timer may ring a moment before its time
Due = Callable[[str, FireTime], Awaitable[None]]


class CronTrigger(BaseTrigger):  # type: ignore[misc] # the library has no types
    """Fires at the slots of `expression`; remembers which slot it has promised."""

    def __init__(self, expression: str, zone: ZoneInfo, clock: SystemClock) -> None:
        self._expression, self._zone, self._clock = expression, zone, clock
        self._promises: deque[FireTime] = deque()
        self._last: FireTime | None = None

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime:
        """The next slot on the machine's clock; never one that was promised before."""
        world_now = now + self._clock.offset
        after = self._last.instant if self._last is not None and previous is not None else world_now
        self._last = next_after(self._expression, self._zone, after)
        self._promises.append(self._last)
        return self._last.instant - self._clock.offset

    def take_due(self, world_now: datetime) -> FireTime | None:
        """The newest promised slot that has come; older ones that came with it are the same run."""
        due = None
        while self._promises and self._promises[0].instant <= world_now:
            due = self._promises.popleft()
        return due


class Timer:
    """One APScheduler job a process. New and edited schedules begin now: nothing is made up for."""

    def __init__(self, clock: SystemClock, default_zone: ZoneInfo, due: Due) -> None:
        self._clock, self._default_zone, self._due = clock, default_zone, due
        self._scheduler = AsyncIOScheduler(timezone="UTC")
        self._processes: dict[str, ProcessConfig] = {}
        self._ringing = False

    def start(self, processes: Mapping[str, ProcessConfig]) -> None:
        """Ring for `processes` from now on."""
        self._scheduler.start()
        self._ringing = True
        self.replace(processes)

    def stop(self) -> None:
        """Ring no more; stopping twice is harmless."""
        if self._ringing:
            self._ringing = False
            self._scheduler.shutdown(wait=False)

    def replace(self, processes: Mapping[str, ProcessConfig]) -> None:
        """Use `processes` from now on; what did not change keeps its timer."""
        for name in set(self._processes) - set(processes):
            self._remove(name)
        for name, process in processes.items():
            if self._processes.get(name) != process:
                self._remove(name)
                if process.enabled:
                    self._add(name, process)
        self._processes = dict(processes)

    def upcoming(self, count: int) -> list[dict[str, Any]]:
        """The next `count` slots of all processes in order of time."""
        return upcoming(self._processes, self._default_zone, self._clock.now(), count)

    def _add(self, name: str, process: ProcessConfig) -> None:
        trigger = CronTrigger(process.cron, _zone(process, self._default_zone), self._clock)

        async def fire() -> None:
            slot = trigger.take_due(self._clock.now() + _EARLY)
            if slot is not None:
                await self._due(name, slot)

        self._scheduler.add_job(fire, trigger, id=name, misfire_grace_time=None, coalesce=True, max_instances=5)

    def _remove(self, name: str) -> None:
        if self._scheduler.get_job(name) is not None:
            self._scheduler.remove_job(name)


def upcoming(processes: Mapping[str, ProcessConfig], default_zone: ZoneInfo, now: datetime,
             count: int) -> list[dict[str, Any]]:
    """The next `count` slots of `processes` behind `now`, in order of time; at most ten of each."""
    rows: list[tuple[datetime, str]] = []
    for name, process in processes.items():
        after = now
        for _ in range(min(count, 10) if process.enabled else 0):
            after = next_after(process.cron, _zone(process, default_zone), after).instant
            rows.append((after, name))
    return [{"process": name, "instant": instant.isoformat(), "cron": processes[name].cron,
             "local": instant.astimezone(_zone(processes[name], default_zone)).isoformat()}
            for instant, name in sorted(rows)[:count]]


def _zone(process: ProcessConfig, default: ZoneInfo) -> ZoneInfo:
    return ZoneInfo(process.timezone) if process.timezone else default
