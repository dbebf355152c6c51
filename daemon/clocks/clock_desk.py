"""What the service does about a clock that has jumped: it says so, looks again, or holds the schedule until a person
has looked (scheduler.md 2.6)."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from pymongo.errors import PyMongoError

from daemon.alerts.alerts import Alerts
from daemon.clocks.clock_watch import ClockChange, ClockEvent, waits_until
from daemon.process_runner import ProcessRunner
from daemon.runner.timers import SchedulerTimers
from daemon.store.async_store import AsyncStore
from daemon.watching.metrics import Metrics
from trading.clock import Clock
from trading.control.alert import AlertKind
from trading.control.change import Cause
from trading.errors import StoreError
from trading.log import get_log

log = get_log()

_TRY_AGAIN_S: Final = 2.0


@dataclass(kw_only=True)
class ClockDesk:
    """One term's. A hold outlives the daemon: it stands in the store."""

    clock: Clock
    runner: ProcessRunner
    timers: SchedulerTimers
    store: AsyncStore
    alerts: Alerts
    metrics: Metrics
    _storing: "asyncio.Task[None] | None" = None

    async def load(self) -> None:
        """Hold the schedule if it was held when the last daemon ended."""
        if held := await self.store.call(self.store.settings.clock_hold):
            self.runner.hold("clock", held)

    def changed(self, change: ClockChange) -> None:
        """The clock has done something that time does not do. Nothing is decided before this returns."""
        if change.event is not ClockEvent.SLEPT:
            self.metrics.clock_jumped()
            self.alerts.tell(AlertKind.CLOCK_JUMPED, "clock", _about(change))
        if change.event is ClockEvent.TOO_FAR:
            self._hold(f"the clock jumped forward by {change.step_s / 3600:,.1f} h; nothing is started until somebody "
                       f"says tradectl clock accept")
        self.timers.wake_up()
        self.runner.wake_all()

    @property
    def waiting(self) -> str:
        """After a step back: until when nothing is due, as a sentence; empty when the clock is where it should be."""
        return waits_until(self.clock.now(), self.runner.ledger.newest_look())

    async def accept(self, rewind: bool, cause: Cause) -> None:
        """The clock is right: go on from here; with `rewind`, also if it stands before slots that were decided."""
        if self._storing is not None:
            self._storing.cancel()
        await self.store.call(self.store.settings.hold_clock, "")
        if rewind:
            await self.runner.desk.rewind(list(self.runner.plan.processes), cause)
        self.alerts.over(AlertKind.SCHEDULE_HELD, "clock")
        self.runner.hold("clock", "")

    def _hold(self, why: str) -> None:
        self.runner.hold("clock", why)
        self.alerts.tell(AlertKind.SCHEDULE_HELD, "clock", f"The schedule is held: {why}.")
        self._storing = asyncio.ensure_future(self._store_hold(why))

    async def _store_hold(self, why: str) -> None:
        while True:
            try:
                return await self.store.call(self.store.settings.hold_clock, why)
            except (StoreError, PyMongoError) as error:
                log.warning("hold_not_stored", reason=str(error)[:200])
                await asyncio.sleep(_TRY_AGAIN_S)


def _about(change: ClockChange) -> str:
    step = str(timedelta(seconds=abs(round(change.step_s))))
    if change.step_s < 0:
        return (f"The clock was set back by {step}. What has run does not run again: nothing is due until the clock "
                f"is where it was. If it is right now, say: tradectl clock accept --rewind")
    return f"The clock was set forward by {step}. The slots in between are late, or missed."
