"""Looks at the daemon from outside, once a second: figures, the status line, and alerts about its surroundings.

What happens to runs and slots is told by `Watch`; here is what nobody would otherwise notice: a broker link that stays
down, a disk that fills up, a calendar that ends, a worker that lives but gives no sign.
"""

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pymongo.errors import PyMongoError

from daemon.base import Base
from daemon.bootstrap import Daemon
from daemon.children.signs_of_life import SignsOfLife
from daemon.cron.calendars import calendar_alert
from daemon.places import Places
from daemon.watching import systemd
from trading.clock import Clock
from trading.control.alert import AlertKind
from trading.control.process_run import ProcessRun

_LOOK_EVERY_S: Final = 1.0
_SELDOM: Final = 15  # looks: what costs a question to the store or the disk
_BROKER_AWAY_S: Final = 300.0  # a restart of the gateway is no news
_LEAST_FREE: Final = 1_000_000_000
PROBLEMS_OF_A_TERM: Final = (  # what an earlier daemon may have told, and nobody else would take back
    (AlertKind.CONFIG_REJECTED, "config"), (AlertKind.STORE_LOST, "lease"), (AlertKind.STORE_LOST, "store"),
    (AlertKind.BROKER_LOST, "broker"), (AlertKind.DISK_FULL, "disk"))


@dataclass(kw_only=True)
class Observer:
    """One term's observer."""

    base: Base
    daemon: Daemon
    places: Places
    clock: Clock
    free_bytes: Callable[[Path], int] = field(default=lambda folder: shutil.disk_usage(folder).free)
    _told: dict[tuple[AlertKind, str], str] = field(default_factory=dict)
    _status: str = ""
    _looks: int = 0
    _configured: set[str] = field(default_factory=set)
    _broker_away_since_s: float | None = None
    _signs: SignsOfLife = field(default_factory=SignsOfLife)

    async def run(self) -> None:
        """Until cancelled."""
        for kind, subject in PROBLEMS_OF_A_TERM:
            self.base.alerts.over(kind, subject)
        for name, control in (await self.daemon.runner.controls()).items():
            self.base.metrics.set_process_state(name, control.state)
        while True:
            self._look()
            if self._looks % _SELDOM == 0:
                await self._look_closely()
            self._looks += 1
            await asyncio.sleep(_LOOK_EVERY_S)

    def sentence(self) -> str:
        """How it stands, for the manager's status line."""
        runner = self.daemon.runner
        words = ["leading" if self.base.leadership.is_leader else self._not_leading(),
                 f"{len(runner.plan.processes)} processes", f"{len(runner.live)} running"]
        if runner.held:
            words.append(f"held: {runner.held}")
        if self.daemon.live.problem:
            words.append("configuration rejected, see tradectl status")
        return ", ".join(words)

    def _not_leading(self) -> str:
        return f"not leading: {self.base.store_problem or 'the store does not answer'}"

    def _look(self) -> None:
        metrics, leadership, daemon = self.base.metrics, self.base.leadership, self.daemon
        metrics.set_leader(leadership.is_leader)
        metrics.set_fencing_token(leadership.token)
        metrics.set_lease_age(leadership.lease_age_s)
        metrics.set_store_up(leadership.store_answers)
        metrics.set_broker_up(daemon.broker.problem is None)
        metrics.set_active_runs(len(daemon.runner.live))
        metrics.set_config_generation(daemon.live.generation)
        self._forget_removed()
        self._tell(AlertKind.CONFIG_REJECTED, "config", (daemon.live.problem or "").partition("\n")[0])
        self._tell(AlertKind.STORE_LOST, "lease", "" if leadership.is_leader else (
            "The lease could not be renewed (see tradectl status). Nothing new is started; what runs goes on."))
        self._tell(AlertKind.BROKER_LOST, "broker", self._about_broker())
        if (sentence := self.sentence()) != self._status:
            self._status = sentence
            systemd.notify(f"STATUS={sentence}")

    def _forget_removed(self) -> None:
        """The state of a process that is no longer configured would stand in the figures for ever."""
        names = set(self.daemon.runner.plan.processes)
        for name in self._configured - names:
            self.base.metrics.forget_process(name)
        self._configured = names

    async def _look_closely(self) -> None:
        self._tell(AlertKind.DISK_FULL, "disk", await asyncio.to_thread(self._about_disk))
        today = self.clock.now().date()
        used = {process.calendar for process in self.daemon.runner.plan.processes.values()}
        for name, days in self.daemon.runner.plan.calendars.items():
            self._tell(AlertKind.CALENDAR_ENDS, name, calendar_alert(name, days, today) if name in used else "")
        await self._look_at_workers()

    async def _look_at_workers(self) -> None:
        """A worker whose process lives but whose signs do not come; only while the store could have taken them."""
        live, store = self.daemon.runner.live, self.base.store
        if not self.base.leadership.is_leader:
            return
        try:
            runs = await store.call(store.processes.active_runs) if len(live) else []
        except PyMongoError:
            return
        silent = self._signs.silent(runs, self.clock.monotonic_s())
        stuck = {run.process: _about_worker(run) for run in runs if run.id in silent and run.id in live}
        told = {subject for kind, subject in self._told if kind is AlertKind.STUCK}
        for process in told | stuck.keys():
            self._tell(AlertKind.STUCK, process, stuck.get(process, ""))

    def _about_broker(self) -> str:
        now_s, link = self.clock.monotonic_s(), self.daemon.broker
        if link.problem is None or not any(each.needs_broker for each in self.daemon.runner.plan.processes.values()):
            self._broker_away_since_s = None
            return ""
        if self._broker_away_since_s is None:
            self._broker_away_since_s = now_s
        if now_s - self._broker_away_since_s < _BROKER_AWAY_S:
            return ""
        return f"The broker link has been down for {_BROKER_AWAY_S / 60:.0f} min: {link.problem}. What needs it waits."

    def _about_disk(self) -> str:
        if self.free_bytes(self.places.state) >= _LEAST_FREE:
            return ""
        return (f"Less than {_LEAST_FREE // 1_000_000:,} MB are free under {self.places.state}; the store needs room. "
                f"Free some: tradectl run run_cleaners")

    def _tell(self, kind: AlertKind, subject: str, problem: str) -> None:
        """Tell a problem when it comes or changes, and when it is over."""
        before, self._told[kind, subject] = self._told.get((kind, subject), ""), problem
        if problem and problem != before:
            self.base.alerts.tell(kind, subject, problem)
        elif before and not problem:
            self.base.alerts.over(kind, subject)


def _about_worker(run: ProcessRun) -> str:
    return (f"{run.id} gives no sign of life although its process exists. See: tradectl logs {run.process}; "
            f"to end it: tradectl kill {run.process}")
