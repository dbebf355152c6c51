"""What one contract order cost, from its broker orders and fills: every part in every unit, and how it went. Pure.

Lots, prices and signs are those of trading.execution.shortfall: cost > 0 is bad in every unit. Units are per ordered
lot, so that the parts add up in each of them. Only what counts is counted: busted and foreign fills cost nobody here.
Source: orders_and_risk.md 5.5; pysystemtrade.md 2.9 (whose figures have the other sign, and P-20 no lots).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal, localcontext
from enum import StrEnum
from typing import Final

from trading.execution.broker_orders import BrokerOrder
from trading.execution.fills import Fill, FillStatus
from trading.execution.order_ids import child_number
from trading.execution.order_states import ExecutionStyle
from trading.execution.orders import ContractOrder
from trading.execution.shortfall import (
    EXACT,
    PARTS,
    ZERO,
    Costs,
    Part,
    Trade,
    arrival,
    costs,
    point_costs,
)
from trading.risk.order_kind import OrderKind

MARKS: Final = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30))


class Unit(StrEnum):
    """How a cost is told; all but CURRENCY per ordered lot."""

    CURRENCY = "currency"  # base currency, the whole order
    POINTS = "points"
    TICKS = "ticks"
    BPS = "bps"  # of the notional at the decision, or on arrival
    SIGMA_D = "sigma_d"  # of a day's standard deviation
    HALF_SPREADS = "half-spreads"  # execution: 0 paid the far side, -1 the mid, -2 our own side


@dataclass(frozen=True, kw_only=True)
class Yardsticks:
    """What one contract's costs are measured with; None for what is not known.

    `rates` turn a currency into the base currency. `decided` is the price of the decision moved to this contract,
    `unfilled_at` the price at which lots are valued that were not filled (the mid at the deadline, or the close), and
    `mid_at` gives the mid at or soon after an instant.
    """

    multiplier: Decimal
    currency: str
    rates: Mapping[str, Decimal]
    tick: Decimal | None = None
    sigma_d: Decimal | None = None
    decided: Decimal | None = None
    decided_at: datetime | None = None
    unfilled_at: Decimal | None = None
    mid_at: Callable[[datetime, timedelta], Decimal | None] = field(default=lambda _at, _within: None)


@dataclass(frozen=True, kw_only=True)
class OrderCost:
    """One contract order: its costs, and how it was worked."""

    order: str
    instrument: str
    contract: str
    strategy: str
    kind: OrderKind
    algo: str
    trading_day: str
    quantity: int  # signed
    filled: int
    points: Costs  # lots times points, without fees
    money: Costs  # base currency, fees and total with them
    units: Mapping[Unit, Decimal]  # points times lots that make one of a unit; a unit that is missing is not known
    money_per_point: Decimal | None
    started_at: datetime | None  # when the first broker order was sent
    decision_to_intent: timedelta | None
    intent_to_sent: timedelta | None
    sent_to_fill: timedelta | None  # the first one
    time_to_fill: timedelta | None  # from the first sending to the last fill
    passive_share: float | None  # of the filled lots, those at our own side of the quote or better
    changes_per_fill: float | None
    mark_outs: Mapping[timedelta, Decimal | None]  # points a filled lot; positive: the market went our way afterwards

    @property
    def fill_ratio(self) -> float:
        return self.filled / self.quantity

    @property
    def missing(self) -> tuple[Part, ...]:
        """The parts that are not known."""
        return tuple(part for part in PARTS if self.money[part] is None)

    def in_unit(self, unit: Unit) -> Costs:
        """All parts in `unit`; None where a part or the yardstick is not known."""
        if unit is Unit.CURRENCY:
            return self.money
        one = self.units.get(unit)
        return {part: None if one is None or value is None else value / one
                for part, value in self._lot_points().items()}

    @property
    def trading_points(self) -> Decimal | None:
        """What the backtest calls slippage: from the mid on arrival to the fills, lots times points."""
        parts = [self.points[part] for part in (Part.TIMING, Part.HALF_SPREAD, Part.EXECUTION)]
        known = [part for part in parts if part is not None]
        return sum(known, ZERO) if len(known) == len(parts) else None

    def _lot_points(self) -> Costs:
        fees, each = self.money[Part.FEES], self.money_per_point
        in_points = None if fees is None or not each else fees / each
        whole = self.points[Part.TOTAL]
        return {**self.points, Part.FEES: in_points,
                Part.TOTAL: None if whole is None or in_points is None else whole + in_points}


def order_cost(leg: ContractOrder, orders: Sequence[BrokerOrder], fills: Sequence[Fill],
               market: Yardsticks) -> OrderCost:
    """The costs of `leg`, from all its broker orders and their fills.

    Raises:
        DataError: a fill that counts is of the other side of the order.
    """
    orders = sorted(orders, key=lambda order: child_number(order.id))
    fills = sorted((fill for fill in fills if fill.status is FillStatus.ACTIVE), key=lambda fill: fill.at)
    trade = trade_of(leg.quantity, orders, fills, market)
    judged = fills if leg.spread is None else [unit for order in orders for unit in order.fills_among(fills)]
    sent = [order.sent for order in orders if order.sent is not None]
    started, first = min(sent, default=None), orders[0].created if orders else None
    at = [fill.at for fill in fills]
    with localcontext(EXACT):
        return OrderCost(
            order=leg.id, instrument=leg.instrument, contract=leg.contract, strategy=leg.strategy, kind=leg.kind,
            algo=_algo(leg), trading_day=leg.trading_day, quantity=leg.quantity, filled=trade.filled,
            points=point_costs(trade), money=costs(trade), units=_units(trade, market),
            money_per_point=trade.money_per_point, started_at=started,
            decision_to_intent=_between(market.decided_at, first), intent_to_sent=_between(first, started),
            sent_to_fill=_between(started, at[0] if at else None),
            time_to_fill=_between(started, at[-1] if at else None), passive_share=_passive_share(orders, judged),
            changes_per_fill=sum(order.changes for order in orders) / len(fills) if fills else None,
            mark_outs={after: _mark_out(judged, after, market) for after in MARKS})


def trade_of(quantity: int, orders: Sequence[BrokerOrder], fills: Sequence[Fill], market: Yardsticks) -> Trade:
    """The numbers of a shortfall, from what is stored."""
    rate = market.rates.get(market.currency)
    return Trade(quantity=quantity, children=tuple(order.worked(fills) for order in orders), decided=market.decided,
                 money_per_point=None if rate is None else market.multiplier * rate,
                 unfilled_at=market.unfilled_at, fees=_fees(fills, market.rates))


def _fees(fills: Sequence[Fill], rates: Mapping[str, Decimal]) -> Decimal | None:
    """In base currency; None while a commission, or the rate of its currency, is not known."""
    total = ZERO
    for fill in fills:
        rate = rates.get(fill.commission_currency or "")
        if fill.commission is None or rate is None:
            return None
        total += fill.commission * rate
    return total


def _units(trade: Trade, market: Yardsticks) -> dict[Unit, Decimal]:
    price = trade.decided if trade.decided is not None else arrival(trade)
    half = point_costs(trade)[Part.HALF_SPREAD]
    lots = abs(trade.quantity)
    found = {Unit.POINTS: Decimal(lots), Unit.TICKS: lots * (market.tick or ZERO),
             Unit.SIGMA_D: lots * (market.sigma_d or ZERO), Unit.BPS: lots * abs(price or ZERO) / 10_000,
             Unit.HALF_SPREADS: half or ZERO}
    return {unit: one for unit, one in found.items() if one}


def _passive_share(orders: Sequence[BrokerOrder], fills: Sequence[Fill]) -> float | None:
    touches = {order.id: order.quote for order in orders}
    judged = [(fill, touch) for fill in fills if fill.broker_order in touches
              and (touch := touches[fill.broker_order]) is not None and touch.is_sane]
    lots = sum(abs(fill.quantity) for fill, _ in judged)
    if not lots or len(judged) < sum(fill.broker_order in touches for fill in fills):
        return None
    return sum(abs(fill.quantity) for fill, touch in judged
               if (fill.price - touch.own(fill.quantity)) * fill.quantity <= 0) / lots


def _mark_out(fills: Sequence[Fill], after: timedelta, market: Yardsticks) -> Decimal | None:
    """s (mid afterwards - P), averaged over the filled lots; None when one of the mids is not known."""
    gained = ZERO
    for fill in fills:
        later = market.mid_at(fill.at + after, after)
        if later is None:
            return None
        gained += fill.quantity * (later - fill.price)
    lots = sum(fill.quantity for fill in fills)
    return gained / abs(lots) if lots else None


def _algo(leg: ContractOrder) -> str:
    return str(leg.algo["style"]) if leg.algo is not None else ExecutionStyle(leg.style).value


def _between(start: datetime | None, end: datetime | None) -> timedelta | None:
    return None if start is None or end is None else end - start
