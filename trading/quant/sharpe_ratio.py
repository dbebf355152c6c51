"""Weights with the highest ratio of mean to volatility. Pure.

They lie on the frontier of mean-variance portfolios, where the tolerance of risk t that leads to them satisfies
variance = t * mean; that t is found by halving, each portfolio by the quadratic program.
"""

from dataclasses import dataclass

import numpy as np

from trading.errors import DataError
from trading.quant.arrays import Matrix, Vector
from trading.quant.optimality import cheapest
from trading.quant.quadratic_program import QuadraticProgram, solve
from trading.quant.weight_bounds import WeightBounds


class NothingToGain(DataError):
    """No weights inside the bounds have a positive mean, so no ratio is the highest."""


@dataclass(frozen=True, kw_only=True, eq=False)
class _Frontier:
    mean: Vector
    covariance: Matrix
    bounds: WeightBounds

    def weights(self, tolerance: float) -> Vector:
        return solve(QuadraticProgram(hessian=self.covariance, cost=-tolerance * self.mean,
                                      kink=np.zeros_like(self.mean), bounds=self.bounds))

    def excess(self, tolerance: float) -> float:
        """Positive below the tolerance of the highest ratio, negative above it; in units of the variance."""
        weights = self.weights(tolerance)
        variance = float(weights @ self.covariance @ weights)
        return 1 - tolerance * float(self.mean @ weights) / variance


def max_sharpe(mean: Vector, covariance: Matrix, bounds: WeightBounds) -> Vector:
    """Weights, shape (n,), inside `bounds` and with sum 1, with the highest mean per volatility.

    Args:
        mean: shape (n,), a period. covariance: shape (n, n), the same period, positive definite.

    Raises:
        NothingToGain: no allowed weights have a positive mean.
        NotSolved: see quadratic_program.
    """
    from scipy.optimize import brentq

    most = -cheapest(-mean, bounds, np.zeros_like(mean))
    if not most > 0:
        raise NothingToGain(f"The best mean that {', '.join(bounds.names[:5])} allow is {most:.3g}, which is not "
                            f"positive: no ratio to risk is the highest. Use minimum variance.")
    size = float(np.sqrt(np.trace(covariance) / len(mean)))
    frontier = _Frontier(mean=mean / size, covariance=covariance / size**2, bounds=bounds)
    upper = 1.0
    while frontier.excess(upper) > 0:
        upper *= 4
    if frontier.excess(0.0) <= 0:
        return frontier.weights(0.0)
    return frontier.weights(float(brentq(frontier.excess, 0.0, upper, xtol=1e-14 * upper, rtol=1e-14)))


def sharpe_ratio(weights: Vector, mean: Vector, covariance: Matrix) -> float:
    """Mean per volatility, both of one period."""
    return float(mean @ weights / np.sqrt(weights @ covariance @ weights))
