"""How small and how large each weight may be, when together they must be worth 1. Pure.

What cannot be satisfied is refused here, before anything is solved: a solver would only say that it failed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from trading.errors import DataError
from trading.quant.arrays import Vector

ROUNDING = 1e-12  # ten weights of a tenth are worth 1


class InfeasibleBounds(DataError):
    """No weights that are worth 1 lie inside the bounds."""


@dataclass(frozen=True, kw_only=True, eq=False)
class WeightBounds:
    """Lowest and highest weight of each name, as fractions of capital; a negative weight is a short position."""

    names: tuple[str, ...]
    lower: Vector
    upper: Vector

    def __post_init__(self) -> None:
        """Raise InfeasibleBounds unless some weights inside the bounds are worth 1 together."""
        if len(set(self.names)) != len(self.names):
            raise InfeasibleBounds(f"A name is there twice in {', '.join(self.names)}. Give each its own.")
        if not len(self.names) == len(self.lower) == len(self.upper) or not self.names:
            raise InfeasibleBounds(f"{len(self.names)} names have {len(self.lower)} lower and {len(self.upper)} upper "
                                   f"bounds. Give one of each for each name.")
        crossed = [name for name, low, high in zip(self.names, self.lower, self.upper, strict=True) if not low <= high]
        if crossed:
            raise InfeasibleBounds(f"The lower bound lies above the upper one, or one is missing, for "
                                   f"{', '.join(crossed)}. Swap or mend them.")
        least, most = float(np.sum(self.lower)), float(np.sum(self.upper))
        if least > 1 + ROUNDING or most < 1 - ROUNDING:
            raise InfeasibleBounds(self._cannot_be_worth_one(least, most))

    def _cannot_be_worth_one(self, least: float, most: float) -> str:
        which, total, do = ("lower", least, "Lower them") if least > 1 else ("upper", most, "Raise them")
        return (f"The {which} bounds of {len(self.names)} weights sum to {total:g} (lower to {least:g}, upper to "
                f"{most:g}), but the weights must sum to 1. {do}, or change the number of instruments.")

    @property
    def may_short(self) -> bool:
        """Whether any weight may be negative."""
        return bool(np.any(self.lower < 0))

    def some_weights(self) -> Vector:
        """Weights inside the bounds that sum to 1: each goes the same share of the way from its lower to its upper."""
        lower, upper = np.clip(self.lower, -1e6, 1e6), np.clip(self.upper, -1e6, 1e6)
        room = float(np.sum(upper - lower))
        share = (1 - float(np.sum(lower))) / room if room > 0 else 0.0
        return np.clip(lower + share * (upper - lower), self.lower, self.upper)


def bounds_for(names: Sequence[str], lower: float | Mapping[str, float] = 0.0,
               upper: float | Mapping[str, float] = 1.0) -> WeightBounds:
    """The same bounds for all names, or those of a mapping that has each of them.

    Raises:
        InfeasibleBounds: see WeightBounds; or a mapping lacks a name.
    """
    return WeightBounds(names=tuple(names), lower=_each(names, lower), upper=_each(names, upper))


def _each(names: Sequence[str], bound: float | Mapping[str, float]) -> Vector:
    if not isinstance(bound, Mapping):
        return np.full(len(names), float(bound))
    lacking = [name for name in names if name not in bound]
    if lacking:
        raise InfeasibleBounds(f"No bound is given for {', '.join(lacking)}. Give one, or one number for all.")
    return np.array([bound[name] for name in names], dtype=float)
