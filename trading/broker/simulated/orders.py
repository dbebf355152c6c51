"""Orders, executions and holdings: what the exchange knows of them. Pure."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from trading.broker.simulated.order_types import OrderType, TimeInForce


class OrderStatus(StrEnum):
    """The states that this gateway keeps; PendingCancel is only ever announced (ib_wire.md 3.1)."""

    PRE_SUBMITTED = "PreSubmitted"  # accepted, held until the exchange has it
    SUBMITTED = "Submitted"         # working
    FILLED = "Filled"
    CANCELLED = "Cancelled"         # by a client, or expired
    INACTIVE = "Inactive"           # rejected

    @property
    def is_open(self) -> bool:
        return self in (OrderStatus.PRE_SUBMITTED, OrderStatus.SUBMITTED)


class Action(StrEnum):
    BUY = "BUY"
    SELL = "SELL"

    @property
    def sign(self) -> int:
        return 1 if self is Action.BUY else -1


@dataclass(frozen=True, kw_only=True)
class Order:
    """One order as the exchange has it; `perm_id` identifies it for ever."""

    perm_id: int
    client_id: int
    order_id: int
    con_id: int
    account: str
    action: Action
    quantity: int
    order_type: OrderType
    limit_price: Decimal | None
    tif: TimeInForce
    order_ref: str
    outside_rth: bool
    status: OrderStatus
    placed_at: datetime
    active_from: datetime  # when these terms start to work: placed, modified, or the next opening
    expires_at: datetime | None
    finished_at: datetime | None = None
    filled: int = 0
    average_price: float = 0.0
    commission: float = 0.0
    commission_currency: str = ""
    reason: str = ""
    last_fill_at: datetime | None = None
    last_fill_price: float = 0.0
    aux_price: Decimal | None = None  # the stop, or how far it trails
    trail_stop: Decimal | None = None
    trailing_percent: Decimal | None = None
    limit_offset: Decimal | None = None
    triggered: bool = False
    parent_id: int = 0
    waits_for_parent: bool = False
    transmit: bool = True
    oca_group: str = ""
    oca_type: int = 0
    good_till: str = ""
    algo: str = ""
    algo_params: str = ""  # JSON: pairs
    routing: str = ""  # JSON: pairs
    conditions: str = ""  # JSON: kind and fields of each
    conditions_met: bool = True
    conditions_cancel: bool = False

    @property
    def remaining(self) -> int:
        return self.quantity - self.filled

    @property
    def is_held(self) -> bool:
        """Not at the exchange yet: its parent has not filled, or its owner has not transmitted it."""
        return self.waits_for_parent or not self.transmit


@dataclass(frozen=True, kw_only=True)
class Execution:
    """One fill; `realised` is None when it opened or enlarged a position."""

    exec_id: str
    perm_id: int
    client_id: int
    order_id: int
    con_id: int
    account: str
    action: Action
    shares: int
    price: float  # in the broker's units
    time: datetime
    commission: float
    currency: str
    realised: float | None
    order_ref: str
    cumulative: int = 0  # of its order, this fill included
    average: float = 0.0
    is_liquidation: bool = False  # the broker closed a position on its own

    @property
    def signed_shares(self) -> int:
        return self.action.sign * self.shares


@dataclass(frozen=True, kw_only=True)
class Holding:
    """A futures position; `cost` is what it cost with commissions, negative when it brought money in."""

    con_id: int
    quantity: int = 0
    cost: float = 0.0
    realised: float = 0.0

    @property
    def average_cost(self) -> float:
        """With multiplier and commission, as Interactive Brokers reports it."""
        return self.cost / self.quantity if self.quantity else 0.0

    def after(self, size: int, value: float, commission: float) -> "Holding":
        """The holding after a fill of `size` (negative when sold) worth `value` (same sign)."""
        closing = self.closing_part(size)
        closed_cost = self.cost * closing / abs(self.quantity) if closing else 0.0
        share = closing / abs(size)
        spent = value + commission
        quantity = self.quantity + size
        return Holding(con_id=self.con_id, quantity=quantity,
                       cost=self.cost - closed_cost + spent * (1 - share) if quantity else 0.0,
                       realised=self.realised - spent * share - closed_cost)

    def closing_part(self, size: int) -> int:
        """How many contracts of a fill reduce this holding."""
        return min(abs(size), abs(self.quantity)) if size * self.quantity < 0 else 0
