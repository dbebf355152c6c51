"""How much better than these weights could any others be? A bound that needs no solver, so that none must be believed.

Pure. For a convex cost f the linear part at w bounds the gain: f(w) - f(v) <= g(w)'(w - v), g the gradient. The best v
for that linear part is found by filling the cheapest weights first.
Source: Frank and Wolfe (1956), "An algorithm for quadratic programming"; the bound vanishes exactly where the
conditions of Karush, Kuhn and Tucker hold.
"""

import numpy as np

from trading.quant.arrays import Vector
from trading.quant.weight_bounds import WeightBounds

FEASIBLE = 1e-8


def is_feasible(weights: Vector, bounds: WeightBounds) -> bool:
    """Whether `weights` sum to 1 and lie inside `bounds`, to 1e-8."""
    inside = np.all((weights >= bounds.lower - FEASIBLE) & (weights <= bounds.upper + FEASIBLE))
    return bool(np.all(np.isfinite(weights)) and inside and abs(float(np.sum(weights)) - 1) <= FEASIBLE)


def largest_gain(weights: Vector, gradient: Vector, bounds: WeightBounds, kink: Vector | None = None) -> float:
    """A bound on how much the cost could fall below that of `weights`; never negative but for rounding.

    Args:
        gradient: of the smooth part of the cost at `weights`, shape (n,).
        kink: the cost also has a term sum(kink * |w|), kink >= 0; none when omitted.
    """
    kink = np.zeros_like(weights) if kink is None else kink
    here = float(gradient @ weights + kink @ np.abs(weights))
    return here - cheapest(gradient, bounds, kink)


def cheapest(cost: Vector, bounds: WeightBounds, kink: Vector) -> float:
    """The least of cost'v + kink'|v| over weights v inside the bounds that sum to 1."""
    negative = np.minimum(bounds.upper, 0.0) - np.minimum(bounds.lower, 0.0)
    positive = np.maximum(bounds.upper, 0.0) - np.maximum(bounds.lower, 0.0)
    prices = np.concatenate([cost - kink, cost + kink])
    order = np.argsort(prices, kind="stable")
    room = np.concatenate([negative, positive])[order]
    before = np.concatenate([[0.0], np.cumsum(room)[:-1]])
    taken = np.clip(1 - float(np.sum(bounds.lower)) - before, 0.0, room)
    return float(cost @ bounds.lower + kink @ np.abs(bounds.lower) + prices[order] @ taken)
