"""Orders of ours that our store has lost, since it was restored from a backup: made anew from what the broker tells.

Their ids are derived, so the reference at the broker names all three tiers. Whose they were is known only if a parent
of theirs is still in the store; else they are nobody's, and end: what works at the broker is taken back. Pure.
Source: orders_and_risk.md 4.2, B2.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from trading.execution.booking import Family
from trading.execution.broker_orders import BrokerLifecycle, BrokerOrder
from trading.execution.fills import EXTERNAL, Fill
from trading.execution.order_ids import child_number, is_ours, leg_of, story_of
from trading.execution.order_states import Flag, Lifecycle
from trading.execution.orders import ContractOrder, InstrumentOrder
from trading.execution.reconciliation.broker_view import BrokerView, Part, SeenOrder, is_unknown, reference_of
from trading.execution.reconciliation.our_view import OurView
from trading.risk.order_kind import OrderKind

_NEEDED = (Part.OPEN_ORDERS, Part.COMPLETED_ORDERS, Part.EXECUTIONS)


@dataclass(frozen=True, kw_only=True)
class LostOrder:
    """What the broker tells of one; `quantity` in signed lots, `fills` the ids of those that our books have of it."""

    reference: str
    account: str
    contract: str
    con_id: int
    quantity: int
    trading_day: str
    at: datetime  # when it was noticed
    fills: tuple[str, ...] = ()
    limit: Decimal | None = None
    order_type: str = ""
    time_in_force: str = ""
    exchange: str = ""
    epoch: str | None = None  # None: it no longer works at the broker
    ib_order_id: int | None = None
    perm_id: int | None = None

    @property
    def instrument(self) -> str:
        return self.contract.rpartition("/")[0]


def lost_orders(ours: OurView, theirs: BrokerView) -> list[LostOrder]:
    """Those in known contracts that work at the broker, or that have traded. None while it did not tell of all."""
    if not theirs.knows(*_NEEDED):
        return []
    traded = _traded(ours)
    found = {seen.reference: _working(seen, traded.get(seen.reference, []), ours, theirs)
             for seen in theirs.open_orders if _is_lost(seen, ours)}
    found |= {reference: _ended(reference, fills, ours, theirs) for reference, fills in traded.items()
              if reference not in found and _lots(fills) != 0 and len({fill.contract for fill in fills}) == 1}
    return [found[reference] for reference in sorted(found)]


def _lots(fills: list[Fill]) -> int:
    return sum(fill.quantity for fill in fills)


def _is_lost(seen: SeenOrder, ours: OurView) -> bool:
    is_known = bool(seen.lots) and bool(seen.side) and not is_unknown(seen.contract)
    return seen.is_working and is_known and is_ours(seen.reference) and ours.order(seen.reference) is None


def _traded(ours: OurView) -> dict[str, list[Fill]]:
    """Fills under references of ours that no order has, by reference."""
    found: dict[str, list[Fill]] = {}
    for fill in ours.strangers:
        reference = reference_of(fill.reference)
        if is_ours(reference) and fill.contract is not None and ours.order(reference) is None:
            found.setdefault(reference, []).append(fill)
    return found


def _working(seen: SeenOrder, fills: list[Fill], ours: OurView, theirs: BrokerView) -> LostOrder:
    assert seen.lots is not None
    return LostOrder(
        reference=seen.reference, account=theirs.account, contract=seen.contract, con_id=seen.con_id,
        quantity=seen.side * seen.lots, trading_day=ours.today.isoformat(), at=ours.at,
        fills=tuple(fill.id for fill in fills), limit=seen.limit, order_type=seen.order_type,
        time_in_force=seen.time_in_force, exchange=seen.exchange, epoch=theirs.epoch,
        ib_order_id=seen.ib_order_id or None, perm_id=seen.perm_id or None)


def _ended(reference: str, fills: list[Fill], ours: OurView, theirs: BrokerView) -> LostOrder:
    """Of one that no longer works only its fills are known: it was for as many lots at least."""
    first = fills[0]
    assert first.contract is not None
    return LostOrder(
        reference=reference, account=theirs.account, contract=first.contract, con_id=first.con_id,
        quantity=_lots(fills), trading_day=first.trading_day, at=ours.at,
        fills=tuple(fill.id for fill in fills), perm_id=first.perm_id or None)


def rebuilt(lost: LostOrder, instrument: InstrumentOrder | None, leg: ContractOrder | None) -> Family:
    """All three tiers of `lost`, without what it has filled: those that the store still has, and others made anew."""
    parent = _joined(instrument, lost) if instrument is not None else _instrument_order(lost)
    child = _counted(leg, lost) if leg is not None else _contract_order(lost, parent)
    return Family(broker=_broker_order(lost, child), contract=child, instrument=parent)


def _instrument_order(lost: LostOrder) -> InstrumentOrder:
    order = story_of(lost.reference)
    return InstrumentOrder(
        id=order, idempotency_key=f"rebuilt {order}", account=lost.account, strategy=EXTERNAL,
        instrument=lost.instrument, kind=OrderKind.EXTERNAL, quantity=lost.quantity, trading_day=lost.trading_day,
        created=lost.at, created_by="reconciliation", reason="rebuilt from what the broker tells of it",
        lifecycle=Lifecycle.CLOSING, flags=frozenset({Flag.REBUILT}), next_child=_next_leg(lost))


def _joined(order: InstrumentOrder, lost: LostOrder) -> InstrumentOrder:
    """One that is known, with another child; one that was rebuilt for a sibling is for the lots of both."""
    counted = replace(order, next_child=max(order.next_child, _next_leg(lost)), flags=order.flags | {Flag.REBUILT})
    if order.kind is OrderKind.EXTERNAL:
        lots = order.quantity + lost.quantity
        is_roll = lots == 0  # one month closed, another one opened
        return replace(counted, quantity=lots, kind=OrderKind.ROLL if is_roll else order.kind,
                       filled=0 if is_roll else order.filled)
    return counted.moved(Lifecycle.WORKING) if order.lifecycle is Lifecycle.OPEN else counted


def _contract_order(lost: LostOrder, parent: InstrumentOrder) -> ContractOrder:
    return ContractOrder(
        id=leg_of(lost.reference), parent=parent.id, account=lost.account, strategy=parent.strategy,
        instrument=lost.instrument, contract=lost.contract, kind=parent.kind, quantity=lost.quantity,
        trading_day=lost.trading_day, created=lost.at, lifecycle=Lifecycle.CLOSING, flags=frozenset({Flag.REBUILT}),
        next_child=child_number(lost.reference) + 1)


def _counted(leg: ContractOrder, lost: LostOrder) -> ContractOrder:
    counted = replace(leg, next_child=max(leg.next_child, child_number(lost.reference) + 1),
                      flags=leg.flags | {Flag.REBUILT})
    if leg.kind in (OrderKind.EXTERNAL, OrderKind.ROLL) and leg.strategy == EXTERNAL:
        return replace(counted, quantity=leg.quantity + lost.quantity)
    return counted.moved(Lifecycle.WORKING) if leg.lifecycle is Lifecycle.OPEN else counted


def _broker_order(lost: LostOrder, leg: ContractOrder) -> BrokerOrder:
    """Acknowledged, since the broker tells of it; its fills or its next report say what became of it."""
    return BrokerOrder(
        id=lost.reference, parent=leg.id, account=lost.account, strategy=leg.strategy, instrument=lost.instrument,
        contract=lost.contract, con_id=lost.con_id, exchange=lost.exchange, kind=leg.kind, quantity=lost.quantity,
        order_type=lost.order_type, limit_price=lost.limit, time_in_force=lost.time_in_force, bid=None, ask=None,
        trading_day=lost.trading_day, created=lost.at, lifecycle=BrokerLifecycle.ACKED, epoch=lost.epoch,
        ib_order_id=lost.ib_order_id, perm_id=lost.perm_id, flags=frozenset({Flag.REBUILT}),
        reason="our store had lost it; rebuilt from what the broker tells of it")


def _next_leg(lost: LostOrder) -> int:
    return child_number(leg_of(lost.reference)) + 1


def orphans(ours: OurView) -> Iterator[Fill]:
    """Fills of orders that were rebuilt, and that are nobody's."""
    yield from (fill for fill in ours.fills if fill.strategy == EXTERNAL and not fill.is_foreign)
