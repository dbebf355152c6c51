"""Orders in three tiers: what a strategy wants, which contract that is, what the broker was told. Pure.

Lots are whole numbers (positive buys), prices are Decimal on the tick grid. An order is never changed, only replaced
by a newer version; its fills are facts of their own.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from ulid import ULID


class OrderKind(StrEnum):
    """Why an order exists."""

    STRATEGY = "STRATEGY"  # a strategy's target moved outside its buffer
    ROLL = "ROLL"  # the position moves to another contract; its legs sum to zero


class Lifecycle(StrEnum):
    """Instrument and contract orders share one life."""

    OPEN = "OPEN"  # no live child
    WORKING = "WORKING"  # at least one live child
    CLOSED = "CLOSED"  # never opens again


class CloseReason(StrEnum):
    """Why a closed order ended."""

    FILLED = "FILLED"
    EXPIRED = "EXPIRED"  # its time was over before it was filled
    REJECTED = "REJECTED"  # the broker refused it
    SUPERSEDED = "SUPERSEDED"  # a newer decision took its place


@dataclass(frozen=True, kw_only=True)
class InstrumentOrder:
    """What a strategy wants to trade in an instrument."""

    id: str
    idempotency_key: str  # the decision it comes from: repeating the decision finds the same order
    account: str
    strategy: str
    instrument: str
    kind: OrderKind
    quantity: int  # 0 for a roll
    trading_day: str
    created: datetime
    roll_from: str | None = None  # contract keys, for a roll
    roll_to: str | None = None
    roll_quantity: int = 0  # position that moves
    reference_price: Decimal | None = None
    reference_contract: str | None = None
    lifecycle: Lifecycle = Lifecycle.OPEN
    close_reason: CloseReason | None = None
    next_child: int = 1
    filled: int = 0
    version: int = 0

    @property
    def residual(self) -> int:
        return self.quantity - self.filled

    @property
    def is_open(self) -> bool:
        return self.lifecycle is not Lifecycle.CLOSED


@dataclass(frozen=True, kw_only=True)
class ContractOrder:
    """One leg: so many lots of one contract."""

    id: str
    parent: str
    account: str
    strategy: str
    instrument: str
    contract: str  # key INSTRUMENT/YYYYMM00
    kind: OrderKind
    quantity: int
    trading_day: str
    created: datetime
    lifecycle: Lifecycle = Lifecycle.OPEN
    close_reason: CloseReason | None = None
    next_child: int = 1
    filled: int = 0
    version: int = 0

    @property
    def residual(self) -> int:
        return self.quantity - self.filled

    @property
    def is_open(self) -> bool:
        return self.lifecycle is not Lifecycle.CLOSED


@dataclass(frozen=True, kw_only=True)
class Decision:
    """On whose account, for which trading day and when orders are decided."""

    account: str
    trading_day: str
    now: datetime


def new_instrument_order_id() -> str:
    """Sortable by time, unique without asking anybody."""
    return f"IO-{ULID()}"


def contract_order_id(parent: InstrumentOrder) -> str:
    """Derived, so that a repeated spawn meets its own child instead of making a second one."""
    return f"{parent.id}-C{parent.next_child}"


def broker_order_id(parent: ContractOrder) -> str:
    """The order reference that the broker gets: derived from the parent, at most 40 plain characters."""
    return f"{parent.id.removeprefix('IO-')}-B{parent.next_child}"


def spawn(order: InstrumentOrder, priced_contract: str, now: datetime) -> tuple[InstrumentOrder, list[ContractOrder]]:
    """The contract orders of `order` and the order that remembers them: one leg, or two for a roll."""
    legs = [(priced_contract, order.quantity)]
    if order.kind is OrderKind.ROLL:
        assert order.roll_from is not None
        assert order.roll_to is not None
        legs = [(order.roll_from, -order.roll_quantity), (order.roll_to, order.roll_quantity)]
    children = []
    for contract, quantity in legs:
        children.append(ContractOrder(
            id=contract_order_id(order), parent=order.id, account=order.account, strategy=order.strategy,
            instrument=order.instrument, contract=contract, kind=order.kind, quantity=quantity,
            trading_day=order.trading_day, created=now))
        order = replace(order, next_child=order.next_child + 1)
    return replace(order, lifecycle=Lifecycle.WORKING), children


def closed_by_children(order: InstrumentOrder, children: list[ContractOrder]) -> InstrumentOrder | None:
    """`order` closed, once every child is; None while one is open."""
    if not children or any(child.is_open for child in children):
        return None
    reasons = {child.close_reason for child in children}
    reason = CloseReason.FILLED
    if reasons != {CloseReason.FILLED}:
        reason = CloseReason.REJECTED if CloseReason.REJECTED in reasons else CloseReason.EXPIRED
    return replace(order, lifecycle=Lifecycle.CLOSED, close_reason=reason)
