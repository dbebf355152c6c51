"""StackHandler: instrument orders become contract orders become broker orders; fills travel the same way up.

Each pass looks at everything that is open, decides, and acts; stopping between two passes loses nothing. It never
sends for a parent one of whose broker orders may still be alive. An order that cannot be worked, for whatever reason,
stops nobody else: what rests of it is taken back, and a person is told.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, TypeVar

from trading.clock import Clock
from trading.errors import ConcurrentUpdate, DataError, NotFound
from trading.execution.broker_orders import BrokerLifecycle, BrokerOrder
from trading.execution.decided_orders import why
from trading.execution.locks import Lock, LockCause, Standing, standing_of
from trading.execution.order_states import CloseReason, Lifecycle
from trading.execution.orders import ContractOrder, InstrumentOrder, closed_by_children, spawn
from trading.execution.ports import Locks, Margins, OrderStore, Sender, Spawned
from trading.execution.spreads import Spread
from trading.execution.stack_handler.algo_worker import AlgoWorker
from trading.execution.stack_handler.journal_reader import JournalReader
from trading.execution.stack_handler.resolver import Resolver, Verdict, needs_resolving
from trading.execution.uneven_rolls import alone, uneven
from trading.log import get_log
from trading.risk.order_kind import OrderKind

log = get_log()
Stored = TypeVar("Stored")
REPEAT_CANCEL: Final = timedelta(seconds=5)
LISTEN_S: Final = 1.0
A_MOMENT_S: Final = 0.2
LOOKED_AT: Final = 50  # contract orders for which what they share is read once
AT_ONCE: Final = 10  # new broker orders that are stored together and sent: as many as may be in flight


@dataclass(kw_only=True)
class StackHandler:
    """One job's view of the order stacks. `fatal` are errors that no single order is to blame for."""

    orders: OrderStore
    sender: Sender
    locks: Locks
    reader: JournalReader
    resolver: Resolver
    worker: AlgoWorker
    margins: Margins
    clock: Clock
    acknowledge_within: timedelta
    lots_by_contract: Callable[[str, int], dict[str, int]]
    judge: Callable[[InstrumentOrder], InstrumentOrder]
    take_back: Callable[[], None]  # ends the families of orders that may no longer trade
    compare: Callable[[], None]  # with the broker, where that is due; raises when nothing may be traded
    fatal: tuple[type[BaseException], ...]
    sick: dict[str, str] = field(default_factory=dict)  # orders that could not be worked, and why
    uneven: list[str] = field(default_factory=list)  # rolls of which one leg has traded more than the other

    def run(self, checkpoint: Callable[[], None]) -> int:
        """Work until nothing is open that could move; how many instrument orders were closed.

        Before the first pass, and whenever the connection is another one, the books are compared with the broker.
        """
        self.sender.refresh()
        applied, closed, compared = self.reader.apply_new(), 0, None
        while True:
            checkpoint()
            if compared != self.reader.connection:
                compared = self.reader.connection
                self.compare()
            closed += self.one_pass()
            if not self._can_move():
                return closed
            applied = self._apply_news(applied)

    def _apply_news(self, applied: int) -> int:
        """Wait for messages behind `applied`, a second at most, and apply all there are; the last applied.

        While the broker owes a margin, that is waited for too, in small turns.
        """
        wait_s = self._listens_s()
        while messages := self.sender.messages(applied, wait_s):
            applied, wait_s = self.reader.apply(messages), 0.0
        return applied

    def _listens_s(self) -> float:
        if self.margins.wait(A_MOMENT_S if self.margins.is_awaited else 0.0):
            return 0.0
        return A_MOMENT_S if self.margins.is_awaited else LISTEN_S

    def one_pass(self) -> int:
        """Look at every open order once, from the bottom up and then down again."""
        self.take_back()
        for order in self.orders.live_broker_orders():
            self._alone(order.id, lambda order=order: self._manage(order))  # type: ignore[misc]  # bound at once
        self._release_locks()
        standing, legs = standing_of(self.locks.all()), self.orders.open_contract_orders()
        for start in range(0, len(legs), LOOKED_AT):
            self._work(legs[start:start + LOOKED_AT], standing)
        parents, busy = self.orders.open_instrument_orders(), self.orders.parents_of_open_legs()
        closed = sum(self._close(parent) for parent in parents if parent.id not in busy and parent.next_child > 1)
        unjudged = [parent for parent in parents if parent.is_unjudged]
        for parent in unjudged:
            self._alone(parent.id, lambda parent=parent: self._judge(parent))  # type: ignore[misc]  # bound at once
        self._spawn_all(self.orders.open_instrument_orders() if unjudged else parents)
        return closed

    def _work(self, legs: Sequence[ContractOrder], standing: Mapping[str, Standing]) -> None:
        """Work each; a few new broker orders are stored together, and sent before anything else is looked at."""
        self.worker.look_at(legs)
        for number, leg in enumerate(legs, start=1):
            self._alone(leg.id, lambda leg=leg: self.worker.work(  # type: ignore[misc]  # bound at once
                leg, standing.get(leg.instrument, Standing.FREE), self.reader.today.trading_day))
            if len(self.worker.noted) == AT_ONCE:
                self._send_noted()
                self.worker.look_at(legs[number:])
        self._send_noted()

    def _send_noted(self) -> None:
        for order, found in self.worker.store_noted():
            self._alone(order, lambda found=found: self.worker.send(_stored(found)))  # type: ignore[misc]  # likewise

    def _alone(self, order: str, work: Callable[[], None]) -> None:
        """Do one order's work; whatever goes wrong in it is that order's alone."""
        if order in self.sick:
            return
        try:
            work()
        except self.fatal:
            raise
        except ConcurrentUpdate as error:
            log.info("looked_at_again", order=order, reason=str(error))
        except Exception as error:  # the boundary between orders: one bad order must not stop the others
            log.error("order_not_worked", order=order, error=repr(error), exc_info=error,
                      effect="what rests of it is taken back, and nothing more is sent for it in this run")
            self.sick[order] = f"{type(error).__name__}: {error}"
            self._take_back(order)

    def _take_back(self, order: str) -> None:
        for child in self.orders.live_broker_orders():
            if order in (child.id, child.parent):
                self.worker.cancel(child, "its order could not be worked")

    def _can_move(self) -> bool:
        """Whether waiting can help: something is at the broker, or was just spawned and may be sent.

        An order that the broker was asked about in vain stays unknown until the next run; one that is held until its
        exchange opens is looked at by whichever run comes then.
        """
        live = self.orders.live_broker_orders()
        busy = {order.parent for order in live}
        free = [leg for leg in self.orders.open_contract_orders()
                if leg.id not in busy and leg.id not in self.sick and leg.id not in self.worker.waits]
        return bool(free) or any(self._is_worth_waiting_for(order) for order in live)

    def _is_worth_waiting_for(self, order: BrokerOrder) -> bool:
        return (not order.held or self.resolver.misses(order.id)) and not self.resolver.gave_up(order.id)

    def _spawn_all(self, parents: Sequence[InstrumentOrder]) -> None:
        found = list[Spawned]()
        for parent in parents:
            self._alone(parent.id, lambda parent=parent: self._spawn(parent, found))  # type: ignore[misc]  # likewise
        stored = self.orders.spawned_all(found) if found else []
        for family, problem in zip(found, stored, strict=True):
            if problem is not None:
                self._alone(family.parent.id, lambda problem=problem: _stored(problem))  # type: ignore[misc]  # likewise

    def _spawn(self, parent: InstrumentOrder, found: list[Spawned]) -> None:
        """Add to `found` what is to be stored."""
        if parent.lifecycle is not Lifecycle.OPEN or parent.next_child > 1 or parent.holds:
            return
        if parent.kind is OrderKind.ROLL or parent.contract is not None:
            found.append(_family(*spawn(parent, parent.contract or "", self.clock.now(), self._spread(parent))))
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
        wanted = replace(parent, quantity=allowed)
        found.append(_family(*wanted.create_child_contract_orders(lots, self.clock.now())))

    def _spread(self, parent: InstrumentOrder) -> Spread | None:
        if not parent.as_spread:
            return None
        return self.worker.market.spread(parent.roll_from or "", parent.roll_to or "")

    def _judge(self, parent: InstrumentOrder) -> None:
        found = self.judge(parent)
        opened = found.moved(Lifecycle.OPEN) if found.lifecycle is Lifecycle.CREATED and not found.holds else found
        self.orders.save_instrument_order(opened)
        log.info("judged", order=parent.id, instrument=parent.instrument, state=opened.lifecycle.value,
                 holds=sorted(opened.holds), why=why(opened))

    def _deny(self, parent: InstrumentOrder, why: str) -> None:
        log.warning("denied", order=parent.id, instrument=parent.instrument, reason=why)
        self.orders.save_instrument_order(replace(parent.moved(Lifecycle.CLOSED, CloseReason.DENIED), reason=why))

    def _manage(self, order: BrokerOrder) -> None:
        now = self.clock.now()
        if order.lifecycle is BrokerLifecycle.INTENT:
            self.worker.send(order)
        elif needs_resolving(order, now, self.acknowledge_within):
            self._resolve(order, now)
        elif order.held:
            if self.resolver.has_vanished(order, now):
                self._lose(order, now)
        elif should_repeat_cancel(order, now):
            self._cancel_again(order, now)

    def _resolve(self, order: BrokerOrder, now: datetime) -> None:
        found = self.resolver.resolve(order, now, is_doubtful=self._is_doubtful(order))
        order = self.orders.broker_order(order.id)
        if found is Verdict.NOT_RECEIVED and not order.has_traded and order.perm_id is None:
            log.warning("order_never_received", order=order.id)
            self.orders.save_broker_order(order.advanced(BrokerLifecycle.NOT_SENT, "the broker never received it"))
            return
        if found is Verdict.UNDECIDED and order.lifecycle is not BrokerLifecycle.UNKNOWN:
            order = self.orders.save_broker_order(order.advanced(BrokerLifecycle.UNKNOWN))
        if order.lifecycle is BrokerLifecycle.UNKNOWN:
            self._lock(order, now)

    def _is_doubtful(self, order: BrokerOrder) -> bool:
        """Whether anything but this order's own fate is unexplained in its instrument."""
        return any(lock.instrument == order.instrument and lock.subject != order.id for lock in self.locks.all())

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
            self.worker.cancel(order, order.reason)

    def _lose(self, order: BrokerOrder, now: datetime) -> None:
        log.warning("order_vanished", order=order.id, perm_id=order.perm_id)
        self._lock(self.orders.save_broker_order(order.advanced(BrokerLifecycle.UNKNOWN)), now)

    def _close(self, parent: InstrumentOrder) -> int:
        closed = closed_by_children(parent, self.orders.contract_orders_of(parent.id))
        if closed is None:
            return 0
        self.orders.save_instrument_order(closed)
        if closed.kind is OrderKind.ROLL:
            self._tell_uneven(closed)
        log.info("instrument_order_closed", order=closed.id, instrument=closed.instrument,
                 reason=closed.close_reason and closed.close_reason.value, filled=closed.filled)
        return 1

    def _tell_uneven(self, roll: InstrumentOrder) -> None:
        """The lower exposure is kept, and nothing is tried again: a person decides, or the strategy on its next day."""
        legs = self.orders.contract_orders_of(roll.id)
        lots = alone(child for leg in legs if leg.spread for child in self.orders.broker_orders_of(leg.id))
        words = f"one month of a spread has traded alone: {lots}" if lots else uneven(roll, legs)
        if words:
            self.uneven.append(words)
            log.error("roll_uneven", order=roll.id, instrument=roll.instrument, reason=words,
                      effect="the strategy orders what it still wants when it decides next")


def _stored(found: Stored | Exception) -> Stored:
    """What was stored; raises what kept it from being stored."""
    if isinstance(found, Exception):
        raise found
    return found


def _family(parent: InstrumentOrder, children: Iterable[ContractOrder]) -> Spawned:
    return Spawned(parent, tuple(children))


def should_repeat_cancel(order: BrokerOrder, now: datetime) -> bool:
    """Whether a cancel went unanswered: it may never have left, and asking again is harmless."""
    asked = order.cancel_requested or order.sent  # somebody else may have asked for it
    return order.lifecycle is BrokerLifecycle.PENDING_CANCEL and asked is not None and now - asked >= REPEAT_CANCEL
