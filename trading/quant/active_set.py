"""The last digits of weights that a solver found: the same set of weights at their bounds, solved exactly.

Pure. Works in units of volatility, where the matrix is a correlation matrix and rounding does least harm. Weights that
turn out to be at the wrong bound change sides, until nothing changes; if that never comes, there is no answer.
Source: the primal-dual active set method, Hintermüller, Ito and Kunisch (2002), SIAM Journal on Optimization 13(3).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from trading.quant.arrays import Flags, Matrix, Vector
from trading.quant.weight_bounds import WeightBounds

ROUNDS: Final = 60
NEAR: Final = 1e-7    # nearer than this to a bound, a weight is taken to be at it
RIDGE: Final = 1e-11  # for instruments that are copies of others; how their weight is split is arbitrary
SLACK: Final = 1e-12  # a slope this small, relative to its own terms, is rounding


@dataclass(frozen=True, kw_only=True, eq=False)
class _Problem:
    """In units of volatility: z = w / unit, with the sum unit'z = 1."""

    hessian: Matrix
    cost: Vector
    kink: Vector
    lower: Vector
    upper: Vector
    unit: Vector


def finished(weights: Vector, hessian: Matrix, cost: Vector, kink: Vector, bounds: WeightBounds) -> Vector | None:
    """The exact least of w'Hw/2 + cost'w + kink'|w| that `weights` are near to; None when it is not found.

    Args:
        weights: shape (n,), nearly feasible and nearly best.
        hessian, cost, kink, bounds: the problem, as in QuadraticProgram.
    """
    from scipy.linalg import LinAlgError

    deviations = np.sqrt(np.diag(hessian))
    if not np.all(np.isfinite(weights)) or not np.all(deviations > 0):
        return None
    unit = 1 / deviations
    problem = _Problem(hessian=hessian * np.outer(unit, unit), cost=cost * unit, kink=kink * unit,
                       lower=bounds.lower / unit, upper=bounds.upper / unit, unit=unit)
    try:
        found = _settled(_starting_sides(weights, bounds, kink), problem)
    except LinAlgError:
        return None
    return None if found is None else np.clip(found * unit, bounds.lower, bounds.upper)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Sides:
    """For each weight: free or held at `place`; `sign` is the side of zero on which a free one pays its kink."""

    free: Flags
    place: Vector
    sign: Vector


def _starting_sides(weights: Vector, bounds: WeightBounds, kink: Vector) -> _Sides:
    place, free = np.zeros_like(weights), np.ones(len(weights), dtype=bool)
    size = max(float(np.max(np.abs(weights))), 1e-300)
    for value, where in ((np.zeros_like(weights), kink > 0), (bounds.lower, np.isfinite(bounds.lower)),
                         (bounds.upper, np.isfinite(bounds.upper))):
        near = where & (np.abs(weights - np.where(where, value, 0.0)) <= NEAR * size)
        place, free = np.where(near, value, place), free & ~near
    return _Sides(free=free, place=place, sign=np.where(weights < 0, -1.0, 1.0))


def _settled(sides: _Sides, problem: _Problem) -> Vector | None:
    place = np.where(sides.free, 0.0, sides.place / problem.unit)
    sides = _Sides(free=sides.free, place=place, sign=sides.sign)
    for _ in range(ROUNDS):
        solved = _solved(sides, problem)
        if solved is None:
            return None
        values, price = solved
        after = _moved(sides, values, price, problem)
        if after is None:
            return values
        sides = after
    return None


def _solved(sides: _Sides, problem: _Problem) -> tuple[Vector, float] | None:
    """Weights and the price of the sum, with the held ones where they are; None when that is not possible."""
    from scipy.linalg import cho_solve

    free, values = np.flatnonzero(sides.free), sides.place.copy()
    missing = 1 - float(problem.unit @ values)
    if len(free) == 0:
        slopes = problem.hessian @ values + problem.cost
        return (values, _price_when_all_are_held(sides, values, slopes, problem)) if abs(missing) < 1e-9 else None
    factor = _factor(problem.hessian[np.ix_(free, free)])
    pull = problem.cost[free] + (problem.kink * sides.sign)[free] + problem.hessian[free] @ values
    sums, rest = cho_solve(factor, problem.unit[free]), cho_solve(factor, pull)
    price = (missing + float(problem.unit[free] @ rest)) / float(problem.unit[free] @ sums)
    values[free] = price * sums - rest
    return values, price


def _factor(curvature: Matrix) -> tuple[Matrix, bool]:
    """Of a matrix with a unit diagonal; with a ridge when it is singular but for rounding."""
    from scipy.linalg import LinAlgError, cho_factor

    try:
        factor, lower = cho_factor(curvature, lower=True)
        if np.min(np.diag(factor)) ** 2 > RIDGE:
            return factor, lower
    except LinAlgError:
        pass
    factor, lower = cho_factor(curvature + RIDGE * np.eye(len(curvature)), lower=True)
    return factor, lower


def _price_when_all_are_held(sides: _Sides, values: Vector, slopes: Vector, problem: _Problem) -> float:
    """Any price between what the ones that could rise ask and what the ones that could fall offer."""
    rising, falling = _slopes_each_way(sides, values, slopes, problem)
    asks = (rising / problem.unit)[values < problem.upper]
    offers = (falling / problem.unit)[values > problem.lower]
    edges = [float(part) for part, some in ((np.min(asks, initial=np.inf), len(asks)),
                                            (np.max(offers, initial=-np.inf), len(offers))) if some]
    return sum(edges) / len(edges) if edges else 0.0


def _slopes_each_way(sides: _Sides, values: Vector, slopes: Vector, problem: _Problem) -> tuple[Vector, Vector]:
    """How the cost changes when a weight rises, and when it falls (as a slope: negative when it then costs more)."""
    up = np.where(sides.free, sides.sign, np.where(values >= 0, 1.0, -1.0))
    down = np.where(sides.free, sides.sign, np.where(values > 0, 1.0, -1.0))
    return slopes + problem.kink * up, slopes + problem.kink * down


def _moved(sides: _Sides, values: Vector, price: float, problem: _Problem) -> _Sides | None:
    """The sides after everything that is wrong with `values` has moved; None when nothing is."""
    floor = np.where((problem.kink > 0) & (sides.sign > 0), np.maximum(problem.lower, 0.0), problem.lower)
    ceiling = np.where((problem.kink > 0) & (sides.sign < 0), np.minimum(problem.upper, 0.0), problem.upper)
    low, high = sides.free & (values < floor), sides.free & (values > ceiling)
    slopes = problem.hessian @ values + problem.cost
    slack = SLACK * (np.abs(problem.hessian) @ np.abs(values) + np.abs(problem.cost) + abs(price) * problem.unit)
    rising, falling = _slopes_each_way(sides, values, slopes, problem)
    rise = ~sides.free & (values < problem.upper) & (rising - price * problem.unit < -slack)
    fall = ~sides.free & (values > problem.lower) & (falling - price * problem.unit > slack) & ~rise
    if not np.any(low | high | rise | fall):
        return None
    place = np.where(low, floor, np.where(high, ceiling, sides.place))
    sign = np.where(rise, np.where(sides.place >= 0, 1.0, -1.0), np.where(fall, np.where(sides.place > 0, 1.0, -1.0),
                                                                           sides.sign))
    free = (sides.free & ~low & ~high) | rise | fall
    return _Sides(free=free, place=np.where(free, 0.0, place), sign=sign)
