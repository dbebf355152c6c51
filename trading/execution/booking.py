"""What a fill does to its three orders, and which lock it calls for. Pure.

An over-fill, a fill after an ending, a fill after the proof that there could be none: always booked, since positions
are what was traded; then flagged, and locked where the reason needs a person. Nothing is ever reversed by a trade.
"""

from dataclasses import dataclass, replace

from trading.execution.broker_orders import NEVER_TRADED, BrokerOrder
from trading.execution.fills import Fill
from trading.execution.locks import Lock, LockCause
from trading.execution.order_states import FillState, Flag, fill_state
from trading.execution.orders import ContractOrder, InstrumentOrder
from trading.risk.order_kind import OrderKind


@dataclass(frozen=True, kw_only=True)
class Family:
    """A broker order with its parents."""

    broker: BrokerOrder
    contract: ContractOrder
    instrument: InstrumentOrder


def booked(family: Family, change: int, is_correction: bool, con_id: int = 0) -> Family:
    """The three orders after `change` lots more, signed, of the contract that the broker calls `con_id`."""
    broker, leg = family.broker.traded(change, con_id, is_correction=is_correction), family.contract
    flags, units = family.broker.fill_flags(broker, is_correction=is_correction), broker.filled - family.broker.filled
    flags |= _overfill(leg.quantity, leg.filled + units)  # each child may be right, and all of them together too many
    leg = replace(leg, filled=leg.filled + units, flags=leg.flags | flags)
    return Family(broker=broker, contract=leg, instrument=_parent(family.instrument, change, flags))


def _parent(order: InstrumentOrder, change: int, flags: frozenset[Flag]) -> InstrumentOrder:
    """A roll moves no lots of its instrument as a whole."""
    moved = 0 if order.kind is OrderKind.ROLL else change
    return replace(order, filled=order.filled + moved, flags=order.flags | flags)


def _overfill(quantity: int, filled: int) -> frozenset[Flag]:
    return frozenset({Flag.OVERFILL}) if fill_state(quantity, filled) is FillState.OVER else frozenset()


def lock_for(before: Family, after: Family, fill: Fill) -> Lock | None:
    """The lock that a fill of ours calls for; None when all is as it should be."""
    order, leg = after.broker, after.contract
    if order.is_overfilled:
        return _lock(order, fill, LockCause.OVERFILL, f"broker order {order.id} was for {order.quantity:+d} and has "
                                                      f"filled {_done(order)}")
    if _overfill(leg.quantity, leg.filled):
        return _lock(leg, fill, LockCause.OVERFILL, f"contract order {leg.id} was for {leg.quantity:+d} and its "
                                                    f"broker orders together have filled {leg.filled:+d}")
    if before.broker.lifecycle in NEVER_TRADED:
        return _lock(order, fill, LockCause.UNEXPECTED_FILL,
                     f"broker order {order.id} was {before.broker.lifecycle} and traded {fill.quantity:+d} after that")
    return None


def _done(order: BrokerOrder) -> str:
    if order.spread is None:
        return f"{order.filled:+d}"
    return f"{order.spread.near_filled:+d} of its near and {order.spread.far_filled:+d} of its far month"


def foreign_lock(fill: Fill) -> Lock | None:
    """The lock for what somebody else traded in an instrument of ours; None for what we do not know at all."""
    if fill.instrument is None:
        return None
    who = "the broker liquidated" if fill.is_liquidation else "somebody else traded"
    return Lock(instrument=fill.instrument, cause=LockCause.FOREIGN_FILL, subject=fill.instrument,
                reason=f"{who} {fill.quantity:+d} {fill.contract} at {fill.price}; assign it to a strategy: "
                       f"tradectl positions assign {fill.instrument} STRATEGY", opened_at=fill.at)


def _lock(order: BrokerOrder | ContractOrder, fill: Fill, cause: LockCause, reason: str) -> Lock:
    return Lock(instrument=order.instrument, cause=cause, subject=order.id, reason=reason, opened_at=fill.at)
