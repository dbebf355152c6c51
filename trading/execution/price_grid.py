"""Prices on the grid of a contract, rounded the way that is meant, inside a collar. Decimal only; any sign. Pure.

Passive prices never cross by rounding, aggressive ones never miss by it (orders_and_risk.md 5.2). A binary fraction
of a tick once cost an order: 0.0010500000000000002 was refused (pysystemtrade issue 1660).
"""

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from trading.errors import DataError


@dataclass(frozen=True, kw_only=True)
class PriceGrid:
    """Multiples of `tick`, from `low` to `high`; a bound that is None does not bind."""

    tick: Decimal
    low: Decimal | None = None
    high: Decimal | None = None

    def __post_init__(self) -> None:
        if not (self.tick.is_finite() and self.tick > 0):
            raise DataError(f"A tick of {self.tick} is no price step. Run: tradectl run update_futures_contracts")

    def passive(self, price: Decimal, quantity: int) -> Decimal:
        """The nearest price that does not cross: down for a purchase, up for a sale."""
        return self._inside(self._rounded(price, up=quantity < 0))

    def aggressive(self, price: Decimal, quantity: int) -> Decimal:
        """The nearest price that does not miss: up for a purchase, down for a sale."""
        return self._inside(self._rounded(price, up=quantity > 0))

    def holds(self, price: Decimal) -> bool:
        """Whether `price` is on the grid and inside its bounds."""
        return price.is_finite() and price % self.tick == 0 and self._inside(price) == price

    def _rounded(self, price: Decimal, *, up: bool) -> Decimal:
        if not price.is_finite():
            raise DataError(f"{price} is no price. Nothing is sent until there is one.")
        return (price / self.tick).to_integral_value(ROUND_CEILING if up else ROUND_FLOOR) * self.tick

    def _inside(self, price: Decimal) -> Decimal:
        """Into the bounds, and then onto the grid inwards."""
        if self.high is not None and price > self.high:
            return self._rounded(self.high, up=False)
        if self.low is not None and price < self.low:
            return self._rounded(self.low, up=True)
        return price
