"""Supervisor: starts the parts in order, leads or stands by, and stops everything in reverse.

One life of the service has a base, which lasts, and terms: while this daemon leads it has a runner, a broker link and
the control API; when another one takes over it gives these up, lets its running jobs go on, and stands by.
"""

import asyncio
import signal
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any, Final

from daemon.base import Answers, Base, started_base
from daemon.bootstrap import Daemon, Surroundings, build
from daemon.children.zygote_process import ZygoteProcess
from daemon.config_watch import ConfigWatch
from daemon.configuration.boot import Accepted, Boot, accepted
from daemon.configuration.checked_config import Checked
from daemon.market.day_run import DayRun
from daemon.market.recorded_market import RecordedMarket, Wishes
from daemon.places import Places
from daemon.store.state_lock import locked_within
from daemon.version_guard import guard_versions
from daemon.watching import systemd
from daemon.watching.observer import Observer
from daemon.watching.self_report import SelfReport
from daemon.whereabouts import Whereabouts, write_whereabouts
from trading.clock import SystemClock
from trading.config import Mode
from trading.control.alert import AlertKind, Severity
from trading.data.mongo.leases import Lease
from trading.data.mongo.settings import Playback
from trading.errors import ConfigError, StoreError, TradingError
from trading.log import get_log
from trading.risk.kill_level import KillLevel

log = get_log()

_WAITS_S: Final = 20.0  # for a command that reads the store of a service that does not run


class AnotherLeads(TradingError):
    """A day is to be played once, but a second daemon is active on the same store."""

    def __init__(self, lease: Lease | None) -> None:
        who = f"{lease.holder}, pid {lease.pid}" if lease else "somebody"
        super().__init__(f"Another tradingd is active on this store: {who}. Stop it first (tradectl stop), or give "
                         f"this one its own mongo.database.")


class PartEnded(TradingError):
    """A bug: something that watches until the service ends has ended before."""

    def __init__(self, part: "asyncio.Task[None]") -> None:
        why = None if part.cancelled() else part.exception()
        super().__init__(f"The part of tradingd that watches over {part.get_name()} has ended ({why!r}), so tradingd "
                         f"ends too, rather than go on without it. It is safe to start it again; please report it.")
        self.__cause__ = why


