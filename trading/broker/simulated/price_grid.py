"""The prices at which a contract may trade: ticks that can depend on the price, as market rules have them. Pure.

A band begins at its edge and holds until the next one; below the first edge the first band holds. Edges lie on the
grids of both their neighbours, so that a price on the grid stays there when it crosses an edge.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from itertools import pairwise
from typing import Final

from trading.errors import ConfigError

HAIR: Final = Decimal("0.000001")  # of a tick: floats that were added up may miss the grid by so much
RULES_OF_BANDS: Final = 10_000  # rules of one plain tick have lower numbers


@dataclass(frozen=True)
class Band:
    """From `edge` on prices are multiples of `tick`."""

    edge: Decimal
    tick: Decimal


@dataclass(frozen=True)
class PriceGrid:
    """The bands, the lowest first; at least one."""

    bands: tuple[Band, ...]

    @classmethod
    def even(cls, tick: Decimal) -> "PriceGrid":
        """One tick at all prices."""
        return cls((Band(Decimal(0), tick),))

    @property
    def finest(self) -> Decimal:
        return min(band.tick for band in self.bands)

    @property
    def coarsest(self) -> Decimal:
        return max(band.tick for band in self.bands)

    @property
    def rule_id(self) -> int:
        """The number of its market rule: grids that are alike share one. For one plain tick it is made of the tick."""
        digits, exponent = self._plain_tick()
        if len(self.bands) == 1 and len(digits) == 1:
            return 1000 + 10 * exponent + digits[0]
        return RULES_OF_BANDS + zlib.crc32(repr(self.bands).encode()) % 1_000_000

    def tick_at(self, price: Decimal) -> Decimal:
        """The tick from `price` upward."""
        return next((band.tick for band in reversed(self.bands) if band.edge <= price), self.bands[0].tick)

    def conforms(self, price: Decimal) -> bool:
        """Is `price` on the grid, but for a hair?"""
        steps = price / self.tick_at(price)
        return abs(steps - steps.to_integral_value()) < HAIR

    def floor(self, price: Decimal) -> Decimal:
        """The nearest price on the grid that is not above `price`."""
        return self._rounded(price, ROUND_FLOOR)

    def ceiling(self, price: Decimal) -> Decimal:
        return self._rounded(price, ROUND_CEILING)

    def nearest(self, price: Decimal) -> Decimal:
        return self._rounded(price, ROUND_HALF_EVEN)

    def beside(self, price: Decimal, sign: int) -> Decimal:
        """The next price on the grid above `price` (`sign` 1) or below it (-1)."""
        return price + self.tick_at(price) if sign > 0 else price - self._tick_below(price)

    def _tick_below(self, price: Decimal) -> Decimal:
        return next((band.tick for band in reversed(self.bands) if band.edge < price), self.bands[0].tick)

    def _rounded(self, price: Decimal, rounding: str) -> Decimal:
        tick = self.tick_at(price)
        return (price / tick).to_integral_value(rounding=rounding) * tick

    def _plain_tick(self) -> tuple[tuple[int, ...], int]:
        _, digits, exponent = self.bands[0].tick.normalize().as_tuple()
        return digits, int(exponent)


def grid_of(ticks: Mapping[Decimal, Decimal]) -> PriceGrid:
    """The grid of `ticks` by the edges at which they begin.

    Raises:
        ConfigError: there are none, one is not positive, or an edge is off the grid of a neighbour.
    """
    bands = tuple(Band(edge, ticks[edge]) for edge in sorted(ticks))
    if not bands:
        raise ConfigError("A price grid needs at least one band, as in {0: 0.25}.")
    for band in bands:
        if not (band.tick.is_finite() and band.tick > 0 and band.edge.is_finite()):
            raise ConfigError(f"A tick of {band.tick} from {band.edge} on is none; it must be more than 0.")
    for lower, upper in pairwise(bands):
        for tick in (lower.tick, upper.tick):
            if upper.edge % tick:
                raise ConfigError(f"The band that begins at {upper.edge} does not begin on the grid of {tick}; "
                                  f"an edge must be a multiple of the ticks on both its sides.")
    return PriceGrid(bands)
