"""Orders, executions and what follows from them: holdings and cash. Pure.

Executions are the one source of truth: positions and cash are always the fold of all executions, so a restart
cannot lose or invent any. A book is changed only by `Book.apply`, and only after the changes are on disk.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from trading.broker.simulated.listing import BAG, CASH, ContractFacts
from trading.broker.simulated.order_types import OrderType, TimeInForce

FIRST_PERM_ID: Final = 1_824_933_227


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


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What one event does to the book: written to disk in one transaction, then applied."""

    orders: tuple[Order, ...] = ()
    executions: tuple[Execution, ...] = ()
    contracts: tuple[ContractFacts, ...] = ()


@dataclass
class Book:
    """All orders and executions, and the holdings and cash that follow from them."""

    orders: dict[int, Order] = field(default_factory=dict)
    executions: list[Execution] = field(default_factory=list)
    contracts: dict[int, ContractFacts] = field(default_factory=dict)
    holdings: dict[int, Holding] = field(default_factory=dict)
    cash_flows: dict[str, float] = field(default_factory=dict)
    fills_of: dict[int, list[Execution]] = field(default_factory=dict)
    _perm_ids: dict[tuple[int, int], int] = field(default_factory=dict)
    _highest_ids: dict[int, int] = field(default_factory=dict)

    def apply(self, changes: Changes) -> None:
        for facts in changes.contracts:
            self.contracts[facts.con_id] = facts
        for order in changes.orders:
            self._enter(order)
        for execution in changes.executions:
            self._book(execution)

    def order_of(self, client_id: int, order_id: int) -> Order | None:
        perm_id = self._perm_ids.get((client_id, order_id))
        return None if perm_id is None else self.orders[perm_id]

    def open_orders(self) -> list[Order]:
        return [order for order in self.orders.values() if order.status.is_open]

    def next_order_id(self, client_id: int) -> int:
        """Greater than every id that the client ever used; never goes back."""
        return self._highest_ids.get(client_id, 0) + 1

    def next_perm_id(self) -> int:
        return max(self.orders, default=FIRST_PERM_ID - 1) + 1

    def next_exec_id(self, part: int = 1) -> str:
        """`part` counts the rows of one fill: the combination, then its legs (ib_wire.md 2.8)."""
        return f"0000e0d5.{len(self.executions) + 1:08x}.{part:02d}.01"

    def holding(self, con_id: int) -> Holding:
        return self.holdings.get(con_id, Holding(con_id=con_id))

    def open_holdings(self) -> list[Holding]:
        return [holding for holding in self.holdings.values() if holding.quantity]

    def cash(self) -> dict[str, float]:
        """Cash a currency, on top of the starting cash: what flowed, with open futures back at their cost."""
        cash = dict(self.cash_flows)
        for holding in self.open_holdings():
            currency = self.contracts[holding.con_id].currency
            cash[currency] = cash.get(currency, 0.0) + holding.cost
        return cash

    def _enter(self, order: Order) -> None:
        self.orders[order.perm_id] = order
        self._perm_ids[(order.client_id, order.order_id)] = order.perm_id
        self._highest_ids[order.client_id] = max(self._highest_ids.get(order.client_id, 0), order.order_id)

    def effective(self) -> list[Execution]:
        """The fills that count: of each its newest revision, in the order of the first ones."""
        newest: dict[str, Execution] = {}
        for fill in self.executions:
            known = newest.get(base_of(fill.exec_id))
            if known is None or revision_of(fill.exec_id) >= revision_of(known.exec_id):
                newest[base_of(fill.exec_id)] = fill
        return list(newest.values())

    def move_ids(self, by: int) -> None:
        """Order ids go on from further ahead, or from further back, as after some restarts of the real gateway.

        An id that is given again names the new order; the old one is known by its permanent id only.
        """
        for client, highest in self._highest_ids.items():
            self._highest_ids[client] = max(0, highest + by)
        self._perm_ids = {key: perm_id for key, perm_id in self._perm_ids.items()
                          if key[1] <= self._highest_ids[key[0]]}

    def _book(self, execution: Execution) -> None:
        self.executions.append(execution)
        if revision_of(execution.exec_id) > 1:
            self._fold_again()
            return
        self.fills_of.setdefault(execution.con_id, []).append(execution)
        self._fold(execution)

    def _fold_again(self) -> None:
        """A correction changes the past; averages cannot be undone, so everything is added up anew."""
        self.holdings.clear()
        self.cash_flows.clear()
        self.fills_of.clear()
        for fill in self.effective():
            self.fills_of.setdefault(fill.con_id, []).append(fill)
            if fill.shares:
                self._fold(fill)

    def _fold(self, execution: Execution) -> None:
        facts = self.contracts[execution.con_id]
        if facts.sec_type == BAG:
            return  # its legs are booked
        value = execution.signed_shares * execution.price * facts.point_value
        self._flow(facts.currency, -value - execution.commission)
        if facts.sec_type == CASH:
            self._flow(facts.symbol, execution.signed_shares)
        else:
            held = self.holding(facts.con_id)
            self.holdings[facts.con_id] = held.after(execution.signed_shares, value, execution.commission)

    def _flow(self, currency: str, amount: float) -> None:
        self.cash_flows[currency] = self.cash_flows.get(currency, 0.0) + amount


def base_of(exec_id: str) -> str:
    """What all revisions of one fill have in common."""
    return exec_id.rpartition(".")[0]


def revision_of(exec_id: str) -> int:
    return int(exec_id.rpartition(".")[2])


def book_of(contracts: Iterable[ContractFacts], orders: Iterable[Order], executions: Iterable[Execution]) -> Book:
    """The book that a history leads to."""
    book = Book()
    book.apply(Changes(contracts=tuple(contracts), orders=tuple(orders), executions=tuple(executions)))
    return book
