"""KillSwitch: makes the stored kill level true at the broker, and says so only when the broker agrees.

It looks every second, in the leading daemon, whether any job runs or not. It never raises or lowers a level by itself;
a flag file halts as well, also while the store does not answer. Until nothing is out any more, an alert is open.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pymongo.errors import PyMongoError

from daemon.alerts.alerts import Alerts
from daemon.broker_service import BrokerService
from daemon.ending import ended
from daemon.store.async_store import AsyncStore
from trading.clock import Clock
from trading.control.alert import AlertKind
from trading.errors import TradingError
from trading.execution.broker_orders import BrokerOrder
from trading.execution.kill_actions import REPEAT_CANCEL, Verified, still_out, to_cancel, with_flag
from trading.log import get_log
from trading.risk.kill_level import KillLevel, KillState

log = get_log()
POLL_S: Final = 1.0
SUBJECT: Final = "trading"


@dataclass(frozen=True, kw_only=True)
class KillParts:
    """What the switch works with."""

    store: AsyncStore
    broker: BrokerService
    clock: Clock
    alerts: Alerts
    halt_flag: Path


class KillSwitch:
    """One loop; everything that it has done can be done again."""

    def __init__(self, parts: KillParts) -> None:
        self._parts = parts
        self._task: asyncio.Task[None] | None = None
        self._level = KillLevel.K0_NORMAL
        self._verified = Verified()
        self._last = KillState()
        self._blind_again_s = 0.0

    def start(self) -> None:
        self._task = asyncio.create_task(self._watch(), name="kill switch")

    async def stop(self) -> None:
        if self._task is not None:
            await ended(self._task)

    @property
    def is_verified(self) -> bool:
        """Whether the broker has confirmed that nothing works that the level forbids."""
        return self._verified.is_done

    @property
    def state(self) -> KillState:
        """The state that was last seen, the flag included."""
        return self._last

    async def stored(self) -> KillState:
        """The level as it stands in the store."""
        return await self._parts.store.call(self._parts.store.kill.load)

    async def _watch(self) -> None:
        while True:
            try:
                await self.look()
            except (TradingError, PyMongoError, OSError) as error:
                self._tell(f"The kill level could not be carried out: {error}. It is tried again each second.")
            await asyncio.sleep(POLL_S)

    async def look(self) -> None:
        """Read the level, cancel what it forbids, and look whether the broker agrees."""
        try:
            state = self._flagged(await self.stored())
        except (TradingError, PyMongoError):
            await self._enforce_blindly(self._flagged(self._last))
            raise
        self._note(state)
        if state.level < KillLevel.K5_SEVER:
            self._parts.broker.join()
        if state.level <= KillLevel.K1_PAUSE_SCOPE and not any(pause.cancels_working for pause in state.pauses):
            self._parts.alerts.over(AlertKind.HALTED, SUBJECT)
            return
        await self._enforce(state)

    def _flagged(self, state: KillState) -> KillState:
        return with_flag(state, self._parts.halt_flag.exists())

    def _note(self, state: KillState) -> None:
        if state.level is not self._level:
            log.warning("kill_level", kill=state.level.name, reason=state.reason, who=state.who)
            self._level, self._verified = state.level, Verified()
        self._last = state

    async def _enforce(self, state: KillState) -> None:
        store = self._parts.store
        orders = await store.call(store.orders.live_broker_orders)
        positions = await store.call(store.books.instrument_positions)
        for order in to_cancel(state, orders, positions, self._parts.clock.now()):
            await self._cancel(order)
        if state.level is KillLevel.K5_SEVER:
            await self._parts.broker.sever()
            self._tell(f"{state.level.name} by {state.who} ({state.reason}); all orders were asked to be cancelled, "
                       f"and the broker is disconnected. Look at the broker itself.")
        elif not self._verified.is_done:
            await self._verify(state, orders, positions)

    async def _cancel(self, order: BrokerOrder) -> None:
        """Note that it is asked, then ask; repeating it is harmless, and a lost race is seen in the next second.

        A store that reads and takes no notes, such as one whose disk is full, does not keep an order alive.
        """
        store, now = self._parts.store, self._parts.clock.now()
        try:
            await store.call(store.orders.save_broker_order, order.with_cancel_wanted(now, "kill level"))
        except PyMongoError as error:
            log.error("cancel_not_noted", order=order.id, reason=str(error)[:200], effect="it is asked all the same")
        await self._parts.broker.orders.cancel(order.id)

    async def _enforce_blindly(self, state: KillState) -> None:
        """The store cannot say which orders are out; the broker can, and from K3 on each of ours is forbidden."""
        now_s = self._parts.clock.monotonic_s()
        if state.level < KillLevel.K3_HALT or now_s < self._blind_again_s:
            return
        self._note(state)
        self._blind_again_s = now_s + REPEAT_CANCEL.total_seconds()
        asked = await self._parts.broker.orders.cancel_unread()
        log.error("cancelled_blindly", kill=state.level.name, orders=asked,
                  effect="the store does not answer: what the broker shows with our references is asked back")

    async def _verify(self, state: KillState, orders: list[BrokerOrder], positions: Mapping[str, int]) -> None:
        """Ask the broker for every open order of all clients, until there is none of ours, twice."""
        out = still_out(state, orders, positions, await self._parts.broker.open_references())
        self._verified = self._verified.after(len(out))
        said = f"{state.level.name} by {state.who} ({state.reason})"
        if self._verified.is_done:
            log.warning("kill_level_verified", kill=state.level.name)
            self._tell(f"{said}; the broker shows no order of ours that it forbids.")
        else:
            self._tell(f"{said}; {len(out)} orders of ours may still trade.")

    def _tell(self, text: str) -> None:
        self._parts.alerts.tell(AlertKind.HALTED, SUBJECT, text)
