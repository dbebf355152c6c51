"""Orders in three tiers: what a strategy wants, which contract that is, what the broker was told. Pure.

Lots are whole numbers (positive buys), prices are Decimal on the tick grid. An order is never changed, only replaced
by a newer version; its fills are facts of their own. Nothing here sends, stores or reads a clock.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from trading.errors import TradingError
from trading.execution.broker_orders import BrokerOrder
from trading.execution.broker_terms import BrokerTerms
from trading.execution.documents import Document, from_document, to_document
from trading.execution.order_generators.buffered import WantedBuffer, buffered_trade
from trading.execution.order_generators.wanted_trades import Allowed, Standing
from trading.execution.order_ids import broker_order_id, child_number, contract_order_id
from trading.execution.order_states import (
    CloseReason,
    ExecutionStyle,
    FillState,
    Flag,
    Hold,
    Lifecycle,
    check_change,
    fill_state,
)
from trading.execution.spreads import Spread
from trading.risk.exposure import Holding
from trading.risk.order_kind import OrderKind
from trading.risk.position_limits import limited


class WrongQuantity(TradingError):
    """Lots that no order can have, or parts that do not add up to their whole."""


@dataclass(frozen=True, kw_only=True)
class StoredCheck:
    """One control's answer, as it is kept with the order: which, what it said, and the number that decided."""

    control: str
    outcome: str
    quantity: int
    sentence: str
    at: datetime
    number: str | None = None
    limit: str | None = None


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
    target: int | None = None  # quantity = target - held - working, at the moment of the decision
    held: int | None = None
    working: int | None = None
    contract: str | None = None  # the one to trade; None: where the roll state says
    style: ExecutionStyle = ExecutionStyle.BEST
    limit_price: Decimal | None = None
    limit_contract: str | None = None  # a price always names the contract that it refers to
    reduce_only: bool = False
    valid_until: datetime | None = None
    roll_from: str | None = None  # contract keys, for a roll
    roll_to: str | None = None
    roll_quantity: int = 0  # position that moves
    as_spread: bool = False  # a roll, by the spread of its months instead of an order in each
    reference_price: Decimal | None = None
    reference_contract: str | None = None
    reference_at: datetime | None = None
    created_by: str = ""
    reason: str = ""  # in the words of the person who asked for it
    lifecycle: Lifecycle = Lifecycle.OPEN
    close_reason: CloseReason | None = None
    holds: frozenset[Hold] = frozenset()
    flags: frozenset[Flag] = frozenset()
    checks: tuple[StoredCheck, ...] = ()
    next_child: int = 1
    filled: int = 0
    version: int = 0
    chain: str = ""  # the digest of its newest event

    def __post_init__(self) -> None:
        _refuse_odd_lots(self.id, self.quantity, zero_is_allowed=self.kind is OrderKind.ROLL)

    @property
    def residual(self) -> int:
        """Lots that are still wanted; an over-fill leaves none, for nothing is ever reversed by a trade."""
        return still_wanted(self.quantity, self.filled)

    @property
    def is_open(self) -> bool:
        return self.lifecycle is not Lifecycle.CLOSED

    @property
    def is_unjudged(self) -> bool:
        """Whether it is an order that a person has made, and that no control has seen yet."""
        return self.lifecycle is Lifecycle.CREATED and not self.checks and not self.holds

    @property
    def fill_state(self) -> FillState:
        return fill_state(self.quantity, self.filled)

    def moved(self, new: Lifecycle, reason: CloseReason | None = None) -> "InstrumentOrder":
        """The order in its new state.

        Raises:
            InvalidOrderChange: CHANGES does not list this change.
        """
        check_change(self.id, self.lifecycle, new)
        return replace(self, lifecycle=new, close_reason=reason or self.close_reason)

    def should_create_order(self, wanted: WantedBuffer | None, allowed: Allowed) -> bool:
        """Whether the buffer and what is allowed ask for this trade: its side, and no lot more.

        What was held and what worked are those of the decision (S-23: the buffer lies around what is wanted).

        Raises:
            WrongQuantity: the order does not say what was held when it was decided.
        """
        if self.held is None:
            raise WrongQuantity(f"Order {self.id} does not say what was held when it was decided, so nobody can say "
                                f"whether it should be. Ask of an order that a strategy has decided.")
        trade = buffered_trade(wanted, Standing(held=self.held, working=self.working or 0), allowed).trade
        return trade * self.quantity > 0 and abs(self.quantity) <= abs(trade)

    def apply_position_limits(self, holding: Holding, limit: int | None) -> "InstrumentOrder | None":
        """The order with as many lots as `limit` leaves, never more and never of the other side; None for none.

        Args:
            holding: the position and all our working lots, without those of this order (S-26).
            limit: lots either way; None: nobody has set one, and only what reduces is left.
        """
        lots = limited(self.quantity, holding.position, holding.working_buys, holding.working_sells, limit)
        return replace(self, quantity=lots) if lots else None

    def create_child_contract_orders(self, lots: Mapping[str, int], now: datetime
                                     ) -> "tuple[InstrumentOrder, list[ContractOrder]]":
        """The orders for `lots` of each contract, and the order that remembers them.

        Raises:
            WrongQuantity: the parts do not sum to the order, or one of them is zero.
        """
        if sum(lots.values()) != self.quantity:
            raise WrongQuantity(f"Order {self.id} is for {self.quantity:+d}, its parts "
                                f"{', '.join(f'{each:+d} {key}' for key, each in lots.items()) or 'none'} sum to "
                                f"{sum(lots.values()):+d}; nothing was made.")
        order, children = self, []
        for contract, quantity in lots.items():
            children.append(_child(order, contract, quantity, now))
            order = replace(order, next_child=order.next_child + 1)
        return order.moved(Lifecycle.WORKING), children

    def as_dict(self) -> Document:
        """All fields as plain values."""
        return to_document(self)

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> "InstrumentOrder":
        """What `as_dict` gave; raises Unreadable for anything else."""
        return from_document(cls, document)