@dataclass(kw_only=True)
class Supervisor:
    """One life of the service."""

    boot: Boot
    folder: Path
    places: Places
    wishes: Wishes
    zygote: ZygoteProcess
    say: Callable[[str], None] = print
    _stop: asyncio.Event = field(default_factory=asyncio.Event)
    _lost: asyncio.Event = field(default_factory=asyncio.Event)
    _phase: str = "starting"
    _playback: Playback | None = None
    _base: Base | None = None
    _accepted: Accepted | None = None
    _daemon: Daemon | None = None
    _clock: SystemClock = field(default_factory=SystemClock)
    _stops_asked: int = 0
    _watching: "list[asyncio.Task[None]]" = field(default_factory=list)
    _reloading: "asyncio.Future[None] | None" = None

    async def run(self) -> int:
        """Start everything, serve until asked to stop; the exit code."""
        self._catch_signals()
        lock = await asyncio.to_thread(locked_within, _WAITS_S, self.places.lock, self.places.state)
        answers = Answers(status=lambda: self._report().status(), health=lambda: self._report().health(),
                          shut_down=self._asked_to_stop, stopping=self._stop.is_set)
        try:
            async with started_base(self.boot.service, self.places, self.zygote, answers) as base:
                self._base = base
                self._accepted = await accepted(self.boot, base.opened.store, self.folder, self.places)
                return await self._until_stopped_for_good(base)
        finally:
            systemd.notify("STOPPING=1")
            lock.release()

    async def _until_stopped_for_good(self, base: Base) -> int:
        watchdog = asyncio.create_task(self._feed_watchdog())
        try:
            while await self._may_lead(base):
                code = await self._term(base)
                if not self._lost.is_set():
                    return code
                self._lost.clear()
                self.say("Another tradingd leads now; standing by.")
            return 0
        finally:
            watchdog.cancel()

    async def _may_lead(self, base: Base) -> bool:
        """Wait as a standby until this daemon leads; False when it was asked to stop first."""
        leading, stopping = asyncio.ensure_future(base.leadership.acquire()), asyncio.ensure_future(self._stop.wait())
        done, _ = await asyncio.wait({leading, stopping}, timeout=1.5, return_when=asyncio.FIRST_COMPLETED)
        if not done:
            if self.wishes.once:
                raise AnotherLeads(base.leadership.holder)
            self._stand_by(base)
            await asyncio.wait({leading, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        leading.cancel()
        return leading.done() and not leading.cancelled() and not self._stop.is_set()

    def _stand_by(self, base: Base) -> None:
        self._phase = "standby"
        holder = base.leadership.holder
        leads = f"{holder.holder} (pid {holder.pid}) leads" if holder else "nobody leads yet"
        reason = base.leadership.problem or leads
        systemd.notify("READY=1", f"STATUS=standby: {reason}")
        self.say(f"Standing by: {reason}.")

    async def _term(self, base: Base) -> int:
        """Lead until the lease is lost or somebody asks to stop; the exit code."""
        async with AsyncExitStack() as stack:
            daemon = await self._start(base, stack)
            return await self._serve(daemon)

    async def _start(self, base: Base, stack: AsyncExitStack) -> Daemon:
        market = RecordedMarket(config=self._checked.config, places=self.places, wishes=self.wishes,
                                store=base.opened.store, store_uri=base.opened.uri, say=self.say)
        base.leadership.keep(self._lost_leadership, self._new_term)
        stack.push_async_callback(self._leave, base)
        await market.bring_data()
        self._clock, self._playback = market.clock(), market.playback()
        gateway = await stack.enter_async_context(market.gateway(self._clock))
        self._tell_whereabouts(base, gateway())
        daemon = self._daemon = build(Surroundings(
            base=base, checked=self._checked, places=self.places, clock=self._clock, gateway=gateway,
            status=lambda: self._report().status()))
        daemon.timers.start()
        await self._use_files(daemon)
        recovered = await daemon.runner.recover()
        if recovered:
            self.say(f"Settled {recovered} run(s) that an earlier daemon left unfinished.")
        await self._guard_versions(base, daemon)
        await daemon.journal.start()
        stack.push_async_callback(daemon.journal.stop)
        await self._connect_broker(daemon)
        stack.push_async_callback(daemon.broker.stop)
        daemon.kill_switch.start()
        stack.push_async_callback(daemon.kill_switch.stop)
        daemon.risk_watch.start()
        stack.push_async_callback(daemon.risk_watch.stop)
        await base.workers.wait_until_ready()
        base.switch.application = daemon.application
        stack.push_async_callback(self._rest, base, daemon)
        await self._tell_about_leader(base)
        return daemon

    def _tell_whereabouts(self, base: Base, gateway: tuple[str, int]) -> None:
        """Of what runs as a child of ours, for the watchdog; the configuration names the rest."""
        service = self.boot.service
        write_whereabouts(self.places.whereabouts, Whereabouts(
            store_uri=base.opened.uri if service.mongo.uri is None else None,
            gateway=gateway if service.mode is Mode.SIMULATED else None,
            clock_offset_s=self._clock.offset.total_seconds()))

    async def _use_files(self, daemon: Daemon) -> None:
        """Wrong files are said, loudly; what was accepted last stays in use."""
        assert self._accepted is not None
        if self._accepted.revision is not None:
            await daemon.live.resume(self._accepted.revision)
        try:
            await daemon.live.start()
        except ConfigError as error:
            self.say(f"The configuration is wrong; generation {daemon.live.generation} stays in use:\n{error}")

    async def _serve(self, daemon: Daemon) -> int:
        await daemon.clock_desk.load()
        self._phase = "running"
        assert self._base is not None
        observer = Observer(base=self._base, daemon=daemon, places=self.places, clock=self._clock)
        watching = [asyncio.create_task(work, name=name) for name, work in (
            ("configuration", ConfigWatch(daemon.live).run()), ("observer", observer.run()),
            ("clock", daemon.clock_watch.run()), ("zones", daemon.zone_watch.run()))]
        self._watching = [*self._base.tasks, *watching]
        try:
            code = 0
            if self.wishes.play_day:
                systemd.notify("READY=1", f"STATUS={observer.sentence()}")
                code = await self._until_ended(self._play_day(daemon))
            if not self.wishes.once and not self._has_ended():
                daemon.runner.begin()
                systemd.notify("READY=1", f"STATUS={observer.sentence()}")
                here = self._clock.now().astimezone(self.boot.service.zone)
                self.say(f"On schedule; it is {here:%a %Y-%m-%d %H:%M %Z} here. Ctrl-C stops.")
                await self._until_ended(asyncio.Event().wait())
            return code
        finally:
            for task in watching:
                task.cancel()

    @property
    def _checked(self) -> Checked:
        assert self._accepted is not None
        return self._accepted.checked

    def _has_ended(self) -> bool:
        return self._stop.is_set() or self._lost.is_set()

    async def _until_ended(self, work: Any) -> int:
        """The result of `work`; 130 for a day that had to be done when somebody asks to stop or the lease is lost."""
        waits = [asyncio.ensure_future(each) for each in (work, self._stop.wait(), self._lost.wait())]
        await asyncio.wait([*waits, *self._watching], return_when=asyncio.FIRST_COMPLETED)
        for each in waits[1:]:
            each.cancel()
        if waits[0].done():
            return int(waits[0].result())
        waits[0].cancel()
        for part in self._watching:
            if part.done():  # better started again than half blind
                log.error("part_ended", part=part.get_name(), exc_info=not part.cancelled() and part.exception())
                raise PartEnded(part)
        return 130 if self.wishes.once else 0

    async def _play_day(self, daemon: Daemon) -> int:
        from daemon.market.day_account import DayAccount

        assert self._base is not None
        now = self._clock.now()
        day = date.fromisoformat(daemon.days.day_of(now))
        account = DayAccount(day, self.places, self.say)
        await self._mark_played(day, finished=False)
        await self._wait_for_broker(daemon)
        started_s = self._clock.monotonic_s()
        all_well = await DayRun(runner=daemon.runner, store=self._base.store, clock=self._clock,
                                trading_day=day.isoformat(), tell=account.tell).run_all_processes(self.wishes.again)
        account.close(all_well, self._clock.monotonic_s() - started_s)
        if all_well:
            await self._mark_played(day, finished=True)
        return 0 if all_well else 1

    async def _mark_played(self, day: date, finished: bool) -> None:
        if self._playback is not None and self._base is not None:
            played = replace(self._playback, current=day, finished=finished)
            await self._base.store.call(self._base.store.settings.save_playback, played)

    async def _guard_versions(self, base: Base, daemon: Daemon) -> None:
        """Where nothing is at stake, everyone may change the program as he likes."""
        if self.boot.service.mode is Mode.SIMULATED:
            return
        why = await guard_versions(base.store, self._clock, daemon.live.sha256)
        if why:  # told beside the level, which may have been this high before, for another reason
            self.say(f"Trading is halted. {why}")
            base.alerts.tell(AlertKind.RISK, "RC-41", why, Severity.CRITICAL)
        else:
            base.alerts.over(AlertKind.RISK, "RC-41")

    async def _connect_broker(self, daemon: Daemon) -> None:
        """Unless a person has severed it: a restart alone does not undo that."""
        state = await daemon.kill_switch.stored()
        if state.level is KillLevel.K5_SEVER:
            daemon.broker.stay_severed()
        else:
            daemon.broker.start()

    async def _wait_for_broker(self, daemon: Daemon) -> None:
        """Give the broker link time to come up; jobs that need it say so themselves when it does not."""
        deadline_s = self._clock.monotonic_s() + self.boot.service.broker.connect_timeout_s + 5
        while daemon.broker.problem is not None and self._clock.monotonic_s() < deadline_s:
            await asyncio.sleep(0.02)

    # --- the ends of a term -----------------------------------------------------------------------------------

    async def _rest(self, base: Base, daemon: Daemon) -> None:
        """Stopping: running jobs are asked to stop first. The lease lost: they go on, and nothing more is decided."""
        daemon.runner.rest()
        if self._lost.is_set():
            self._phase = "standby"
            base.switch.application = base.standby.application()
            return
        self._phase = "stopping"
        graces = [each.process.grace for each in daemon.runner.live.running()]
        systemd.notify("STOPPING=1", f"EXTEND_TIMEOUT_USEC={(max(graces, default=0) + 15) * 1_000_000}")
        await daemon.runner.drain(self.say)
        daemon.timers.stop()

    async def _leave(self, base: Base) -> None:
        if self._lost.is_set():
            base.leadership.step_down()
        else:
            await base.leadership.release()

    def _lost_leadership(self, lease: Lease) -> None:
        assert self._base is not None
        if self._daemon is not None:
            self._daemon.runner.rest()
        self._base.alerts.tell(AlertKind.LEADER_CHANGED, "tradingd", f"{self._base.leadership.node} no longer leads; "
                                                                     f"{lease.holder or 'nobody'} does.")
        self._lost.set()

    def _new_term(self) -> None:
        if self._daemon is not None:
            self._daemon.runner.new_term()

    async def _tell_about_leader(self, base: Base) -> None:
        """Only a change of the machine is worth a message; a restart on the same one is not."""
        before = await base.store.call(base.store.settings.swap_leader, base.leadership.node)
        if before not in (None, base.leadership.node):
            base.alerts.tell(AlertKind.LEADER_CHANGED, "tradingd", f"{base.leadership.node} leads now; before it was "
                                                                   f"{before}.")

    # --- what is told -----------------------------------------------------------------------------------------

    async def _feed_watchdog(self) -> None:
        """From the loop itself: a blocked loop misses its watchdog."""
        period_s = systemd.watchdog_period_s()
        while period_s is not None:
            systemd.notify("WATCHDOG=1")
            await asyncio.sleep(period_s)

    def _report(self) -> SelfReport:
        return SelfReport(phase=self._phase, service=self.boot.service, folder=self.folder, clock=self._clock,
                          base=self._base, daemon=self._daemon)

    # --- signals ----------------------------------------------------------------------------------------------

    def _catch_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._asked_to_stop)
        loop.add_signal_handler(signal.SIGHUP, self._asked_to_reload)

    def _asked_to_stop(self) -> None:
        """The first time politely; the second time running jobs are killed at once."""
        self._stops_asked += 1
        if self._stops_asked == 1:
            self.say("Stopping.")
            systemd.notify("STOPPING=1", "STATUS=stopping")
        elif self._daemon is not None and self._daemon.runner.live.running():
            self.say("Stopping at once: running jobs are killed.")
            self._daemon.runner.kill_all()
        self._stop.set()

    def _asked_to_reload(self) -> None:
        if self._phase in ("running", "standby"):  # READY=1, which ends a reload, would be wrong in any other phase
            leading = self._daemon if self._phase == "running" else None
            self._reloading = asyncio.ensure_future(reload_and_tell(leading))


async def reload_and_tell(daemon: Daemon | None) -> None:
    """Reload on SIGHUP; a wrong configuration changes nothing and says why. A standby reads nothing, but answers."""
    systemd.notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")
    try:
        if daemon is not None:
            await daemon.live.reload("signal", "SIGHUP")
    except (ConfigError, StoreError) as error:
        log.error("config_rejected", reason=str(error), effect="the old configuration stays in use")
    finally:
        systemd.notify("READY=1")
