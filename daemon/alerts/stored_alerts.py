"""The memory of the alerts as the daemon uses it: off the event loop, and honest about a store that is away."""

from collections.abc import Awaitable
from typing import Final, Protocol, TypeVar

from pymongo.errors import PyMongoError

from daemon.store.async_store import AsyncStore
from trading.control.alert import AlertState
from trading.data.mongo.alerts import MongoAlerts
from trading.errors import ConcurrentUpdate, StoreError

Result = TypeVar("Result")
_FIRST_WORDS: Final = 160


class StoreAway(StoreError):
    """The store gave no answer; whether a write took place is unknown."""


class AlertStore(Protocol):
    """What the alerts need of a store. Each method raises StoreAway when there is no answer."""

    async def load(self, key: str) -> AlertState | None:
        """The state of `key`; None when it never happened."""

    async def unsettled(self) -> list[AlertState]:
        """Those of which something may be left to tell."""

    async def recent(self, limit: int) -> list[AlertState]:
        """The newest first, open or not."""

    async def save(self, state: AlertState) -> AlertState:
        """Write `state` over the version that it names; raises ConcurrentUpdate when that is gone."""


class StoredAlerts:
    """The collection `alerts`, through the daemon's store."""

    def __init__(self, store: AsyncStore) -> None:
        self._store, self._alerts = store, MongoAlerts(store.store)

    async def load(self, key: str) -> AlertState | None:
        return await _answer(self._store.call(self._alerts.load, key))

    async def unsettled(self) -> list[AlertState]:
        return await _answer(self._store.call(self._alerts.unsettled))

    async def recent(self, limit: int) -> list[AlertState]:
        return await _answer(self._store.call(self._alerts.recent, limit))

    async def save(self, state: AlertState) -> AlertState:
        return await _answer(self._store.call(self._alerts.save, state))


async def _answer(call: Awaitable[Result]) -> Result:
    try:
        return await call
    except ConcurrentUpdate:
        raise
    except (PyMongoError, StoreError) as error:
        raise StoreAway(str(error)[:_FIRST_WORDS]) from error
