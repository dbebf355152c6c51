"""Correlations in which the newest periods count most. Pure; what is missing is left out pair by pair.

The weight of a period is (1 - 2 / (span + 1)) ** age. Each pair of instruments ages by its own common periods: a
holiday of one does not make the other's past older (pandas calls this ignore_na).
"""

import numpy as np

from trading.quant.arrays import Matrix, Vector


def exponential_correlation(returns: Matrix, span: float, min_periods: int = 2) -> Matrix:
    """Correlations at the last row, shape (n, n), diagonal 1 where there is any risk; NaN where they are unknown.

    Args:
        returns: shape (T, n), NaN where missing. span: in periods, at least 1.
        min_periods: common periods that a pair needs.
    """
    known = np.isfinite(returns)
    if bool(np.all(known)):
        return _of_complete(returns, span, min_periods)
    correlation = np.full((returns.shape[1], returns.shape[1]), np.nan)
    for first in range(returns.shape[1]):
        for second in range(first, returns.shape[1]):
            common = known[:, first] & known[:, second]
            pair = _of_complete(returns[common][:, [first, second]], span, min_periods)
            correlation[first, second] = correlation[second, first] = pair[0, 1]
    return correlation


def age_weights(periods: int, span: float) -> Vector:
    """Weights of `periods` rows, shape (periods,), the newest last, sum 1."""
    weights = (1 - 2 / (span + 1)) ** np.arange(periods - 1, -1, -1, dtype=float)
    return np.asarray(weights / np.sum(weights), dtype=float)


def _of_complete(returns: Matrix, span: float, min_periods: int) -> Matrix:
    count = returns.shape[1]
    if len(returns) < max(min_periods, 2):
        return np.full((count, count), np.nan)
    weights = age_weights(len(returns), span)
    centred = returns - weights @ returns
    covariance = (centred * weights[:, None]).T @ centred
    variances = np.diag(covariance).copy()
    floor = (16 * np.finfo(float).eps * np.max(np.abs(returns), axis=0)) ** 2
    deviations = np.sqrt(np.where(variances > floor, variances, np.nan))
    correlation: Matrix = np.clip(covariance / np.outer(deviations, deviations), -1.0, 1.0)
    np.fill_diagonal(correlation, np.where(np.isnan(deviations), np.nan, 1.0))
    return correlation
