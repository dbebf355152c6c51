"""Orders, books and locks in memory, by the same pure rules and with the same refusals as the real store.

What must happen together happens in one `write`, the place where a test may let a worker die.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from trading.errors import ConcurrentUpdate, NotFound, TradingError
from trading.execution.adjustments import Adjustment, Movement, Positions, fold
from trading.execution.booking import Family, booked, foreign_lock, lock_for
from trading.execution.broker_orders import BrokerOrder
from trading.execution.fills import EXTERNAL, Commission, Fill, FillStatus, Merge, busted, merged
from trading.execution.locks import Lock, LockCause, reasons_of
from trading.execution.order_ids import child_number
from trading.execution.orders import ContractOrder, InstrumentOrder
from trading.execution.ports import Intent, Spawned
from trading.risk.order_kind import OrderKind

Order = TypeVar("Order", InstrumentOrder, ContractOrder, BrokerOrder)
Answer = TypeVar("Answer")
Thing = TypeVar("Thing")


class TooManyLots(TradingError):
    """As the real store's."""


@dataclass
class MemoryStore:
    """What is durable."""

    instrument: dict[str, InstrumentOrder] = field(default_factory=dict)
    contract: dict[str, ContractOrder] = field(default_factory=dict)
    broker: dict[str, BrokerOrder] = field(default_factory=dict)
    fills: dict[str, Fill] = field(default_factory=dict)
    locks: dict[str, Lock] = field(default_factory=dict)
    adjustments: list[Adjustment] = field(default_factory=list)
    movements: list[Movement] = field(default_factory=list)  # as they were added to the materialised positions

    def write(self, effect: Callable[[], Answer]) -> Answer:
        """One durable step: all of `effect`, or nothing of it."""
        return effect()

    def put(self, tier: dict[str, Order], order: Order) -> Order:
        """Write against the version that was read.

        Raises:
            ConcurrentUpdate: somebody wrote since.
        """
        stored = tier.get(order.id)
        if (stored.version if stored else 0) != order.version:
            raise ConcurrentUpdate(f"order {order.id}", order.version)
        tier[order.id] = replace(order, version=order.version + 1)
        return tier[order.id]

    @property
    def positions(self) -> Positions:
        return fold(self.movements)

    @property
    def rebuilt(self) -> Positions:
        """Folded from every fill and adjustment, as the real books do it."""
        known = [each for each in self.fills.values() if each.instrument is not None]
        return fold([*(Movement(contract=each.contract, strategy=each.strategy, instrument=each.instrument or "",
                                lots=each.quantity) for each in known),
                     *(Movement(contract=entry.contract, strategy=entry.strategy, instrument=entry.instrument,
                                lots=entry.lots) for each in self.adjustments for entry in each.entries)])


@dataclass(frozen=True)
class Grouped:
    """Broker orders by parent."""

    orders: dict[str, list[BrokerOrder]]

    def of(self, parent: str) -> list[BrokerOrder]:
        return self.orders[parent]