@dataclass(frozen=True, kw_only=True)
class ContractOrder:
    """One leg: so many lots of one contract, or units of a spread of two."""

    id: str
    parent: str
    account: str
    strategy: str
    instrument: str
    contract: str  # key INSTRUMENT/YYYYMM00, of a spread INSTRUMENT/YYYYMM00-YYYYMM00
    kind: OrderKind
    quantity: int
    trading_day: str
    created: datetime
    style: ExecutionStyle = ExecutionStyle.BEST
    limit_price: Decimal | None = None
    reduce_only: bool = False
    spread: Spread | None = None  # of which `quantity` counts the units, and `contract` is the key
    reference_price: Decimal | None = None  # of this contract
    deadline: datetime | None = None
    algo: dict[str, Any] | None = None  # its name and state, to go on with after a restart
    lifecycle: Lifecycle = Lifecycle.OPEN
    close_reason: CloseReason | None = None
    holds: frozenset[Hold] = frozenset()
    flags: frozenset[Flag] = frozenset()
    checks: tuple[StoredCheck, ...] = ()
    next_child: int = 1
    filled: int = 0
    version: int = 0
    chain: str = ""  # the digest of its newest event

    def __post_init__(self) -> None:
        _refuse_odd_lots(self.id, self.quantity, zero_is_allowed=False)

    @property
    def residual(self) -> int:
        """Lots that are still wanted; an over-fill leaves none, for nothing is ever reversed by a trade."""
        return still_wanted(self.quantity, self.filled)

    def lots_in(self, contract: str, units: int) -> int:
        """Signed lots of `contract` in so many signed lots of the order, or units of its spread."""
        if self.spread is not None:
            return self.spread.lots_of(contract, units)
        return units if contract == self.contract else 0

    @property
    def is_open(self) -> bool:
        return self.lifecycle is not Lifecycle.CLOSED

    @property
    def fill_state(self) -> FillState:
        return fill_state(self.quantity, self.filled)

    def moved(self, new: Lifecycle, reason: CloseReason | None = None) -> "ContractOrder":
        """The order in its new state.

        Raises:
            InvalidOrderChange: CHANGES does not list this change.
        """
        check_change(self.id, self.lifecycle, new)
        return replace(self, lifecycle=new, close_reason=reason or self.close_reason)

    def approved(self) -> "ContractOrder":
        """The order that a person lets go on: its algo begins anew."""
        return replace(self, holds=self.holds - {Hold.APPROVAL}, algo=None)

    def available(self, committed: int) -> int:
        """Lots that may still be sent when `committed` (signed) may be alive at the broker; 0 rather than too many.

        What is filled and what may be alive never exceed the order (orders_and_risk.md I-a).
        """
        return still_wanted(self.quantity, self.filled + committed)

    def create_broker_orders(self, lots: Sequence[int], committed: int,
                             terms: BrokerTerms) -> "tuple[ContractOrder, list[BrokerOrder]]":
        """A broker order for each of `lots` (signed), and the order that counts them.

        Args:
            committed: signed lots that may be alive at the broker already.

        Raises:
            WrongQuantity: there are none, together they are more than is left, or one is of no lots or the other side.
            InvalidOrderChange: the order ends, and nothing new is sent for it.
        """
        left = self.available(committed)
        are_ours = bool(lots) and all(type(each) is int and each * self.quantity > 0 for each in lots)
        if not are_ours or abs(sum(lots)) > abs(left):
            raise WrongQuantity(f"Order {self.id} has {left:+d} lots left that are not filled or alive at the broker; "
                                f"broker orders for {', '.join(map(str, lots)) or 'nothing'} were not made.")
        order, children = self.moved(Lifecycle.WORKING), []
        for each in lots:
            children.append(_broker_order(order, each, terms))
            order = replace(order, next_child=order.next_child + 1)
        return order, children

    def as_dict(self) -> Document:
        """All fields as plain values."""
        return to_document(self)

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> "ContractOrder":
        """What `as_dict` gave; raises Unreadable for anything else."""
        return from_document(cls, document)


