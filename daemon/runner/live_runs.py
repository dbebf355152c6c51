"""The runs that this daemon started and watches: their workers, their limits in time, and how each is made to end."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from daemon.children.worker_spec import WorkerSpec
from daemon.crash_points import Point, crash_point
from daemon.decisions.run_outcome import NOTHING_DONE, Intervention, Why
from daemon.runner.timers import Timers
from trading.control.process_run import ProcessRun
from trading.log import get_log
from trading.process_config import OnWindowEnd, ProcessConfig, ProcessKind

log = get_log()


class WorkerPool(Protocol):
    """Starts and signals workers; how they end comes back by another way."""

    async def run(self, spec: dict[str, object]) -> None:
        """Start a worker; an exit event follows in any case."""

    async def ask_to_stop(self, run: str) -> None:
        """SIGTERM to the worker's whole group."""

    async def kill(self, run: str) -> None:
        """SIGKILL to the worker's whole group."""


@dataclass
class LiveRun:
    """One run whose end we shall see; it keeps the configuration that it was started with."""

    run: ProcessRun
    process: ProcessConfig
    ended: "asyncio.Future[ProcessRun]"
    done: Intervention = NOTHING_DONE


class LiveRuns:
    """Launch, limit, stop, kill. All methods run on the event loop."""

    def __init__(self, workers: WorkerPool, timers: Timers, is_taken: Callable[[str], Awaitable[bool]],
                 spawn: Callable[[Awaitable[None]], None]) -> None:
        self._workers, self._timers, self._is_taken, self._spawn = workers, timers, is_taken, spawn
        self._live: dict[str, LiveRun] = {}

    def __contains__(self, run: object) -> bool:
        return run in self._live

    def __getitem__(self, run: str) -> LiveRun:
        return self._live[run]

    def __len__(self) -> int:
        return len(self._live)

    def running(self) -> list[LiveRun]:
        """All that have not ended."""
        return list(self._live.values())

    async def launch(self, run: ProcessRun, process: ProcessConfig, spec: WorkerSpec,
                     window_closes: datetime | None) -> None:
        """Start the worker of a run that has been claimed, and the clocks that limit it."""
        future: asyncio.Future[ProcessRun] = asyncio.get_running_loop().create_future()
        live = self._live[run.id] = LiveRun(run, process, future)
        self._set_limits(live, window_closes)
        await self._workers.run(dict(vars(spec)))
        crash_point(Point.AFTER_SPAWN)
        log.info("run_started", run=run.id)

    async def intervene(self, run: str, done: Intervention) -> None:
        """Ask the worker to stop; kill it when its grace is over."""
        live = self._live.get(run)
        if live is None or live.done.why is not Why.NOTHING:
            return
        live.done = done
        await self._workers.ask_to_stop(run)
        self._timers.after(f"kill {run}", live.process.grace, lambda: self._spawn(self.kill(run)))

    async def kill(self, run: str) -> None:
        """SIGKILL to the worker's whole group."""
        live = self._live.get(run)
        if live is None:
            return
        log.warning("run_killed", run=run, reason=live.done.reason, grace_s=live.process.grace)
        live.done = replace(live.done, killed=True)
        await self._workers.kill(run)

    def close(self, ended: ProcessRun) -> None:
        """The end of a run is durable: whoever waits for it hears of it."""
        live = self._live.pop(ended.id, None)
        for limit in ("kill", "timeout", "take", "deadline", "window"):
            self._timers.cancel(f"{limit} {ended.id}")
        if live is not None and not live.ended.done():
            live.ended.set_result(ended)

    def _set_limits(self, live: LiveRun, window_closes: datetime | None) -> None:
        run, process = live.run, live.process
        self._timers.after(f"timeout {run.id}", process.timeout, self._limit(run, Why.TIMED_OUT, (
            f"{run.process} ran for {_span(process.timeout)}, longer than allowed")))
        self._timers.after(f"take {run.id}", process.start_timeout, lambda: self._spawn(self._check_taken(live)))
        if process.deadline is not None and run.due is not None:
            self._timers.after(f"deadline {run.id}", process.deadline - (run.created - run.due).total_seconds(),
                               self._limit(run, Why.PAST_DEADLINE, f"{run.process} still ran at its deadline, "
                                           f"{_span(process.deadline)} after its slot"))
        stops = process.kind is ProcessKind.SERVICE or process.on_window_end is OnWindowEnd.STOP
        if window_closes is not None and stops:
            reason = "" if process.kind is ProcessKind.SERVICE else "its window ended"
            self._timers.at(f"window {run.id}", window_closes, self._limit(run, Why.WINDOW_ENDED, reason))

    def _limit(self, run: ProcessRun, why: Why, reason: str) -> Callable[[], None]:
        def reached() -> None:
            log.warning("run_limit_reached", run=run.id, limit=why.value)
            self._spawn(self.intervene(run.id, Intervention(why=why, reason=reason)))
        return reached

    async def _check_taken(self, live: LiveRun) -> None:
        run = live.run.id
        if run in self._live and not await self._is_taken(run):
            reason = f"no worker took it within {live.process.start_timeout} s"
            if live.done.why is Why.NOTHING:
                live.done = Intervention(why=Why.NOT_TAKEN, reason=reason)
            await self.kill(run)


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
