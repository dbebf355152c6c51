"""Correlations that no returns can have, made into some that returns can. Pure.

Matrices put together pair by pair, floored or clipped may give a portfolio a negative variance; an optimiser would buy
as much of it as it may.
"""

from typing import Final

import numpy as np

from trading.quant.arrays import Matrix

ROUNDING: Final = 1e-12


def is_positive_semidefinite(matrix: Matrix) -> bool:
    """Whether no portfolio has a negative variance, but for rounding relative to the largest eigenvalue."""
    values = np.linalg.eigvalsh(matrix)
    return bool(values[0] >= -ROUNDING * max(values[-1], 0.0))


def repaired_correlation(correlation: Matrix) -> Matrix:
    """`correlation` itself when it is positive semi-definite; else with its negative eigenvalues cut off.

    The diagonal is 1 again afterwards. This is not the nearest correlation matrix, but it is near, and takes one step.

    Args:
        correlation: shape (n, n), symmetric, unit diagonal, no NaN.
    """
    if is_positive_semidefinite(correlation):
        return correlation
    values, vectors = np.linalg.eigh(correlation)
    cut = (vectors * np.maximum(values, ROUNDING * values[-1])) @ vectors.T
    deviations = np.sqrt(np.diag(cut))
    result = cut / np.outer(deviations, deviations)
    result = (result + result.T) / 2
    np.fill_diagonal(result, 1.0)
    return np.asarray(np.clip(result, -1.0, 1.0), dtype=float)


def repaired_covariance(covariance: Matrix) -> Matrix:
    """The same for a covariance; the variances stay."""
    deviations = np.sqrt(np.diag(covariance))
    scale = np.outer(deviations, deviations)
    return np.asarray(repaired_correlation(covariance / scale) * scale, dtype=float)
