"""StackHandler: instrument orders become contract orders become broker orders; fills travel the same way up.

Each pass looks at everything that is open, decides, and acts; stopping between two passes loses nothing. It never
sends for a parent one of whose broker orders may still be alive.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from trading.clock import Clock
from trading.errors import BrokerError, BrokerUnavailable, DataError, NotFound
from trading.execution.algos.limit_at_touch import MAX_ATTEMPTS, Touch, limit_price, should_cancel, should_repeat_cancel
from trading.execution.broker_orders import BrokerLifecycle, BrokerOrder
from trading.execution.locks import Lock, LockCause
from trading.execution.order_states import CloseReason, Lifecycle
from trading.execution.orders import ContractOrder, InstrumentOrder, broker_order_id, closed_by_children, spawn
from trading.execution.ports import Locks, Market, OrderStore, Sender
from trading.execution.stack_handler.journal_reader import JournalReader
from trading.execution.stack_handler.resolver import Resolver, Verdict, needs_resolving
from trading.log import get_log
from trading.risk.order_kind import OrderKind

log = get_log()

@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long to wait for what."""

    time_out: timedelta
    acknowledge_within: timedelta


@dataclass(kw_only=True)
class StackHandler:
    """One job's view of the order stacks."""

    orders: OrderStore
    market: Market
    sender: Sender
    locks: Locks
    reader: JournalReader
    resolver: Resolver
    clock: Clock
    patience: Patience
    lots_by_contract: Callable[[str, int], dict[str, int]]

    def run(self, checkpoint: Callable[[], None]) -> int:
        """Work until nothing is open that could move; how many instrument orders were closed."""
        self.sender.refresh()
        applied, closed = self.reader.apply_new(), 0
        while True:
            checkpoint()
            closed += self.one_pass()
            if not self._can_move():
                return closed
            applied = self._apply_news(applied)

    def _apply_news(self, applied: int) -> int:
        """Wait for messages behind `applied`, a second at most, and apply all there are; the last applied."""
        wait_s = 1.0
        while messages := self.sender.messages(applied, wait_s):
            applied, wait_s = self.reader.apply(messages), 0.0
        return applied

    def one_pass(self) -> int:
        """Look at every open order once, from the bottom up and then down again."""
        for order in self.orders.live_broker_orders():
            self._manage(order)
        self._release_locks()
        for leg in self.orders.open_contract_orders():
            self._settle_or_send(leg)
        closed = sum(self._close(parent) for parent in self.orders.open_instrument_orders())
        for parent in self.orders.open_instrument_orders():
            self._spawn(parent)
        return closed

    def _can_move(self) -> bool:
        """Whether waiting can help: something is at the broker, or was just spawned and may be sent.

        An order that the broker was asked about in vain stays unknown until the next run; one that is held until its
        exchange opens is looked at by whichever run comes then.
        """
        locked = self.locks.reasons()
        live = self.orders.live_broker_orders()
        busy = {order.parent for order in live}
        free = [leg for leg in self.orders.open_contract_orders()
                if leg.instrument not in locked and leg.id not in busy]
        return bool(free) or any(self._is_worth_waiting_for(order) for order in live)

    def _is_worth_waiting_for(self, order: BrokerOrder) -> bool:
        return (not order.held or self.resolver.misses(order.id)) and not self.resolver.gave_up(order.id)

    def _spawn(self, parent: InstrumentOrder) -> None:
        if parent.lifecycle is not Lifecycle.OPEN or parent.next_child > 1 or parent.holds:
            return
        if parent.kind is OrderKind.ROLL or parent.contract is not None:
            self.orders.spawned(*spawn(parent, parent.contract or "", self.clock.now()))
            return
        try:
            lots = self.lots_by_contract(parent.instrument, parent.quantity)
        except (NotFound, DataError) as error:
            log.warning("not_spawned", order=parent.id, reason=str(error))
            return
        allowed = sum(lots.values())
        if allowed == 0:
            self._deny(parent, "its roll state lets nothing be opened, and there is nothing to reduce")
            return
        self.orders.spawned(*replace(parent, quantity=allowed).create_child_contract_orders(lots, self.clock.now()))

    def _deny(self, parent: InstrumentOrder, why: str) -> None:
        log.warning("denied", order=parent.id, instrument=parent.instrument, reason=why)
        self.orders.save_instrument_order(replace(parent.moved(Lifecycle.CLOSED, CloseReason.DENIED), reason=why))

    def _manage(self, order: BrokerOrder) -> None:
        now = self.clock.now()
        if order.lifecycle is BrokerLifecycle.INTENT:
            self._send(order)
        elif needs_resolving(order, now, self.patience.acknowledge_within):
            self._resolve(order, now)
        elif should_cancel(order, now, self.patience.time_out):
            log.info("order_timed_out", order=order.id, residual=order.residual)
            self._cancel(order.moved(BrokerLifecycle.PENDING_CANCEL), now)
        elif order.held:
            if self.resolver.has_vanished(order, now):
                self._lose(order, now)
        elif should_repeat_cancel(order, now):
            self._cancel_again(order, now)

    def _send(self, order: BrokerOrder) -> None:
        try:
            self.sender.submit(order.id)
        except BrokerUnavailable:
            raise
        except BrokerError as error:
            log.warning("not_sent", order=order.id, reason=str(error))

    def _resolve(self, order: BrokerOrder, now: datetime) -> None:
        found = self.resolver.resolve(order, now)
        order = self.orders.broker_order(order.id)
        if found is Verdict.NOT_RECEIVED and not order.filled and order.perm_id is None:
            log.warning("order_never_received", order=order.id)
            self.orders.save_broker_order(order.advanced(BrokerLifecycle.NOT_SENT, "the broker never received it"))
            return
        if found is Verdict.UNDECIDED and order.lifecycle is not BrokerLifecycle.UNKNOWN:
            order = self.orders.save_broker_order(order.advanced(BrokerLifecycle.UNKNOWN))
        if order.lifecycle is BrokerLifecycle.UNKNOWN:
            self._lock(order, now)

    def _lock(self, order: BrokerOrder, now: datetime) -> None:
        lock = Lock(instrument=order.instrument, cause=LockCause.UNKNOWN_ORDER, subject=order.id, opened_at=now,
                    reason=f"nobody knows the fate of broker order {order.id}")
        if self.locks.lock(lock):
            log.error("order_unknown", order=order.id, effect=f"{order.instrument} is not traded until it is known")

    def _release_locks(self) -> None:
        """Unlock instruments whose order is no longer unknown, however that came about."""
        for lock in self.locks.all():
            if lock.cause is LockCause.UNKNOWN_ORDER:
                order = self.orders.broker_order(lock.subject)
                if order.lifecycle is not BrokerLifecycle.UNKNOWN:
                    self.locks.unlock(lock.id, f"the order is {order.lifecycle}", self.clock.now())

    def _cancel_again(self, order: BrokerOrder, now: datetime) -> None:
        """Unless the broker knows it no longer: then it has ended unseen, and nobody can say how."""
        if self.resolver.has_vanished(order, now):
            self._lose(order, now)
        else:
            self._cancel(order, now)

    def _lose(self, order: BrokerOrder, now: datetime) -> None:
        log.warning("order_vanished", order=order.id, perm_id=order.perm_id)
        self._lock(self.orders.save_broker_order(order.advanced(BrokerLifecycle.UNKNOWN)), now)

    def _cancel(self, order: BrokerOrder, now: datetime) -> None:
        self.orders.save_broker_order(replace(order, cancel_requested=now))
        try:
            self.sender.cancel(order.id)
        except BrokerUnavailable:
            raise
        except BrokerError as error:
            log.warning("cancel_refused", order=order.id, reason=str(error))

    def _settle_or_send(self, leg: ContractOrder) -> None:
        children = self.orders.broker_orders_of(leg.id)
        if any(child.may_be_alive for child in children):
            return
        reason = _reason_to_close(leg, children, self.reader.today.trading_day)
        if reason is not None:
            self.orders.save_contract_order(replace(leg, lifecycle=Lifecycle.CLOSED, close_reason=reason))
            return
        if leg.instrument in self.locks.reasons():
            return
        order = self._new_broker_order(leg)
        if order is not None:
            parent = replace(leg, lifecycle=Lifecycle.WORKING, next_child=leg.next_child + 1)
            self._send(self.orders.add_broker_order(parent, order))

    def _new_broker_order(self, leg: ContractOrder) -> BrokerOrder | None:
        touch = self.market.touch(leg.contract)
        if touch is None or not touch.is_sane:
            log.warning("no_quote", contract=leg.contract, effect="nothing is sent without one")
            self._give_up(leg)
            return None
        return self._intent(leg, touch)

    def _give_up(self, leg: ContractOrder) -> None:
        self.orders.save_contract_order(
            replace(leg, lifecycle=Lifecycle.CLOSED, close_reason=CloseReason.EXPIRED))

    def _intent(self, leg: ContractOrder, touch: Touch) -> BrokerOrder:
        tradable = self.market.tradable(leg.contract)
        return BrokerOrder(
            id=broker_order_id(leg), parent=leg.id, account=leg.account, strategy=leg.strategy,
            instrument=leg.instrument, contract=leg.contract, con_id=tradable.con_id, exchange=tradable.exchange,
            kind=leg.kind, quantity=leg.residual, order_type="LMT", time_in_force="DAY",
            limit_price=limit_price(leg.residual, touch, tradable.min_tick), bid=touch.bid, ask=touch.ask,
            trading_day=leg.trading_day, created=self.clock.now())

    def _close(self, parent: InstrumentOrder) -> int:
        closed = closed_by_children(parent, self.orders.contract_orders_of(parent.id))
        if closed is None:
            return 0
        self.orders.save_instrument_order(closed)
        log.info("instrument_order_closed", order=closed.id, instrument=closed.instrument,
                 reason=closed.close_reason and closed.close_reason.value, filled=closed.filled)
        return 1


def _reason_to_close(leg: ContractOrder, children: list[BrokerOrder], today: str) -> CloseReason | None:
    """Why `leg` is over, none of its broker orders being alive; None when it should be tried (again).

    A decision is good for its own trading day: on the next one there is a newer decision.
    """
    if leg.residual == 0:
        return CloseReason.FILLED
    if any(child.lifecycle is BrokerLifecycle.REJECTED for child in children):
        return CloseReason.REJECTED
    return CloseReason.EXPIRED if len(children) >= MAX_ATTEMPTS or leg.trading_day < today else None
