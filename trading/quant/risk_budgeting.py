"""Weights at which each instrument contributes an agreed share of the risk. Pure.

Source: Spinu (2013), "An algorithm for computing risk parity weights": the minimum of w'Sw/2 - sum(budget * log w) is
the answer but for its size, and Newton's method finds it from anywhere when its steps are damped.
"""

from typing import Final

import numpy as np

from trading.errors import DataError
from trading.quant.arrays import Matrix, Vector
from trading.quant.quadratic_program import NotSolved

STEPS: Final = 200
NEAR_ENOUGH: Final = 1e-13  # of each share of the risk


def risk_budget_weights(covariance: Matrix, budget: Vector | None = None) -> Vector:
    """Positive weights, shape (n,), sum 1; all contribute alike when no budget is given.

    Args:
        covariance: shape (n, n), positive definite, in any units.
        budget: shares of the risk, shape (n,), each positive; they are divided by their sum.

    Raises:
        DataError: a share is not positive. NotSolved: the shares are not met after 200 steps.
    """
    from scipy.linalg import LinAlgError, cho_factor, cho_solve

    deviations = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(deviations, deviations)
    shares = _shares(budget, len(covariance))
    scaled = np.sqrt(shares)
    for _ in range(STEPS):
        off = scaled * (correlation @ scaled) - shares
        if np.max(np.abs(off) / shares) < NEAR_ENOUGH:
            break
        try:
            factor = cho_factor(correlation + np.diag(shares / scaled**2))
        except LinAlgError as error:
            raise NotSolved("The covariance is not positive definite, so no weights share the risk. Use a shrunk "
                            "one.") from error
        step = cho_solve(factor, off / scaled)
        decrement = float(np.max(np.abs(step) / scaled))
        scaled = scaled - step / max(1.0, 2 * decrement)
    contributions = scaled * (correlation @ scaled)
    if not np.max(np.abs(contributions / np.sum(contributions) - shares) / shares) < 1e-8:
        raise NotSolved(f"The risk of {len(covariance)} instruments could not be shared as agreed. Use a shrunk "
                        f"covariance.")
    weights = scaled / deviations
    return np.asarray(weights / np.sum(weights), dtype=float)


def inverse_volatility_weights(covariance: Matrix) -> Vector:
    """Weights in proportion to 1 / volatility, shape (n,), sum 1: risk parity when all correlations are equal."""
    weights = 1 / np.sqrt(np.diag(covariance))
    return np.asarray(weights / np.sum(weights), dtype=float)


def _shares(budget: Vector | None, count: int) -> Vector:
    if budget is None:
        return np.full(count, 1 / count)
    if len(budget) != count or not np.all(budget > 0):
        raise DataError(f"A budget of risk needs one positive share for each of {count} instruments. Leave out those "
                        f"that shall have none.")
    return np.asarray(budget / np.sum(budget), dtype=float)
