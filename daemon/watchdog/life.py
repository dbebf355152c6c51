"""One life of the watchdog: build it, look every few seconds, end on a signal. It waits for nobody to start."""

import asyncio
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final

from daemon.alerts.alerts import Alerts
from daemon.alerts.channels import channels_of
from daemon.places import Places
from daemon.watchdog.broker_eye import BrokerEye, EyeParts
from daemon.watchdog.guard import Guard, GuardParts
from daemon.watchdog.report import Report
from daemon.watchdog.store_eye import Owner, StoreEye
from daemon.watching import systemd
from daemon.whereabouts import read_whereabouts
from trading.clock import SystemClock
from trading.config import Mode, ServiceConfig, read_config
from trading.risk.watchdog_sight import WatchRules

STUCK_AFTER_S: Final = 180.0  # every wait within a look has a limit; one that takes so long has met a bug
TOLD_WITHIN_S: Final = 3.0


@dataclass(kw_only=True)
class Life:
    """From `run` until SIGTERM; a bug ends it as well, and whoever supervises it starts it again."""

    service: ServiceConfig
    places: Places
    say: Callable[[str], None] = print
    _clock: SystemClock = field(default_factory=SystemClock)

    async def run(self) -> None:
        """Watch until asked to stop."""
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        broker, store = self._broker_eye(), self._store_eye()
        usual, escalation = channels_of(self.service.alerts)
        alerts = Alerts(store, self._clock, self.service.alerts, usual, escalation)
        guard = self._guard(broker, store, alerts)
        tasks = [asyncio.create_task(work, name=name) for name, work in (
            ("alerts", alerts.run()), ("rounds", self._rounds(guard)), ("signs of life", self._feed(guard)),
            ("stop", _until(stop)))]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()  # a bug, if it was one
        finally:
            systemd.notify("STOPPING=1")
            await alerts.flushed(TOLD_WITHIN_S)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            broker.close()
            store.close()

    async def _rounds(self, guard: Guard) -> None:
        report = Report(file=self.places.watchdog_report, clock=self._clock, client_id=self.service.watchdog.client_id)
        is_first = True
        while True:
            await guard.look()
            with suppress(OSError):  # a full disk must not end what works without one
                report.write(guard)
            if is_first:
                self.say(f"Watching as client {self.service.watchdog.client_id}. {_sees(guard)}")
                systemd.notify("READY=1")
            systemd.notify(f"STATUS={_sees(guard)}")
            is_first = False
            await asyncio.sleep(self.service.watchdog.every_s)

    async def _feed(self, guard: Guard) -> None:
        """From the loop itself, while its rounds go on."""
        period_s = systemd.watchdog_period_s()
        while True:
            if period_s is not None and self._clock.monotonic_s() - guard.looked_s < STUCK_AFTER_S:
                systemd.notify("WATCHDOG=1")
            await asyncio.sleep(period_s or STUCK_AFTER_S)

    def _broker_eye(self) -> BrokerEye:
        broker = self.service.broker

        def address() -> tuple[str, int] | None:
            if self.service.mode is Mode.SIMULATED:
                return read_whereabouts(self.places.whereabouts).gateway
            return broker.host, broker.port

        return BrokerEye(EyeParts(settings=broker, mode=self.service.mode, clock=self._clock, address=address,
                                  client_id=self.service.watchdog.client_id))

    def _store_eye(self) -> StoreEye:
        mongo, owner = self.service.mongo, Owner(mode=self.service.mode.value, account=self.service.broker.account)
        return StoreEye(mongo, owner, lambda: mongo.uri or read_whereabouts(self.places.whereabouts).store_uri,
                        self._clock)

    def _guard(self, broker: BrokerEye, store: StoreEye, alerts: Alerts) -> Guard:
        return Guard(GuardParts(
            broker=broker, store=store, alerts=alerts, clock=self._clock, halt_flag=self.places.halt_flag,
            rules=rules_of(self.service),
            offset=lambda: timedelta(seconds=read_whereabouts(self.places.whereabouts).clock_offset_s)))


def service_of(folder: Path) -> ServiceConfig:
    """tradingd.yaml alone: a strategy or a schedule that is wrong is no reason not to watch.

    Raises:
        ConfigError: it is wrong; the message is all of it.
    """
    reading = read_config(folder)
    service = reading.service_with_secrets()
    return reading.finish().service if service is None else service


def rules_of(service: ServiceConfig) -> WatchRules:
    """As they are configured."""
    patience = service.watchdog
    return WatchRules(halt_grace_s=patience.halt_grace_s, silent_after_s=patience.silent_after_s,
                      blind_after_s=patience.blind_after_s, most_orders=patience.most_orders,
                      margin_share=patience.position_margin)


async def _until(stop: asyncio.Event) -> None:
    await stop.wait()


def _sees(guard: Guard) -> str:
    parts = [f"{name}: {problem}" for name, problem in (("broker", guard.broker_problem),
                                                        ("store", guard.store_problem)) if problem]
    return "It does not see all: " + "; ".join(parts) if parts else "It sees the broker and the store."
