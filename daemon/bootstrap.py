"""Composition root: the one place that builds the parts of the daemon from its configuration."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from daemon import schedule
from daemon.api.app import ControlApi, ControlParts
from daemon.api.broker_link import BrokerRoutes
from daemon.async_store import AsyncStore
from daemon.broker_service import BrokerParts, BrokerService
from daemon.journal_writer import JournalWriter
from daemon.leadership import Leadership
from daemon.places import Places
from daemon.process_runner import ProcessRunner, RunnerParts
from daemon.timer import Timer
from daemon.worker_spec import WorkerSpec
from daemon.workers import Workers
from processes.registry import PROCESSES
from trading.clock import SystemClock
from trading.config import Config, load_config, source_line
from trading.control.process_run import ProcessRun
from trading.data.mongo.connection import MongoStore
from trading.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What is known before the parts are built: where, when, over which store, to which gateway."""

    config: Config
    places: Places
    clock: SystemClock
    store: MongoStore
    store_uri: str
    gateway: Callable[[], tuple[str, int]]
    shut_down: Callable[[], None]
    status: Callable[[], dict[str, Any]]


@dataclass(kw_only=True)
class Daemon:
    """The parts, built but not started."""

    store: AsyncStore
    leadership: Leadership
    workers: Workers
    journal: JournalWriter
    broker: BrokerService
    runner: ProcessRunner
    timer: Timer
    application: Any
    reload: Callable[[], list[str]]


@dataclass
class LiveConfig:
    """The configuration in use; an edit replaces it, runs that have started keep theirs."""

    config: Config


def checked_config(folder: Path) -> Config:
    """The configuration, with schedules and process names checked as well.

    Raises:
        ConfigError: naming file, line and key.
    """
    config = load_config(folder)
    for name, process in config.processes.items():
        if name not in PROCESSES:
            raise ConfigError(f"{source_line(folder, 'processes.yaml', ('processes', name))}: processes.{name}: there "
                              f"is no such process (known: {', '.join(PROCESSES)}).")
        try:
            schedule.check(process.cron)
        except ConfigError as error:
            place = source_line(folder, "processes.yaml", ("processes", name, "cron"))
            raise ConfigError(f"{place}: processes.{name}.cron: {error}") from error
    return config


def build(around: Surroundings) -> Daemon:
    """All parts, connected to each other."""
    service, live = around.config.service, LiveConfig(around.config)
    store = AsyncStore(around.store)
    leadership = Leadership(store, around.clock)
    journal = JournalWriter(store=store, clock=around.clock)
    workers = Workers(around.places.logs / "zygote.log")
    broker = BrokerService(BrokerParts(store=store, journal=journal, leadership=leadership, clock=around.clock,
                                       settings=service.broker, address=around.gateway))

    def trading_day() -> str:
        return around.clock.now().astimezone(service.zone).date().isoformat()

    runner = ProcessRunner(RunnerParts(
        store=store, workers=workers, leadership=leadership, clock=around.clock, trading_day=trading_day,
        broker_problem=lambda: broker.problem, worker_spec=lambda run: _worker_spec(run, around, live.config)),
        around.config.processes)
    workers.on_exit = runner.on_exit
    broker.on_ready = runner.retry_waiting
    timer = Timer(around.clock, service.zone, runner.slot_due)

    def reload() -> list[str]:
        newer = checked_config(around.config.folder)
        changes = [*differences(live.config.processes, newer.processes),
                   *differences(live.config.strategies, newer.strategies)]
        if newer.service != live.config.service:
            changes.append("tradingd.yaml: changed; restart to apply (tradectl restart)")
        live.config = replace(newer, service=live.config.service)
        runner.processes = newer.processes
        timer.replace(newer.processes)
        return changes

    application = ControlApi(ControlParts(
        runner=runner, store=store, broker=BrokerRoutes(broker, journal, store, service, around.clock),
        service_status=around.status, upcoming=timer.upcoming, trading_day=trading_day, reload=reload,
        shut_down=around.shut_down)).application()
    return Daemon(store=store, leadership=leadership, workers=workers, journal=journal, broker=broker, runner=runner,
                  timer=timer, application=application, reload=reload)


def differences(old: Mapping[str, BaseModel], new: Mapping[str, BaseModel]) -> list[str]:
    """What an edit changed, one line a process or strategy."""
    lines = [f"{name}: removed" for name in old if name not in new]
    lines += [f"{name}: added" for name in new if name not in old]
    for name, process in new.items():
        if name in old and old[name] != process:
            before, after = old[name].model_dump(), process.model_dump()
            changed = [f"{key} {before[key]} -> {after[key]}" for key in after if before[key] != after[key]]
            lines.append(f"{name}: {', '.join(changed)}")
    return lines


def _worker_spec(run: ProcessRun, around: Surroundings, config: Config) -> WorkerSpec:
    mongo = config.service.mongo
    return WorkerSpec(run=run.id, process=run.process, owner=run.owner, trading_day=run.trading_day,
                      log=str(around.places.run_log(run.process, run.id)), uri=around.store_uri,
                      database=mongo.database, timeout_s=mongo.timeout_s,
                      clock_offset_s=around.clock.offset.total_seconds(), config=config.as_values(),
                      state=str(around.places.state), socket=str(around.places.socket))