@dataclass
class MemoryOrders:
    """The port of the order stacks."""

    store: MemoryStore

    def add_instrument_order(self, order: InstrumentOrder) -> InstrumentOrder | None:
        if any(each.idempotency_key == order.idempotency_key for each in self.store.instrument.values()):
            return None
        return self.store.write(lambda: self.store.put(self.store.instrument, order))

    def open_instrument_orders(self) -> list[InstrumentOrder]:
        return [each for _, each in sorted(self.store.instrument.items()) if each.is_open]

    def open_contract_orders(self) -> list[ContractOrder]:
        return [each for _, each in sorted(self.store.contract.items()) if each.is_open]

    def parents_of_open_legs(self) -> set[str]:
        return {each.parent for each in self.open_contract_orders()}

    def live_broker_orders(self) -> list[BrokerOrder]:
        return [each for _, each in sorted(self.store.broker.items()) if each.may_be_alive]

    def contract_orders_of(self, parent: str) -> list[ContractOrder]:
        return [each for _, each in sorted(self.store.contract.items()) if each.parent == parent]

    def broker_orders_of(self, parent: str) -> list[BrokerOrder]:
        found = [each for each in self.store.broker.values() if each.parent == parent]
        return sorted(found, key=lambda each: child_number(each.id))

    def broker_orders_under(self, parents: Collection[str]) -> Grouped:
        return Grouped({parent: self.broker_orders_of(parent) for parent in parents})

    def instrument_order(self, order_id: str) -> InstrumentOrder:
        return self.store.instrument[order_id]

    def contract_order(self, order_id: str) -> ContractOrder:
        return self.store.contract[order_id]

    def broker_order(self, order_id: str) -> BrokerOrder:
        if order_id not in self.store.broker:
            raise NotFound(f"There is no broker order {order_id}.")
        return self.store.broker[order_id]

    def find_broker_order(self, reference: str, perm_id: int, ib_order_id: int, epoch: str) -> BrokerOrder | None:
        """By our reference, then by permId, then by the handle of its connection."""
        if reference in self.store.broker:
            return self.store.broker[reference]
        known = list(self.store.broker.values())
        found = [each for each in known if perm_id and each.perm_id == perm_id]
        found += [each for each in known if ib_order_id and (each.ib_order_id, each.epoch) == (ib_order_id, epoch)]
        return found[0] if found else None

    def spawned_all(self, families: Sequence[Spawned]) -> list[Exception | None]:
        def effect(family: Spawned) -> None:
            self.store.put(self.store.instrument, family.parent)
            for child in family.children:
                self.store.put(self.store.contract, child)
        return self._together(effect, families)

    def add_broker_orders(self, intents: Sequence[Intent]) -> list[BrokerOrder | Exception]:
        def effect(intent: Intent) -> BrokerOrder:
            parent, order = intent
            committed = sum(each.committed for each in self.broker_orders_of(parent.id))
            available = parent.available(committed)
            if order.quantity * available < 0 or abs(order.quantity) > abs(available):
                raise TooManyLots(f"{order.id}: {available:+d} of {parent.id} are left")
            self.store.put(self.store.contract, parent)
            return self.store.put(self.store.broker, order)
        return self._together(effect, intents)

    def _together(self, effect: Callable[[Thing], Answer], things: Sequence[Thing]) -> list[Answer | Exception]:
        """All in one durable step, or, when one of them is refused, each in its own."""
        def alone(thing: Thing) -> Answer | Exception:
            try:
                return self.store.write(lambda: effect(thing))
            except (ConcurrentUpdate, TooManyLots) as error:
                return error
        try:
            return [*self.store.write(lambda: [effect(thing) for thing in things])]
        except (ConcurrentUpdate, TooManyLots):
            return [alone(thing) for thing in things]

    def save_broker_order(self, order: BrokerOrder) -> BrokerOrder:
        return self.store.write(lambda: self.store.put(self.store.broker, order))

    def save_contract_order(self, order: ContractOrder) -> None:
        self.store.write(lambda: self.store.put(self.store.contract, order))

    def save_instrument_order(self, order: InstrumentOrder) -> None:
        self.store.write(lambda: self.store.put(self.store.instrument, order))


