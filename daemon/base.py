"""What lives as long as the service, whether it leads or stands by: store, lease, workers, alerts, the socket."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from daemon.alerts.alerts import Alerts
from daemon.alerts.channels import channels_of
from daemon.alerts.stored_alerts import StoredAlerts
from daemon.api.server import Switch, serve_control
from daemon.api.standby import StandbyApi
from daemon.api.watching import Health, WatchingRoutes, serve_metrics
from daemon.children.hang_watch import kill_when_it_hangs
from daemon.children.zygote_process import ZygoteProcess
from daemon.decisions.worker_exit import WorkerExit
from daemon.leadership import Leadership, LeaseTimes, TokenMemory
from daemon.places import Places
from daemon.process_runner import ProcessRunner
from daemon.store.async_store import AsyncStore
from daemon.store.opened_store import OpenedStore, opened_store
from daemon.watching.dead_man import ping_forever
from daemon.watching.metrics import Metrics
from daemon.workers import Workers
from trading.clock import SystemClock
from trading.config import ServiceConfig


@dataclass(kw_only=True)
class Base:
    """The parts, started."""

    opened: OpenedStore
    store: AsyncStore
    leadership: Leadership
    workers: Workers
    alerts: Alerts
    metrics: Metrics
    switch: Switch
    standby: StandbyApi
    watching: WatchingRoutes
    tasks: "list[asyncio.Task[None]]" = field(default_factory=list)  # none of them ends by itself
    runners: list[ProcessRunner] = field(default_factory=list)  # of this term, and older ones whose runs go on

    @property
    def store_problem(self) -> str:
        """What is wrong with the store, in a sentence; empty: nothing that we know of."""
        return self.leadership.store_problem or self.store.problem

    def on_exit(self, end: WorkerExit) -> None:
        """Whoever started the worker settles its run."""
        for runner in self.runners:
            runner.on_exit(end)


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What the supervisor tells about itself."""

    status: Callable[[], dict[str, Any]]
    health: Callable[[], Health]
    shut_down: Callable[[], None]
    stopping: Callable[[], bool]


@asynccontextmanager
async def started_base(service: ServiceConfig, places: Places, zygote: ZygoteProcess,
                       answers: Answers) -> AsyncIterator[Base]:
    """Everything that a standby needs, running while the block runs."""
    clock = SystemClock()
    workers = Workers(zygote)
    workers.begin()
    try:
        async with opened_store(service, places, answers.stopping) as opened:
            store = AsyncStore(opened.store)
            await workers.expect(opened.uri, service.mongo.database, service.mongo.timeout_s)
            leadership = Leadership(AsyncStore(opened.store, threads=1), clock, TokenMemory(places.token), LeaseTimes(
                ttl_s=service.leadership.ttl_s, renew_s=service.leadership.renew_s))
            usual, escalation = channels_of(service.alerts)
            remembered = StoredAlerts(AsyncStore(opened.store, threads=1))
            alerts, metrics = Alerts(remembered, clock, service.alerts, usual, escalation), Metrics()
            watching = WatchingRoutes(alerts, metrics, answers.health)
            standby = StandbyApi(leadership, watching, answers.status, answers.shut_down)
            base = Base(opened=opened, store=store, leadership=leadership, workers=workers, alerts=alerts,
                        metrics=metrics, switch=Switch(standby.application()), standby=standby, watching=watching)
            workers.on_exit = base.on_exit
            base.tasks.append(asyncio.create_task(alerts.run(), name="alerts"))
            if opened.restart is not None:
                base.tasks.append(asyncio.create_task(
                    kill_when_it_hangs(lambda: leadership.store_answers, opened.restart, clock),
                    name="the embedded store"))
            if service.dead_man.url is not None:
                base.tasks.append(asyncio.create_task(
                    ping_forever(service.dead_man, lambda: answers.health().ready and leadership.is_leader),
                    name="the dead-man ping"))
            try:
                async with serve_control(places.socket, base.switch), \
                        serve_metrics(service.metrics, watching.public_routes()):
                    yield base
            finally:
                await alerts.flushed(within_s=3.0)
                for task in base.tasks:
                    task.cancel()
                store.close()
    finally:
        await workers.stop()
