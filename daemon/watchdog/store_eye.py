"""StoreEye: the watchdog's own connection to the store. Reads level, limits and signs of life; may raise the level."""

import asyncio
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, TypeVar

from pymongo.errors import PyMongoError

from daemon.alerts.stored_alerts import StoreAway, StoredAlerts
from daemon.store.async_store import AsyncStore
from trading.clock import Clock
from trading.config import MongoConfig
from trading.control.alert import AlertState
from trading.data.mongo.connection import MongoStore, connect, this_process
from trading.data.mongo.contracts import MongoContracts
from trading.data.mongo.controls import MongoKillState, MongoLimits
from trading.data.mongo.leases import MongoLeases
from trading.data.mongo.limits_in_force import MongoLimitsInForce
from trading.data.mongo.orders import MongoOrders
from trading.data.mongo.settings import MongoSettings
from trading.errors import StoreError
from trading.risk.kill_level import Command, KillLevel, KillState
from trading.risk.limits import Limit, LimitKind, limit_of
from trading.risk.order_kind import OrderKind
from trading.risk.watchdog_sight import StoreView

Result = TypeVar("Result")
WHO: Final = "watchdog"
LEARN_EVERY_S: Final = 60.0


@dataclass(frozen=True, kw_only=True)
class Owner:
    """Whose database it must be."""

    mode: str
    account: str


class WatchedStore:
    """What the watchdog reads and writes there. Synchronous, like every repository."""

    def __init__(self, store: MongoStore) -> None:
        self._kill, self._limits, self._leases = MongoKillState(store), MongoLimits(store), MongoLeases(store)
        self._orders, self._contracts = MongoOrders(store), MongoContracts(store)
        self._in_force = MongoLimitsInForce(store)

    def view(self) -> StoreView:
        state = self._kill.load()
        return StoreView(level=state.level, level_words=f"{state.level.name} by {state.who} ({state.reason})",
                         allowed=self._flattening(state), sign=self._leases.sign_of_life(),
                         limits=self._in_force.load() | position_limits(self._limits.all()))

    def instruments(self) -> dict[int, str]:
        """The instrument of each contract number of the broker."""
        return {con_id: contract.instrument for con_id, contract in self._contracts.by_con_id().items()}

    def halt(self, reason: str, when: datetime) -> None:
        """Raise to K3; nothing when it is there or higher.

        Raises:
            ConcurrentUpdate: somebody wrote each time.
        """
        self._kill.raise_to(KillLevel.K3_HALT, Command(who=WHO, why=reason, when=when))

    def _flattening(self, state: KillState) -> frozenset[str]:
        """FLATTEN orders that were sent since the level began are what it wants."""
        began = state.when
        if state.level not in (KillLevel.K3_HALT, KillLevel.K4_FLATTEN) or began is None:
            return frozenset()
        return frozenset(order.id for order in self._orders.live_broker_orders()
                         if order.kind is OrderKind.FLATTEN and (order.sent or order.created) >= began)


def position_limits(limits: list[Limit]) -> dict[str, int]:
    """Those that somebody has set for all strategies together, lots by instrument."""
    names = {each.instrument for each in limits if each.kind is LimitKind.POSITION}
    found = {name: limit_of(limits, LimitKind.POSITION, name) for name in names}
    return {name: lots for name, lots in found.items() if lots is not None}


@dataclass(frozen=True)
class _Opened:
    uri: str
    store: MongoStore
    calls: AsyncStore
    watched: WatchedStore
    alerts: StoredAlerts


class StoreEye:
    """One connection at a time, made when it is needed. It is an AlertStore too: away like the store itself."""

    def __init__(self, mongo: MongoConfig, owner: Owner, uri: Callable[[], str | None], clock: Clock) -> None:
        self._mongo, self._owner, self._uri, self._clock = mongo, owner, uri, clock
        self._opened: _Opened | None = None
        self.known: Mapping[int, str] = {}  # instruments by contract, as they were read last
        self._learnt_s = float("-inf")
        self._opening = asyncio.Lock()

    async def look(self) -> StoreView:
        """
        Raises:
            StoreError: it does not answer, or is somebody else's.
        """
        return await self._call(lambda watched: watched.view())

    async def halt(self, reason: str, when: datetime) -> None:
        """Raise the level to K3.

        Raises:
            StoreError: nobody knows whether it was raised.
        """
        await self._call(lambda watched: watched.halt(reason, when))

    async def learn(self, con_ids: Set[int]) -> None:
        """Make `known` tell the instruments of these contracts, if the store can; asked at most once a minute.

        It is asked before anything is held too: the store may be away when it matters.
        """
        is_due = self._clock.monotonic_s() - self._learnt_s >= LEARN_EVERY_S
        if is_due and (not self.known or not con_ids <= self.known.keys()):
            self.known = await self._call(lambda watched: watched.instruments())
            self._learnt_s = self._clock.monotonic_s()

    async def load(self, key: str) -> AlertState | None:
        return await (await self._alerts()).load(key)

    async def unsettled(self) -> list[AlertState]:
        return await (await self._alerts()).unsettled()

    async def recent(self, limit: int) -> list[AlertState]:
        return await (await self._alerts()).recent(limit)

    async def save(self, state: AlertState) -> AlertState:
        return await (await self._alerts()).save(state)

    def close(self) -> None:
        if self._opened is not None:
            self._opened.calls.close()
            self._opened.store.close()
        self._opened = None

    async def _alerts(self) -> StoredAlerts:
        try:
            return (await self._current()).alerts
        except (StoreError, PyMongoError) as error:
            raise StoreAway(str(error)) from error

    async def _call(self, ask: Callable[[WatchedStore], Result]) -> Result:
        try:
            opened = await self._current()
            return await opened.calls.call(ask, opened.watched)
        except PyMongoError as error:
            raise StoreError(f"The store does not answer: {str(error)[:160]}.") from error

    async def _current(self) -> _Opened:
        """The connection; another one when the address has changed, as that of an embedded store does."""
        async with self._opening:
            uri = self._uri()
            if uri is None:
                raise StoreError("No tradingd has run here yet, so its embedded store is not known.")
            if self._opened is not None and self._opened.uri != uri:
                self.close()
            if self._opened is None:
                self._opened = await asyncio.to_thread(self._open, uri)
            return self._opened

    def _open(self, uri: str) -> _Opened:
        store = replace(connect(uri, self._mongo.database, self._mongo.timeout_s), author=this_process(
            "tradingd-watchdog"))
        try:
            MongoSettings(store).stamp_identity(self._owner.mode, self._owner.account)
        except (StoreError, PyMongoError):
            store.close()
            raise
        calls = AsyncStore(store, threads=2)
        return _Opened(uri, store, calls, WatchedStore(store), StoredAlerts(calls))
