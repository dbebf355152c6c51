"""Guard: the watchdog's rounds. Look at the broker and at the store, decide (pure), act; again and again.

What it could not do it tries again: a level that could not be stored is laid down as the halt flag, and a cancel that
did not leave is asked for at the next look.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from daemon.alerts.alerts import Alerts
from daemon.halt_flag import lay_halt_flag
from daemon.watchdog.broker_eye import BrokerEye, BrokerView
from daemon.watchdog.store_eye import WHO, StoreEye
from trading.broker.facts import BrokerPosition, OpenOrder
from trading.clock import Clock
from trading.control.alert import AlertKind
from trading.errors import BrokerError, StoreError
from trading.execution.order_ids import is_ours
from trading.log import get_log
from trading.risk.watchdog import decide
from trading.risk.watchdog_sight import (
    Decision,
    Picture,
    RestingOrder,
    StoreView,
    Subject,
    WatchRules,
    beginning,
    largest_lots,
)

log = get_log()


@dataclass(frozen=True, kw_only=True)
class GuardParts:
    """What it works with. `offset`: by how much the day that is played lies in the past."""

    broker: BrokerEye
    store: StoreEye
    alerts: Alerts
    clock: Clock
    rules: WatchRules
    halt_flag: Path
    offset: Callable[[], timedelta]


class Guard:
    """One loop; `broker_problem` and `store_problem` are sentences, empty when all is well."""

    def __init__(self, parts: GuardParts) -> None:
        self._parts = parts
        self._memory = beginning(parts.clock.monotonic_s())
        self._told: dict[Subject, str] = {}
        self._has_closed = False  # what an earlier watchdog left open
        self._owed = ""  # the reason of a raise that neither the store nor the disk has taken
        self.broker_problem = "it was not read yet"
        self.store_problem = "it was not read yet"
        self.looked_s = parts.clock.monotonic_s()
        self.picture: Picture | None = None

    @property
    def told(self) -> dict[Subject, str]:
        """What people have been told, and is not over."""
        return dict(self._told)

    async def look(self) -> Decision:
        """One round; what was decided."""
        broker, store = await asyncio.gather(self._broker(), self._store())
        self.picture = await self._picture(broker, store)
        decision = decide(self.picture, self._memory, self._parts.rules)
        self._memory = decision.memory
        self._tell(decision, self.picture.is_whole)
        await self._halt(decision)
        await self._cancel(decision.cancel)
        self.looked_s = self._parts.clock.monotonic_s()
        return decision

    async def _broker(self) -> BrokerView | None:
        try:
            view = await self._parts.broker.look()
        except BrokerError as error:
            if str(error) != self.broker_problem:
                log.warning("watchdog_sees_no_broker", reason=str(error), effect="it is tried again all the time")
            self.broker_problem = str(error)
            return None
        if self.broker_problem:
            log.warning("watchdog_sees_broker", orders=len(view.orders), positions=len(view.positions))
        self.broker_problem = ""
        return view

    async def _store(self) -> StoreView | None:
        try:
            view = await self._parts.store.look()
        except StoreError as error:
            if str(error) != self.store_problem:
                log.warning("watchdog_sees_no_store", reason=str(error), effect="it is tried again all the time")
            self.store_problem = str(error)
            return None
        if self.store_problem:
            log.warning("watchdog_sees_store", kill_level=view.level.name)
        self.store_problem = ""
        return view

    async def _picture(self, broker: BrokerView | None, store: StoreView | None) -> Picture:
        orders = None if broker is None else tuple(map(_resting, broker.orders))
        return Picture(at_s=self._parts.clock.monotonic_s(), orders=orders, store=store,
                       lots=await self._lots(() if broker is None else broker.positions),
                       is_flagged=self._parts.halt_flag.exists())

    async def _lots(self, positions: tuple[BrokerPosition, ...]) -> dict[str, int]:
        """By instrument; a contract that nobody has described belongs to none, and no limit is about it."""
        if not self.store_problem:
            with suppress(StoreError):  # the next look says so
                await self._parts.store.learn({each.con_id for each in positions})
        names = self._parts.store.known
        return largest_lots((names[each.con_id], each.quantity) for each in positions if each.con_id in names)

    def _tell(self, decision: Decision, is_whole: bool) -> None:
        """What is new once; what is over as well, also if a watchdog before this one had told it."""
        for subject in Subject:
            text = decision.open.get(subject)
            if text is not None and text != self._told.get(subject):
                log.error("watchdog", subject=subject.value, text=text)
                self._parts.alerts.tell(AlertKind.WATCHDOG, subject.value, text)
            elif text is None and (subject in self._told or (is_whole and not self._has_closed)):
                self._parts.alerts.over(AlertKind.WATCHDOG, subject.value)
        self._told = dict(decision.open)
        self._has_closed |= is_whole

    async def _halt(self, decision: Decision) -> None:
        """Stored before anything is cancelled; where that fails, on the disk."""
        reason = decision.raise_level or decision.lay_flag or self._owed
        if not reason:
            return
        log.error("watchdog_halts", reason=reason)
        self._owed = ""
        if not decision.lay_flag:
            try:
                await self._parts.store.halt(reason, self._now())
                return
            except StoreError as error:
                log.error("level_not_stored", reason=str(error), effect="the halt flag is laid down instead")
        try:
            lay_halt_flag(self._parts.halt_flag, WHO, reason)
        except OSError as error:
            log.error("halt_flag_not_laid", reason=str(error), effect="it is tried again at the next look")
            self._owed = reason

    async def _cancel(self, reason: str) -> None:
        if not reason:
            return
        log.error("watchdog_cancels_everything", reason=reason)
        try:
            await self._parts.broker.cancel_everything()
        except BrokerError as error:
            log.error("watchdog_cancelled_nothing", reason=str(error), effect="it is tried again")

    def _now(self) -> datetime:
        return self._parts.clock.now() + self._parts.offset()


def _resting(order: OpenOrder) -> RestingOrder:
    return RestingOrder(key=str(order.perm_id), reference=order.reference, is_ours=is_ours(order.reference))
