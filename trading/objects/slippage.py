"""What one trade cost against the prices of the moment, in parts (pysystemtrade.md 2.9). Pure.

All in price points; negative is bad for us. None: a price that it takes was not known.
"""

import math
from dataclasses import dataclass

from trading.errors import DataError


@dataclass(frozen=True, kw_only=True)
class TradePrices:
    """What was seen around one filled order. `quantity` is signed, + bought; `side` is the price we could trade at."""

    quantity: int
    mid: float | None
    side: float | None
    filled: float
    reference: float | None = None  # when the decision was made
    limit: float | None = None
    parent_limit: float | None = None

    def __post_init__(self) -> None:
        prices = (self.mid, self.side, self.filled, self.reference, self.limit, self.parent_limit)
        if self.quantity == 0:
            raise DataError("A trade of no lots has no slippage. Leave it out.")
        if not all(price is None or math.isfinite(price) for price in prices):
            raise DataError(f"A price of the trade is no number: {self}. Write None for what is not known.")


@dataclass(frozen=True, kw_only=True)
class Slippage:
    """The parts. `trading` is bid_ask and execution together."""

    delay: float | None  # from the decision to the order: the reference against the mid
    bid_ask: float | None  # half of the spread: the mid against the side
    execution: float | None  # what the algorithm won or lost: the side against the fill
    trading: float | None  # the mid against the fill
    versus_limit: float | None
    versus_parent_limit: float | None


def slippage(prices: TradePrices) -> Slippage:
    """The slippage of one trade, part by part."""
    sign = 1 if prices.quantity > 0 else -1
    return Slippage(delay=_won(sign, prices.reference, prices.mid), bid_ask=_won(sign, prices.mid, prices.side),
                    execution=_won(sign, prices.side, prices.filled), trading=_won(sign, prices.mid, prices.filled),
                    versus_limit=_won(sign, prices.limit, prices.filled),
                    versus_parent_limit=_won(sign, prices.parent_limit, prices.filled))


def _won(sign: int, expected: float | None, got: float | None) -> float | None:
    return None if expected is None or got is None else sign * (expected - got)
