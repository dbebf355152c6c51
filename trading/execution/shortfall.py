"""What an order cost against the price that it was decided at, in parts that sum to the whole. Pure, exact.

Cost > 0 is bad, in every part. s is +1 for a purchase and -1 for a sale, Q the lots ordered, q_j those that child j
filled at average price P_j, D the price of the decision, A0 the mid when the first child was made, A_j and S_j the mid
and the far side when child j was, E the price at which the unfilled lots are valued, M money per point and lot in the
base currency, C all fees:

    delay s M q (A0 - D) | timing s M sum q_j (A_j - A0) | half-spread s M sum q_j (S_j - A_j)
    execution s M sum q_j (P_j - S_j) | opportunity s M (Q - q)(E - D) | fees C

A part that takes a price nobody knew is None, never 0; a part of no lots costs exactly nothing. The total is computed
for itself, so that their sum proves it. Source: orders_and_risk.md 5.5 (S-15, P-20, V27); Perold (1988), "The
implementation shortfall", Journal of Portfolio Management 14(3).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from enum import StrEnum
from typing import Final

from trading.errors import DataError
from trading.execution.quotes import Touch

EXACT: Final = Context(prec=120, rounding=ROUND_HALF_EVEN)  # a sum of products of our numbers never needs so many
ZERO: Final = Decimal(0)


class Part(StrEnum):
    """Who or what a cost belongs to."""

    DELAY = "delay"  # data and scheduling
    TIMING = "timing"  # how the algo spread the order over time
    HALF_SPREAD = "half-spread"  # the market
    EXECUTION = "execution"  # price improvement, or impact
    OPPORTUNITY = "opportunity"  # what was not filled
    FEES = "fees"  # broker and exchange
    TOTAL = "total"


PARTS: Final = tuple(Part)
SUMMANDS: Final = PARTS[:-1]
Costs = Mapping[Part, Decimal | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Traded:
    """Lots at a price; signed, a sale is negative."""

    lots: int
    price: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class Child:
    """One broker order: the quote when it was made, None if nobody saw a usable one, and what it filled."""

    quote: Touch | None
    fills: tuple[Traded, ...]

    @property
    def lots(self) -> int:
        """Signed."""
        return sum(fill.lots for fill in self.fills)

    @property
    def paid(self) -> Decimal:
        """Sum of lots times price, signed as the lots are."""
        return sum((fill.lots * fill.price for fill in self.fills), ZERO)


@dataclass(frozen=True, kw_only=True, slots=True)
class Trade:
    """One order for `quantity` signed lots, in one contract, with all its children, oldest first."""

    quantity: int
    children: tuple[Child, ...]
    money_per_point: Decimal | None  # base currency for a point and a lot
    decided: Decimal | None  # D, of this contract
    unfilled_at: Decimal | None = None  # E
    fees: Decimal | None = ZERO  # C, base currency; None: some are not known yet

    def __post_init__(self) -> None:
        if self.quantity == 0:
            raise DataError("An order for no lots has no cost. Leave it out.")
        if any(fill.lots * self.quantity < 0 for child in self.children for fill in child.fills):
            raise DataError(f"An order for {self.quantity:+d} lots has a fill of the other side. Such a fill is "
                            f"nobody's: it is booked as external, and costs this order nothing.")

    @property
    def filled(self) -> int:
        """Signed lots."""
        return sum(child.lots for child in self.children)


def costs(trade: Trade) -> dict[Part, Decimal | None]:
    """Every part and the total, in base currency; None for a part that takes a price that was not known."""
    with localcontext(EXACT):
        points = point_costs(trade)
        money = {part: None if value is None or trade.money_per_point is None else value * trade.money_per_point
                 for part, value in points.items()}
        unfeed = money[Part.TOTAL]
        return money | {Part.FEES: trade.fees,
                        Part.TOTAL: None if unfeed is None or trade.fees is None else unfeed + trade.fees}


def point_costs(trade: Trade) -> dict[Part, Decimal | None]:
    """The same in points times lots, before fees; the lots carry the sign of the order, so no other is needed."""
    with localcontext(EXACT):
        return {Part.DELAY: _moved(trade.filled, trade.decided, arrival(trade)),
                Part.TIMING: _sum(_moved(child.lots, arrival(trade), mid(child)) for child in trade.children),
                Part.HALF_SPREAD: _sum(_moved(child.lots, mid(child), _far(child, trade.quantity))
                                       for child in trade.children),
                Part.EXECUTION: _sum(_paid_over(child, _far(child, trade.quantity)) for child in trade.children),
                Part.OPPORTUNITY: _moved(trade.quantity - trade.filled, trade.decided, trade.unfilled_at),
                Part.TOTAL: _whole(trade)}


def arrival(trade: Trade) -> Decimal | None:
    """A0: the mid when the first child was made."""
    return mid(trade.children[0]) if trade.children else None


def mid(child: Child) -> Decimal | None:
    """A_j; a crossed quote, or one of two zeros, is none."""
    return None if child.quote is None or not child.quote.is_sane else child.quote.mid


def summed(found: Sequence[Costs]) -> dict[Part, Decimal | None]:
    """Part by part over several orders; a part that one of them does not know is not known of them all."""
    with localcontext(EXACT):
        return {part: _sum(each[part] for each in found) for part in PARTS}


def _whole(trade: Trade) -> Decimal | None:
    """s [sum q_j (P_j - D) + (Q - q)(E - D)], not by way of the parts."""
    filled = _sum(_paid_over(child, trade.decided) for child in trade.children)
    left = _moved(trade.quantity - trade.filled, trade.decided, trade.unfilled_at)
    return _sum((filled, left))


def _far(child: Child, quantity: int) -> Decimal | None:
    """S_j: the price that we would have had to take."""
    return None if child.quote is None or not child.quote.is_sane else child.quote.far(quantity)


def _moved(lots: int, old: Decimal | None, new: Decimal | None) -> Decimal | None:
    if lots == 0:
        return ZERO
    return None if old is None or new is None else lots * (new - old)


def _paid_over(child: Child, price: Decimal | None) -> Decimal | None:
    if child.lots == 0:
        return ZERO
    return None if price is None else child.paid - child.lots * price


def _sum(values: Iterable[Decimal | None]) -> Decimal | None:
    """None as soon as one is."""
    total = ZERO
    for value in values:
        if value is None:
            return None
        total += value
    return total
