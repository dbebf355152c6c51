"""Correlations in which the newest periods count most. Pure; what is missing is left out pair by pair.

The weight of a period is (1 - 2 / (span + 1)) ** age. Each pair of instruments ages by its own common periods: a
holiday of one does not make the other's past older (pandas calls this ignore_na).
"""

from collections.abc import Sequence
from dataclasses import dataclass

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


def exponential_correlations(returns: Matrix, ends: Sequence[int], span: float, min_periods: int = 2) -> list[Matrix]:
    """The same for each of `ends`, of the rows before it: all in one pass over the rows.

    Args:
        ends: ascending, numbers of rows from 0 to T.
    """
    decay, sums, found, done = 1 - 2 / (span + 1), _Sums.of_nothing(returns.shape[1]), [], 0
    from_first, largest = returns - _first_known(returns), np.zeros(returns.shape[1])
    for end in ends:
        for row in from_first[done:end]:
            sums.add(row, decay)
        largest = np.fmax(largest, np.nanmax(np.abs(returns[done:end]), axis=0, initial=0.0))
        done = end
        found.append(sums.correlation(max(min_periods, 2), largest))
    return found


def _first_known(returns: Matrix) -> Vector:
    """Of each column; what is taken from all values, so that those that hardly change lose no digits."""
    known = np.isfinite(returns)
    return np.where(known.any(axis=0), returns[np.argmax(known, axis=0), np.arange(returns.shape[1])], 0.0)


@dataclass
class _Sums:
    """Of each pair over its common periods: how many, their weights, and the weighted values, squares and products."""

    periods: Matrix
    weights: Matrix
    values: Matrix
    squares: Matrix
    products: Matrix

    @classmethod
    def of_nothing(cls, count: int) -> "_Sums":
        return cls(*(np.zeros((count, count)) for _ in range(5)))

    def add(self, row: Vector, decay: float) -> None:
        known = np.isfinite(row)
        if not known.any():
            return
        value, both = np.where(known, row, 0.0), np.outer(known, known)
        older = np.where(both, decay, 1.0)
        self.periods += both
        self.weights = self.weights * older + both
        self.values = self.values * older + value[:, None] * known
        self.squares = self.squares * older + (value * value)[:, None] * known
        self.products = self.products * older + np.outer(value, value)

    def correlation(self, min_periods: int, largest: Vector) -> Matrix:
        with np.errstate(divide="ignore", invalid="ignore"):
            means = self.values / self.weights
            variances = self.squares / self.weights - means * means
            floor = (16 * np.finfo(float).eps * largest)[:, None] ** 2
            deviations = np.sqrt(np.where(variances > np.maximum(floor, 0.0), variances, np.nan))
            covariance = self.products / self.weights - means * means.T
            correlation: Matrix = np.clip(covariance / (deviations * deviations.T), -1.0, 1.0)
        np.fill_diagonal(correlation, np.where(np.isnan(np.diag(correlation)), np.nan, 1.0))
        return np.where(self.periods >= min_periods, correlation, np.nan)


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
