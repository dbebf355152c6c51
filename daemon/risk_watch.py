"""RiskWatch: looks at the account, the clock, quotes, orders of unknown fate and unread alerts, and raises the level.

It only ever raises, and only the level: what that means at the broker is the kill switch's. A K2 that it raised for
want of sound data falls again when the data were sound twice; everything else a person lowers.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from pymongo.errors import PyMongoError

from daemon.alerts.alerts import Alerts
from daemon.broker_service import HEARTBEAT_ANSWER_S, BrokerService, Link
from daemon.ending import ended
from daemon.quote_watch import QuoteParts, QuoteWatch
from daemon.roll_notices import RollNotices
from daemon.store.async_store import AsyncStore
from trading.clock import Clock
from trading.config import Mode, ServiceConfig
from trading.control.alert import AlertKind, AlertState, Severity
from trading.data.mongo.controls import StoredOverride
from trading.data.mongo.strategy_days import MongoStrategyDays
from trading.errors import BrokerError, ConcurrentUpdate, TradingError
from trading.execution.broker_orders import BrokerLifecycle
from trading.execution.cut_rolls import cut_roll
from trading.execution.locks import CALLS_A_PERSON
from trading.execution.order_states import Hold, Lifecycle
from trading.execution.orders import ContractOrder, InstrumentOrder
from trading.execution.uneven_rolls import uneven
from trading.log import get_log
from trading.risk.check import Check
from trading.risk.clock_reading import ClockReading, jump, skew
from trading.risk.controls.watch import (
    rc_07_monitor,
    rc_22_monitor,
    rc_27,
    rc_27_monitor,
    rc_29,
    rc_42,
    rc_45_monitor,
)
from trading.risk.kill_level import Cause, Command, KillLevel, KillState, data_found_sound, lowered, raised
from trading.risk.monitors import Wanted, wanted
from trading.risk.overrides import NO_OVERRIDE, REDUCE_ONLY, combined
from trading.risk.settings import RiskSettings
from trading.risk.snapshot import SystemFacts

log = get_log()
EVERY_S: Final = 20.0
WHO: Final = "risk watch"
APPROVAL: Final = "approval"  # the subject of the alert about orders that wait for a person


@dataclass(frozen=True, kw_only=True)
class RiskParts:
    """What the watch works with. `day` gives the trading day of now."""

    store: AsyncStore
    broker: BrokerService
    clock: Clock
    alerts: Alerts
    service: ServiceConfig
    settings: RiskSettings
    day: Callable[[], str]


def _named(order: InstrumentOrder | ContractOrder) -> str:
    return f"{order.id} ({order.residual:+d} {order.instrument})"


class RiskWatch:
    """One loop in the leading daemon."""

    def __init__(self, parts: RiskParts) -> None:
        self._parts = parts
        self._task: asyncio.Task[None] | None = None
        self._is_whole = False  # whether the last look was answered by the broker
        self._reading = self._read_clocks()
        self._days = MongoStrategyDays(parts.store.store)
        self._roll_notices = RollNotices(parts.store, parts.alerts)
        self._quotes = QuoteWatch(QuoteParts(store=parts.store, broker=parts.broker, clock=parts.clock,
                                             settings=parts.settings.account))

    def start(self) -> None:
        self._task = asyncio.create_task(self._watch(), name="risk watch")

    async def stop(self) -> None:
        if self._task is not None:
            await ended(self._task)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            try:
                await self.look()
            except (TradingError, PyMongoError, OSError) as error:
                log.warning("risk_not_watched", reason=str(error), effect="it is looked at again soon")

    async def look(self) -> Wanted:
        """Look once, and raise what is called for; what that was."""
        await self._tell_locks()
        await self._tell_approvals()
        await self._roll_notices.look()
        checks = [await self._unknown_orders(), await self._unread_alerts(), *await self._rolls(),
                  await self._strategy_losses()]
        self._is_whole = self._parts.broker.link is Link.READY
        for ask in (self._clocks, self._account, self._quotes.look):
            checks += await self._asked(ask)
        found = wanted(checks)
        await self._carry_out(found, has_account=any(check.control == "RC-26" for check in checks))
        for check in found.alerts:
            self._parts.alerts.tell(AlertKind.RISK, check.control, check.sentence, Severity(check.severity.lower()))
        for check in checks:
            if check not in found.alerts:
                self._parts.alerts.over(AlertKind.RISK, check.control)
        return found

    async def _asked(self, ask: Callable[[], Awaitable[Iterable[Check]]]) -> tuple[Check, ...]:
        """Nothing when the broker gives no answer: what else is watched must not wait for it."""
        try:
            return tuple(await ask())
        except BrokerError as error:
            self._is_whole = False
            log.warning("risk_not_asked", question=ask.__qualname__, reason=str(error), effect="it is asked again soon")
            return ()

    async def _unknown_orders(self) -> Check:
        now, store = self._parts.clock.now(), self._parts.store
        orders = await store.call(store.orders.live_broker_orders)
        ages = [now - (order.sent or order.created) for order in orders
                if order.lifecycle is BrokerLifecycle.UNKNOWN]
        return rc_22_monitor(ages, self._parts.settings.flow)

    async def _unread_alerts(self) -> Check:
        """Those of this watch and of the level itself do not count: they would stop what they announce."""
        now = self._parts.clock.now()
        ages = [now - state.first_at for state in await self._parts.alerts.open_alerts() if _is_unread(state)]
        return rc_42(max(ages, default=None), in_trading_hours=self._parts.broker.link is Link.READY,
                     settings=self._parts.settings.account)

    async def _rolls(self) -> tuple[Check, Check]:
        store = self._parts.store
        rolls = await store.call(store.orders.rolls_on, self._parts.day())
        return (rc_45_monitor([words for roll, legs in rolls
                               if roll.lifecycle is Lifecycle.CLOSED and (words := uneven(roll, legs))]),
                rc_07_monitor([words for roll, legs in rolls if (words := cut_roll(roll, legs))]))

    async def _tell_locks(self) -> None:
        """One alert for all that a person must look at: it says something new whenever a lock comes or goes."""
        alerts, store = self._parts.alerts, self._parts.store
        locks = [lock for lock in await store.call(store.locks.all) if lock.cause in CALLS_A_PERSON]
        if locks:
            alerts.tell(AlertKind.LOCKED, "instruments", f"Nothing is traded in these instruments until a person has "
                        f"looked: {'; '.join(lock.reason for lock in locks)}. See: tradectl locks")
        else:
            alerts.over(AlertKind.LOCKED, "instruments")

    async def _tell_approvals(self) -> None:
        """One alert for all orders of the day that wait for a person."""
        alerts, store = self._parts.alerts, self._parts.store
        orders: list[InstrumentOrder | ContractOrder] = [*await store.call(store.orders.open_instrument_orders),
                  *await store.call(store.orders.open_contract_orders)]
        found = [order for order in orders if Hold.APPROVAL in order.holds and order.trading_day >= self._parts.day()]
        if found:
            alerts.tell(AlertKind.RISK, APPROVAL, f"These orders wait for a person: {', '.join(map(_named, found))}. "
                        f"Let one go: tradectl trade approve ORDER; take it back: tradectl trade cancel ORDER")
        else:
            alerts.over(AlertKind.RISK, APPROVAL)

    async def _strategy_losses(self) -> Check:
        """A strategy is made to reduce once a day: a person who takes that back is not overruled."""
        store, day, days = self._parts.store, self._parts.day(), self._days
        checks = {each.strategy: rc_27(each.strategy, each.result, each.expected_vol, self._parts.settings.account)
                  for each in await store.call(days.load, day)}
        reduced = await store.call(days.reduced, day)
        losers = {name: check for name, check in checks.items() if check.override is not None}
        for name in sorted(losers.keys() - reduced):
            await self._reduce(name, losers[name])
        if not losers.keys() <= reduced:
            await store.call(days.save_reduced, day, reduced | losers.keys())
        return rc_27_monitor(checks)

    async def _reduce(self, strategy: str, check: Check) -> None:
        """Never milder than what is there."""
        store = self._parts.store
        known = [each.override for each in await store.call(store.overrides.all)
                 if each.strategy == strategy and each.instrument is None]
        strictest = combined([*known, REDUCE_ONLY])
        if [strictest] != known:
            log.warning("strategy_reduces", strategy=strategy, reason=check.sentence)
            await store.call(store.overrides.put, StoredOverride(
                strategy=strategy, instrument=None, override=strictest, who=WHO, reason=check.sentence,
                at=self._parts.clock.now()))

    async def _clocks(self) -> tuple[Check, ...]:
        """That of the simulated gateway is moved by hand: there the skew says nothing."""
        parts = self._parts
        before, self._reading = self._reading, self._read_clocks()
        if parts.broker.link is not Link.READY:
            return ()
        off = timedelta() if parts.service.mode is Mode.SIMULATED else await self._skew()
        return (rc_29(SystemFacts(kill=KillState(), epoch=0, clock_skew=off, clock_jump=jump(before, self._reading)),
                      parts.settings),)

    def _read_clocks(self) -> ClockReading:
        return ClockReading(wall=self._parts.clock.now(), monotonic_s=self._parts.clock.monotonic_s())

    async def _skew(self) -> timedelta:
        library, now = await self._parts.broker.library("risk watch"), self._parts.clock.now
        asked = now()
        told = await library.current_time(HEARTBEAT_ANSWER_S)
        return skew(told, asked, now())

    async def _account(self) -> tuple[Check, ...]:
        """Nothing while the broker cannot be asked: that is another alert's matter."""
        if self._parts.broker.link is not Link.READY:
            return ()
        service, store = self._parts.service, self._parts.store
        library = await self._parts.broker.library("risk watch")
        worth = await library.account_value(service.broker.account, service.base_currency)
        before = await store.call(store.settings.account_track)
        track = before.after(worth, self._parts.day(), self._parts.clock.now(), self._parts.settings.account)
        await store.call(store.settings.save_account_track, track)
        return track.checks(self._parts.settings.account)

    async def _carry_out(self, found: Wanted, *, has_account: bool) -> None:
        store = self._parts.store
        state = await store.call(store.kill.load)
        newer = self._level_after(state, found)
        if newer != state:
            with suppress(ConcurrentUpdate):  # somebody was faster: it is looked at again soon
                await store.call(store.kill.save, newer)
                log.warning("level_changed", was=state.level.name, now=newer.level.name, reason=newer.reason)
        if has_account:
            await self._impose(found)

    def _level_after(self, state: KillState, found: Wanted) -> KillState:
        now = self._parts.clock.now()
        if found.level is not KillLevel.K0_NORMAL:
            why = " ".join(check.sentence for check in found.reasons)
            return raised(state, found.level, Command(who=WHO, why=why, when=now, cause=found.cause))
        if state.cause is not Cause.DATA or state.level is not KillLevel.K2_NO_NEW_RISK:
            return state
        if not self._is_whole:  # what could not be asked was not found sound
            return state
        sound = data_found_sound(state)
        with suppress(TradingError):  # not sound often enough yet
            return lowered(sound, KillLevel.K0_NORMAL, Command(who=WHO, why="the data are sound again", when=now,
                                                               cause=Cause.DATA))
        return sound

    async def _impose(self, found: Wanted) -> None:
        """Once: what a person has taken back is laid again only when the drawdown asks for more, or anew."""
        settings = self._parts.store.settings
        before = await self._parts.store.call(settings.account_track)
        after = before.imposing(found.override)
        if after.imposed not in (before.imposed, NO_OVERRIDE):
            await self._override(found)
        if after != before:
            await self._parts.store.call(settings.save_account_track, after)

    async def _override(self, found: Wanted) -> None:
        """For everything, and never milder than what is there: only a person takes it back."""
        store = self._parts.store
        known = [each.override for each in await store.call(store.overrides.all)
                 if each.strategy is None and each.instrument is None]
        strictest = combined([*known, found.override])
        if [strictest] != known:
            why = " ".join(check.sentence for check in found.alerts)
            await store.call(store.overrides.put, StoredOverride(
                strategy=None, instrument=None, override=strictest, who=WHO, reason=why, at=self._parts.clock.now()))


def _is_unread(state: AlertState) -> bool:
    is_own = state.kind in (AlertKind.RISK, AlertKind.HALTED)
    return state.severity is Severity.CRITICAL and not state.acknowledged and not is_own
