"""Supervisor: starts the parts in order, stops them in reverse, and keeps an eye on the clock in between."""

import asyncio
import os
import signal
import socket
import sys
import time as real_time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import uvicorn

from daemon import bootstrap, systemd
from daemon.child_process import ChildProcess
from daemon.config_watch import ConfigWatch
from daemon.embedded_store import EmbeddedStore, accepts_connections, free_port
from daemon.places import Places
from daemon.recorded_day import day_to_play, instant_of, not_before
from daemon.state_lock import StateLock
from trading.clock import OFFSET_VARIABLE, SystemClock, clock_as_of
from trading.config import MONGO_URI_VARIABLE, Config, Mode
from trading.data.mongo.connection import MongoStore, StandaloneRefused, connect
from trading.data.mongo.processes import MongoProcesses
from trading.data.mongo.schema import set_up_schema
from trading.data.mongo.settings import MongoSettings, Playback
from trading.errors import ConfigError, StoreError, TradingError
from trading.log import get_log
from trading.unix_socket import short_path

log = get_log()


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What the command line asked for."""

    play_day: bool = False  # run one whole trading day at once
    once: bool = False  # end after the day
    again: bool = False  # the same recorded day once more
    data: Path | None = None  # a pysystemtrade folder; None: data that we generate


@dataclass(kw_only=True)
class Supervisor:
    """One life of the service."""

    config: Config
    places: Places
    wishes: Wishes
    say: Callable[[str], None] = print
    _stop: asyncio.Event = field(default_factory=asyncio.Event)
    _phase: str = "starting"
    _playback: Playback | None = None
    _daemon: bootstrap.Daemon | None = None
    _clock: SystemClock = field(default_factory=SystemClock)
    _store_uri: str = ""

    async def run(self) -> int:
        """Start everything, serve until asked to stop; the exit code."""
        self._catch_signals()
        lock = StateLock(self.places.lock, self.places.state)
        try:
            async with AsyncExitStack() as stack:
                daemon = await self._start(stack)
                return await self._serve(daemon)
        finally:
            systemd.notify("STOPPING=1")
            lock.release()

    async def _start(self, stack: AsyncExitStack) -> bootstrap.Daemon:
        store = await stack.enter_async_context(self._opened_store())
        await self._bring_data(store)
        self._clock = self._decide_clock(store)
        gateway = await stack.enter_async_context(self._gateway())
        daemon = self._daemon = bootstrap.build(bootstrap.Surroundings(
            config=self.config, places=self.places, clock=self._clock, store=store, store_uri=self._store_uri,
            gateway=gateway, shut_down=self._stop.set, status=self._status))
        stack.callback(daemon.store.close)
        await daemon.leadership.take()
        stack.push_async_callback(daemon.leadership.release)
        await daemon.workers.start()
        stack.push_async_callback(daemon.workers.stop)
        recovered = await daemon.runner.recover()
        if recovered:
            self.say(f"Settled {recovered} run(s) that an earlier daemon left unfinished.")
        await daemon.journal.start()
        stack.push_async_callback(daemon.journal.stop)
        daemon.broker.start()
        stack.push_async_callback(daemon.broker.stop)
        await daemon.workers.wait_until_ready()
        await stack.enter_async_context(self._api(daemon))
        stack.push_async_callback(self._drain, daemon)
        daemon.leadership.keep(self._stop.set)
        return daemon

    async def _serve(self, daemon: bootstrap.Daemon) -> int:
        self._phase = "running"
        systemd.notify("READY=1", f"STATUS=running, {len(self.config.processes)} processes")
        watching = [asyncio.create_task(self._feed_watchdog()),
                    asyncio.create_task(ConfigWatch(self.config.folder, daemon.reload).run())]
        try:
            code = await self._until_stopped(self._play_day(daemon)) if self.wishes.play_day else 0
            if not self.wishes.once:
                daemon.timer.start(daemon.runner.processes)
                here = self._clock.now().astimezone(self.config.service.zone)
                self.say(f"On schedule; it is {here:%a %Y-%m-%d %H:%M %Z} here. Ctrl-C stops.")
                await self._stop.wait()
                daemon.timer.stop()
            return code
        finally:
            self._phase = "stopping"
            for task in watching:
                task.cancel()

    async def _until_stopped(self, work: Any) -> int:
        """The result of `work`, or 130 as soon as somebody asks to stop."""
        working, stopping = asyncio.ensure_future(work), asyncio.ensure_future(self._stop.wait())
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if working.done():
            return int(working.result())
        working.cancel()
        return 130 if self.wishes.once else 0

    async def _play_day(self, daemon: bootstrap.Daemon) -> int:
        from daemon.day_account import DayAccount

        day = self._clock.now().astimezone(self.config.service.zone).date()
        account = DayAccount(day, self.places, self.say)
        await self._mark_played(daemon, day, finished=False)
        await self._wait_for_broker(daemon)
        started_s = self._clock.monotonic_s()
        all_well = await daemon.runner.run_all_processes(day.isoformat(), self.wishes.again, account.tell)
        account.close(all_well, self._clock.monotonic_s() - started_s)
        if all_well:
            await self._mark_played(daemon, day, finished=True)
        return 0 if all_well else 1

    async def _mark_played(self, daemon: bootstrap.Daemon, day: date, finished: bool) -> None:
        if self._playback is not None:
            played = replace(self._playback, current=day, finished=finished)
            await daemon.store.call(daemon.store.settings.save_playback, played)

    async def _wait_for_broker(self, daemon: bootstrap.Daemon) -> None:
        """Give the broker link time to come up; jobs that need it say so themselves when it does not."""
        deadline_s = self._clock.monotonic_s() + self.config.service.broker.connect_timeout_s + 5
        while daemon.broker.problem is not None and self._clock.monotonic_s() < deadline_s:
            await asyncio.sleep(0.02)

    async def _drain(self, daemon: bootstrap.Daemon) -> None:
        daemon.timer.stop()
        await daemon.runner.drain(self.say)

    @asynccontextmanager
    async def _opened_store(self) -> AsyncIterator[MongoStore]:
        mongo = self.config.service.mongo
        async with AsyncExitStack() as stack:
            if mongo.uri is None:
                embedded = EmbeddedStore(self.places.store, self.places.logs / "store.log")
                await embedded.child.start()
                stack.push_async_callback(embedded.child.stop)
            self._store_uri = mongo.uri or embedded.uri
            store = await self._connected_store()
            await asyncio.to_thread(set_up_schema, store)
            service = self.config.service
            await asyncio.to_thread(MongoSettings(store).stamp_identity, service.mode.value, service.broker.account)
            yield store

    async def _connected_store(self) -> MongoStore:
        """Connect, with growing pauses, until the configured limit."""
        mongo = self.config.service.mongo
        deadline_s, pause_s = real_time.monotonic() + mongo.connect_limit_s, 0.25
        while True:
            try:
                return await asyncio.to_thread(connect, self._store_uri, mongo.database, mongo.timeout_s)
            except StandaloneRefused:
                raise
            except StoreError as error:
                left_s = deadline_s - real_time.monotonic()
                if left_s <= 0 or self._stop.is_set():
                    raise StoreError(f"{error} Gave up after {mongo.connect_limit_s:g} s.") from error
                log.warning("store_not_reached", reason=str(error), again_in_s=pause_s)
                await asyncio.sleep(min(pause_s, max(left_s, 0.05)))
                pause_s = min(pause_s * 2, 10.0)

    async def _bring_data(self, store: MongoStore) -> None:
        """Mode simulated on an empty store: import recorded data, generated if none was named."""
        settings = MongoSettings(store)
        if self.config.service.mode is not Mode.SIMULATED or await asyncio.to_thread(settings.playback) is not None:
            return
        folder = self.wishes.data or self.places.sample_data
        if self.wishes.data is None and not (folder / "csvconfig").is_dir():
            self.say(f"No data was named: generating sample markets under {folder}.")
            await self._tradectl("import", "sample", str(folder))
        await self._tradectl("import", "pysystemtrade", str(folder), "--hold-back", "20", "--brief")

    async def _tradectl(self, *words: str) -> None:
        sys.stdout.flush()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "daemon.cli", "--config", str(self.config.folder), "--state", str(self.places.state),
            *words, env=os.environ | {MONGO_URI_VARIABLE: self._store_uri})
        if await process.wait() not in (0, 1):
            raise TradingError(f"`tradectl {' '.join(words)}` failed; see the lines above.")

    def _decide_clock(self, store: MongoStore) -> SystemClock:
        service = self.config.service
        if service.mode is not Mode.SIMULATED:
            if service.clock.as_of is not None:
                raise ConfigError(f"clock.as_of is set, but the mode is {service.mode}; only mode simulated can play "
                                  f"the past. Remove clock.as_of from tradingd.yaml.")
            return SystemClock()
        if service.clock.as_of is not None:
            return clock_as_of(service.clock.as_of)
        self._playback = MongoSettings(store).playback()
        if self._playback is None:
            return SystemClock()
        same = self.wishes.again or (not self.wishes.play_day and self._playback.current is not None)
        instant = instant_of(day_to_play(self._playback, same), service.day_at, service.zone)
        return clock_as_of(not_before(instant, MongoProcesses(store).last_moment(), service.zone))

    @asynccontextmanager
    async def _gateway(self) -> AsyncIterator[Callable[[], tuple[str, int]]]:
        """Where the gateway listens; in mode simulated it is a child of ours."""
        broker = self.config.service.broker
        if self.config.service.mode is not Mode.SIMULATED:
            yield lambda: (broker.host, broker.port)
            return
        port = broker.simulated.port or free_port()
        source = self._playback.source if self._playback else str(self.wishes.data or self.places.sample_data)
        child = ChildProcess(
            name="simulated gateway", log_file=self.places.logs / "gateway.log",
            command=lambda: (sys.executable, "-m", "daemon.simulated_gateway", "--data", source, "--state",
                             str(self.places.gateway), "--port", str(port), "--account", broker.account, "--cash",
                             str(broker.simulated.starting_cash), "--zone", self.config.service.timezone),
            ready=lambda: accepts_connections(port, 60.0),
            environment={OFFSET_VARIABLE: repr(self._clock.offset.total_seconds())})
        await child.start()
        try:
            yield lambda: ("127.0.0.1", port)
        finally:
            await child.stop()

    @asynccontextmanager
    async def _api(self, daemon: bootstrap.Daemon) -> AsyncIterator[None]:
        path = self.places.socket
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
        path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with short_path(path) as address:
            listener.bind(address)
        path.chmod(0o660)
        server = uvicorn.Server(uvicorn.Config(daemon.application, log_config=None, lifespan="off", access_log=False,
                                               timeout_graceful_shutdown=5))
        server.install_signal_handlers = lambda: None  # type: ignore[attr-defined] # the supervisor owns the signals
        serving = asyncio.create_task(server._serve([listener]))
        try:
            yield
        finally:
            server.should_exit = True
            await serving
            listener.close()
            path.unlink(missing_ok=True)

    async def _feed_watchdog(self) -> None:
        """From the loop itself: a blocked loop misses its watchdog."""
        period_s = systemd.watchdog_period_s()
        while period_s is not None:
            systemd.notify("WATCHDOG=1")
            await asyncio.sleep(period_s)

    def _status(self) -> dict[str, Any]:
        daemon = self._daemon
        assert daemon is not None
        return {
            "schema": 1, "service": self._phase, "pid": os.getpid(), "mode": self.config.service.mode.value,
            "clock": self._clock.now().isoformat(), "clock_offset_s": round(self._clock.offset.total_seconds()),
            "store": {"uri": self._store_uri if self.config.service.mongo.uri is None else "configured",
                      "embedded": self.config.service.mongo.uri is None},
            "broker": {"link": daemon.broker.link.value, "reason": daemon.broker.reason,
                       "since": daemon.broker.since.isoformat()},
            "leader": {"is_leader": daemon.leadership.is_leader, "token": daemon.leadership.token},
            "config": str(self.config.folder)}

    def _catch_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._asked_to_stop)
        loop.add_signal_handler(signal.SIGHUP, self._asked_to_reload)

    def _asked_to_stop(self) -> None:
        if self._stop.is_set():
            self.say("Already stopping; waiting for running jobs.")
        elif self._phase != "stopping":
            self.say("Stopping.")
        self._stop.set()

    def _asked_to_reload(self) -> None:
        if self._daemon is not None:
            report_reload(self._daemon.reload)


def report_reload(reload: Callable[[], list[str]]) -> None:
    """Reload the configuration; a wrong one changes nothing and says why."""
    systemd.notify("RELOADING=1", f"MONOTONIC_USEC={real_time.monotonic_ns() // 1000}")
    try:
        changes = reload()
    except ConfigError as error:
        log.error("config_rejected", reason=str(error), effect="the old configuration stays in use")
    else:
        log.info("config_applied", changes=changes or ["nothing changed"])
    systemd.notify("READY=1")
