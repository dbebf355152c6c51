"""PortfolioWeights: the answer of an optimiser, and nothing else. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from trading.errors import DataError
from trading.quant.arrays import Vector
from trading.quant.optimality import is_feasible
from trading.quant.weight_bounds import WeightBounds


class OutsideBounds(DataError):
    """The method has one answer, and that lies outside the bounds."""


@dataclass(frozen=True, kw_only=True)
class PortfolioWeights:
    """Weights by name, fractions of capital or of risk as the method says; they sum to 1."""

    names: tuple[str, ...]
    values: tuple[float, ...]
    method: str

    def __post_init__(self) -> None:
        """Raise DataError unless each name has one finite weight and all sum to 1."""
        if len(self.names) != len(self.values) or len(set(self.names)) != len(self.names):
            raise DataError(f"{len(self.values)} weights do not fit {len(set(self.names))} names. Give each one.")
        if not abs(sum(self.values) - 1) <= 1e-8:
            raise DataError(f"The weights of {self.method} sum to {sum(self.values):g}, not 1. Divide them by that.")

    def __getitem__(self, name: str) -> float:
        """The weight of `name`."""
        return self.values[self.names.index(name)]

    def __iter__(self) -> Iterator[tuple[str, float]]:
        """Name and weight, one after the other."""
        return iter(zip(self.names, self.values, strict=True))

    def as_vector(self) -> Vector:
        """Shape (n,), in the order of the names."""
        return np.array(self.values)

    def as_series(self) -> "pd.Series[float]":
        """Names as index."""
        return pd.Series(self.values, index=list(self.names), name=self.method)


def weights_within(values: Vector, bounds: WeightBounds, method: str) -> PortfolioWeights:
    """`values` as PortfolioWeights.

    Raises:
        OutsideBounds: they break a bound; the message names where.
    """
    if not is_feasible(values, bounds):
        low, high = values < bounds.lower - 1e-8, values > bounds.upper + 1e-8
        outside = [f"{name} ({value:.4f})" for name, value, wrong in zip(bounds.names, values, low | high, strict=True)
                   if wrong]
        raise OutsideBounds(f"{method} has one answer and knows no bounds; it lies outside them for "
                            f"{', '.join(outside[:5]) or 'their sum'}. Widen the bounds, or choose a method that "
                            f"respects them.")
    return PortfolioWeights(names=bounds.names, values=tuple(float(value) for value in values), method=method)