@dataclass(frozen=True, kw_only=True)
class Decision:
    """On whose account, for which trading day and when orders are decided."""

    account: str
    trading_day: str
    now: datetime


def still_wanted(quantity: int, done: int) -> int:
    """What of `quantity` is left when `done` is: of its sign, or 0."""
    left = quantity - done
    return left if left * quantity > 0 else 0


def spawn(order: InstrumentOrder, priced_contract: str, now: datetime,
          spread: Spread | None = None) -> tuple[InstrumentOrder, list[ContractOrder]]:
    """The contract orders of `order` and the order that remembers them: one leg, or two for a roll.

    Args:
        spread: of the months of a roll that goes by it, and then has one leg.
    """
    if order.kind is not OrderKind.ROLL:
        return order.create_child_contract_orders({priced_contract: order.quantity}, now)
    assert order.roll_from is not None
    assert order.roll_to is not None
    if spread is not None:
        leg = replace(_child(order, spread.key, order.roll_quantity, now), spread=spread)
        return replace(order.moved(Lifecycle.WORKING), next_child=order.next_child + 1), [leg]
    return order.create_child_contract_orders(
        {order.roll_from: -order.roll_quantity, order.roll_to: order.roll_quantity}, now)


def _child(order: InstrumentOrder, contract: str, quantity: int, now: datetime) -> ContractOrder:
    """Children inherit whose they are and how they are worked."""
    return ContractOrder(
        id=contract_order_id(order), parent=order.id, account=order.account, strategy=order.strategy,
        instrument=order.instrument, contract=contract, kind=order.kind, quantity=quantity, style=order.style,
        reduce_only=order.reduce_only, trading_day=order.trading_day, created=now, deadline=order.valid_until,
        limit_price=order.limit_price if order.limit_contract in (None, contract) else None,
        reference_price=order.reference_price if order.reference_contract == contract.rpartition("/")[2] else None)


def _broker_order(leg: ContractOrder, lots: int, terms: BrokerTerms) -> BrokerOrder:
    return BrokerOrder(
        id=broker_order_id(leg), parent=leg.id, account=leg.account, strategy=leg.strategy, instrument=leg.instrument,
        contract=leg.contract, kind=leg.kind, quantity=lots, trading_day=leg.trading_day, con_id=terms.con_id,
        exchange=terms.exchange, order_type=terms.order_type, time_in_force=terms.time_in_force,
        limit_price=terms.limit_price, bid=terms.touch.bid, ask=terms.touch.ask, mid=terms.touch.mid, tick=terms.tick,
        collar=terms.collar, created=terms.created, adaptive=terms.adaptive, good_till=terms.good_till,
        spread=leg.spread)


def front_and_forward(legs: Iterable[ContractOrder]) -> tuple[ContractOrder, ContractOrder]:
    """The two legs of a roll, in the order in which `spawn` makes them."""
    front, forward = sorted(legs, key=lambda leg: child_number(leg.id))
    return front, forward


def closed_by_children(order: InstrumentOrder, children: list[ContractOrder]) -> InstrumentOrder | None:
    """`order` closed, once every child is; None while one is open."""
    if not children or any(child.is_open for child in children):
        return None
    return order.moved(Lifecycle.CLOSED, _reason_of({child.close_reason for child in children}))


def _reason_of(reasons: set[CloseReason | None]) -> CloseReason:
    """What ended a parent: filled only if every child is, else the gravest ending among them."""
    if reasons == {CloseReason.FILLED}:
        return CloseReason.FILLED
    gravest = (CloseReason.ERROR, CloseReason.DENIED, CloseReason.REJECTED, CloseReason.CANCELLED)
    return next((each for each in gravest if each in reasons), CloseReason.EXPIRED)


def _refuse_odd_lots(order: str, quantity: object, zero_is_allowed: bool) -> None:
    if type(quantity) is not int:
        raise WrongQuantity(f"Order {order} is for {quantity!r} lots; lots are whole numbers.")
    if quantity == 0 and not zero_is_allowed:
        raise WrongQuantity(f"Order {order} is for no lots; only a roll is. Nothing was made.")
