"""Composition root: the one place that builds the parts of a leading daemon from its configuration."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from daemon.api.app import ControlApi, ControlParts
from daemon.api.broker_link import BrokerRoutes
from daemon.api.config_routes import ConfigRoutes
from daemon.api.trading_routes import TradingRoutes
from daemon.base import Base
from daemon.broker_parts import BrokerParts
from daemon.broker_service import BrokerService
from daemon.children.worker_spec import WorkerSpec
from daemon.clocks.clock_desk import ClockDesk
from daemon.clocks.clock_watch import ClockWatch
from daemon.clocks.zone_desk import ZoneDesk
from daemon.clocks.zone_watch import ZoneWatch
from daemon.configuration.checked_config import Checked
from daemon.configuration.live_config import LiveConfig, LiveParts
from daemon.decisions.plan import Plan
from daemon.decisions.upcoming import Calendars, upcoming
from daemon.house import house_of, trading_days
from daemon.kill_switch import KillParts, KillSwitch
from daemon.places import Places
from daemon.process_runner import ProcessRunner
from daemon.risk_watch import RiskParts, RiskWatch
from daemon.runner.runner_parts import RunnerParts
from daemon.runner.timers import SchedulerTimers
from daemon.runner.watch import Watch
from daemon.store.journal_writer import JournalWriter
from trading.clock import SystemClock
from trading.config import Config
from trading.control.process_run import ProcessRun
from trading.control.trading_day import TradingDays
from trading.data.mongo.config_revisions import MongoConfigRevisions
from trading.risk.settings import RiskSettings


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What is known before the parts are built: where, when, on what base, to which gateway."""

    base: Base
    checked: Checked
    places: Places
    clock: SystemClock
    gateway: Callable[[], tuple[str, int]]
    status: Callable[[], dict[str, Any]]


@dataclass(kw_only=True)
class Daemon:
    """The parts of one term, built but not started."""

    journal: JournalWriter
    broker: BrokerService
    kill_switch: KillSwitch
    risk_watch: RiskWatch
    runner: ProcessRunner
    timers: SchedulerTimers
    live: LiveConfig
    clock_watch: ClockWatch
    clock_desk: ClockDesk
    zone_watch: ZoneWatch
    days: TradingDays
    application: Any


def build(around: Surroundings) -> Daemon:
    """All parts, connected to each other."""
    base, config, clock = around.base, around.checked.config, around.clock
    service = config.service
    base.opened.store.clock.followed = clock
    journal = JournalWriter(store=base.store, clock=clock)
    broker = BrokerService(BrokerParts(store=base.store, journal=journal, leadership=base.leadership, clock=clock,
                                       settings=service.broker, mode=service.mode, address=around.gateway,
                                       halt_flag=around.places.halt_flag))
    kill_switch = KillSwitch(KillParts(store=base.store, broker=broker, clock=clock, alerts=base.alerts,
                                       halt_flag=around.places.halt_flag))
    risk_watch = RiskWatch(RiskParts(
        store=base.store, broker=broker, clock=clock, alerts=base.alerts, service=service, settings=RiskSettings(),
        day=lambda: trading_days(config).day_of(clock.now())))
    timers, rules = SchedulerTimers(clock), service.alerts
    watch = Watch(base.alerts, base.metrics, timedelta(seconds=rules.late_after), rules.flapping_runs,
                  timedelta(seconds=rules.flapping_within))
    clock_watch = ClockWatch(clock, service.clock.max_forward_jump_s, base.metrics.set_tick_lag)
    runner = ProcessRunner(RunnerParts(
        store=base.store, workers=base.workers, leadership=base.leadership, clock=clock, timers=timers, watch=watch,
        broker_problem=lambda: broker.problem, worker_spec=lambda run, plan: worker_spec(run, around, plan),
        look_at_clock=clock_watch.look), plan_of(config, around.checked.calendars, 0))
    base.runners.append(runner)
    broker.on_ready = runner.wake_waiting
    desk = ClockDesk(clock=clock, runner=runner, timers=timers, store=base.store, alerts=base.alerts,
                     metrics=base.metrics)
    clock_watch.on_change = desk.changed

    zones = ZoneDesk(runner=runner, clock=clock, alerts=base.alerts)

    async def use(_old: Config, newer: Config) -> None:
        await runner.use(plan_of(newer, live.calendars, live.generation))

    live = LiveConfig(LiveParts(
        folder=config.folder, revisions=MongoConfigRevisions(base.opened.store), clock=clock, on_change=use,
        running=lambda: {each.run.process for each in runner.live.running()}, cache=around.places.calendars),
        config, around.checked.calendars)
    application = ControlApi(ControlParts(
        runner=runner, store=base.store, clock=clock, clock_desk=desk, service_status=around.status,
        broker=BrokerRoutes(broker, journal, base.store, service, clock), live=live,
        trading=TradingRoutes(base.store, clock, lambda: house_of(live.config)), common=base.standby.common_routes,
        config=ConfigRoutes(live), upcoming=lambda count: upcoming(
            live.config.processes, service.zone, live.calendars, clock.now(), count))).application()
    return Daemon(journal=journal, broker=broker, kill_switch=kill_switch, risk_watch=risk_watch, runner=runner,
                  timers=timers, live=live, clock_watch=clock_watch, clock_desk=desk, application=application,
                  zone_watch=ZoneWatch(zones.names, zones.changed), days=trading_days(config))


def plan_of(config: Config, calendars: Calendars, generation: int) -> Plan:
    """What the runner decides by."""
    return Plan(processes=config.processes, zone=config.service.zone, days=trading_days(config),
                resources=config.resources, calendars=calendars, values=config.values, generation=generation)


def worker_spec(run: ProcessRun, around: Surroundings, plan: Plan) -> WorkerSpec:
    """Everything that the worker of `run` is told; the configuration is the one that `plan` was made of."""
    mongo, process = around.checked.config.service.mongo, plan.processes[run.process]
    return WorkerSpec(run=run.id, process=run.process, slot=run.slot, kind=run.kind.value, attempt=run.attempt,
                      owner=run.owner, token=run.token, trading_day=run.trading_day,
                      log=str(around.places.run_log(run.process, run.id)), uri=around.base.opened.uri,
                      database=mongo.database, timeout_s=mongo.timeout_s,
                      clock_offset_s=around.clock.offset.total_seconds(), config=plan.values,
                      generation=plan.generation, state=str(around.places.state), socket=str(around.places.socket),
                      start_timeout_s=process.start_timeout, log_max_mb=process.log_max_mb,
                      memory_max_mb=process.memory_max_mb)
