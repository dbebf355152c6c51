"""The alerts of a daemon with fakes around them: a clock, channels, a store whose cable can be pulled."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from moved_clock import MovedClock

from daemon.alerts.alerts import Alerts
from daemon.alerts.channels import NotDelivered
from daemon.alerts.stored_alerts import AlertStore, StoreAway, StoredAlerts
from daemon.store.async_store import AsyncStore
from trading.alerts_config import AlertsConfig
from trading.control.alert import AlertState, Message
from trading.data.mongo.connection import MongoStore


@dataclass
class FakeChannel:
    """Keeps what it delivers; while `broken` it delivers nothing."""

    name: str = "fake"
    broken: str | None = None
    final: bool = False
    sent: list[Message] = field(default_factory=list)
    tries: int = 0

    async def send(self, message: Message) -> None:
        self.tries += 1
        await asyncio.sleep(0)
        if self.broken is not None:
            raise NotDelivered(self.broken, final=self.final)
        self.sent.append(message)

    @property
    def reasons(self) -> list[str]:
        return [f"{message.reason} {message.key}" for message in self.sent]


class AlertStoreThatGoesAway:
    """A real one behind a cable that can be pulled; `hangs`: without an error, for ever."""

    def __init__(self, store: AlertStore) -> None:
        self._store = store
        self.away = False
        self.asked = 0

    async def load(self, key: str) -> AlertState | None:
        return await self._through(self._store.load(key))

    async def unsettled(self) -> list[AlertState]:
        return await self._through(self._store.unsettled())

    async def recent(self, limit: int) -> list[AlertState]:
        return await self._through(self._store.recent(limit))

    async def save(self, state: AlertState) -> AlertState:
        return await self._through(self._store.save(state))

    async def _through(self, call: Awaitable[Any]) -> Any:
        self.asked += 1
        if self.away:
            asyncio.ensure_future(call).cancel()
            raise StoreAway("the cable is pulled")
        return await call


@dataclass
class Daemon:
    """The alerts of one daemon, with everything around them."""

    alerts: Alerts
    channel: FakeChannel
    escalation: FakeChannel
    store: AlertStoreThatGoesAway

    async def settled(self) -> None:
        """All that was told is applied, sent and noted."""
        assert await self.alerts.flushed(10)


@asynccontextmanager
async def a_daemon(store: MongoStore, clock: MovedClock, **changes: Any) -> AsyncIterator[Daemon]:
    asynchronous = AsyncStore(replace(store))
    behind_cable = AlertStoreThatGoesAway(StoredAlerts(asynchronous))
    channel, escalation = changes.get("channel") or FakeChannel(), FakeChannel(name="escalation")
    alerts = Alerts(behind_cable, clock, AlertsConfig(), [channel, *changes.get("others", ())], [escalation],
                    look_every_s=3600, delays_s=(0.01,))
    behind_cable.away = changes.get("away", False)
    running = asyncio.create_task(alerts.run())
    try:
        yield Daemon(alerts, channel, escalation, behind_cable)
    finally:
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        asynchronous._threads.shutdown(wait=True)