@dataclass
class MemoryBooks:
    """The port of the books. The two rules are the real ones unless a test puts an old mistake back."""

    store: MemoryStore
    merged: Callable[[Fill | None, Fill], Merge] = merged
    booked: Callable[[Family, int, bool, int], Family] = booked

    def apply(self, heard: Sequence[Fill | Commission]) -> list[bool]:
        return [self.apply_fill(each) if isinstance(each, Fill)
                else self.apply_commission(each.id, each.amount, each.currency) for each in heard]

    def apply_fill(self, fill: Fill) -> bool:
        return self.store.write(lambda: self._apply(fill))

    def bust(self, fill_id: str) -> bool:
        known = self.store.fills[fill_id]
        if known.status is FillStatus.BUSTED:
            return False
        self.store.write(lambda: self._book(known, busted(known)))
        return True

    def adjust(self, adjustment: Adjustment) -> None:
        def effect() -> None:
            if all(each.id != adjustment.id for each in self.store.adjustments):
                self.store.adjustments.append(adjustment)
                self.store.movements += [Movement(contract=each.contract, strategy=each.strategy, lots=each.lots,
                                                  instrument=each.instrument) for each in adjustment.entries]
        self.store.write(effect)

    def apply_commission(self, fill_id: str, amount: Decimal, currency: str) -> bool:
        def effect() -> bool:
            fill = self.store.fills.get(fill_id)
            if fill is None or (fill.commission, fill.commission_currency) == (amount, currency):
                return False
            self.store.fills[fill_id] = replace(fill, commission=amount, commission_currency=currency)
            if fill.broker_order is not None:
                order = self.store.broker[fill.broker_order]
                total = (order.commission or Decimal(0)) + amount - (fill.commission or Decimal(0))
                self.store.put(self.store.broker, replace(order, commission=total, commission_currency=currency))
            return True
        return self.store.write(effect)

    def contract_positions(self) -> dict[str, int]:
        return dict(self.store.positions.contracts)

    def _apply(self, fill: Fill) -> bool:
        known = self.store.fills.get(fill.id)
        merge = self.merged(known, fill)
        if merge.conflict and fill.instrument is not None:
            self._lock(Lock(instrument=fill.instrument, cause=LockCause.CONFLICT, subject=fill.id,
                            reason=merge.conflict, opened_at=fill.at))
        if merge.is_news:
            self._book(known, merge)
        return merge.is_news

    def _book(self, known: Fill | None, merge: Merge) -> None:
        fill = merge.fill
        if fill.broker_order is None:
            self._book_foreign(merge)
            return
        before = self._family(fill.broker_order)
        if known is None and not before.broker.owns(fill):
            stranger = replace(fill, broker_order=None, strategy=EXTERNAL, status=FillStatus.QUARANTINED)
            self._book_foreign(replace(merge, fill=stranger))
            return
        self.store.fills[fill.id] = before.broker.owned(fill)
        after = self.booked(before, merge.change, known is not None, fill.con_id) if merge.change else before
        if merge.change:
            self.store.put(self.store.broker, after.broker)
            self.store.put(self.store.contract, after.contract)
            self.store.put(self.store.instrument, after.instrument)
        self._move(self.store.fills[fill.id], merge.change)
        self._lock(lock_for(before, after, fill))

    def _book_foreign(self, merge: Merge) -> None:
        self.store.fills[merge.fill.id] = merge.fill
        if merge.fill.instrument is not None:
            self._move(merge.fill, merge.change)
        if merge.change:
            self._lock(foreign_lock(merge.fill))

    def _move(self, fill: Fill, change: int) -> None:
        if change:
            self.store.movements.append(Movement(contract=fill.contract, strategy=fill.strategy, lots=change,
                                                 instrument=fill.instrument or ""))

    def _lock(self, lock: Lock | None) -> None:
        if lock is not None:
            self.store.locks.setdefault(lock.id, lock)

    def _family(self, broker_order: str) -> Family:
        broker = self.store.broker[broker_order]
        leg = self.store.contract[broker.parent]
        return Family(broker=broker, contract=leg, instrument=self.store.instrument[leg.parent])


@dataclass
class MemoryLocks:
    """The port of the instrument locks."""

    store: MemoryStore

    def all(self) -> list[Lock]:
        return list(self.store.locks.values())

    def reasons(self) -> dict[str, str]:
        return dict(reasons_of(self.all()))

    def lock(self, lock: Lock) -> bool:
        def effect() -> bool:
            is_new = lock.id not in self.store.locks
            self.store.locks.setdefault(lock.id, lock)
            return is_new
        return self.store.write(effect)

    def unlock(self, lock_id: str, reason: str, now: datetime) -> None:
        self.store.write(lambda: self.store.locks.pop(lock_id, None))


def a_decision(order_id: str, quantity: int, now: datetime, **changes: Any) -> InstrumentOrder:
    """A decision of strategy `s` for SP500."""
    values: dict[str, Any] = {
        "id": order_id, "idempotency_key": order_id, "account": "DU1", "strategy": "s", "instrument": "SP500",
        "kind": OrderKind.STRATEGY, "quantity": quantity, "trading_day": "2026-03-02", "created": now} | changes
    return InstrumentOrder(**values)
