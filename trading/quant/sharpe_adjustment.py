"""How much more an instrument deserves whose Sharpe ratio was better than average, given how little that proves. Pure.

Source: pysystemtrade.md 5: the difference of two means is normal around the estimate; at four of its quantiles the best
weights of a portfolio of two are found, one instrument having a ratio of 0.5, and the four answers are averaged.
"""

from typing import Final

import numpy as np

from trading.conventions import OURS, Conventions
from trading.quant.arrays import Matrix, Vector
from trading.quant.diversification import average_correlation

QUANTILES: Final = (0.2, 0.4, 0.6, 0.8)
VOLATILITY: Final = 0.15   # a year, of both instruments of the thought experiment
USUAL_RATIO: Final = 0.5   # a year


def adjusted_for_sharpe(weights: Vector, ratios: Vector, correlation: float, years: float,
                        conventions: Conventions = OURS) -> Vector:
    """`weights` with each multiplied by what its Sharpe ratio relative to the average deserves; sum 1.

    Args:
        weights: shape (n,), not negative. ratios: shape (n,), a year.
        correlation: typical, of two of the instruments. years: of data behind the ratios, positive.
    """
    if len(weights) < 2:
        return weights / np.sum(weights)
    relative = ratios - float(np.mean(ratios))
    multipliers = [sharpe_multiplier(float(ratio), correlation, years, conventions) for ratio in relative]
    adjusted = weights * np.array(multipliers)
    return np.asarray(adjusted / np.sum(adjusted), dtype=float)


def adjusted_for_sharpe_of(weights: Vector, ratios: Vector, correlation: Matrix, years: float,
                           conventions: Conventions = OURS) -> Vector:
    """The same with the average of a correlation matrix."""
    return adjusted_for_sharpe(weights, ratios, average_correlation(correlation), years, conventions)


def sharpe_multiplier(relative: float, correlation: float, years: float,
                      conventions: Conventions = OURS) -> float:
    """From 0 (certainly worse) to 2 (certainly better); 1 when `relative`, the ratio above average a year, is 0."""
    from scipy.stats import norm

    doubt = np.sqrt(2 * VOLATILITY**2 / years * max(0.0, 1 - correlation))
    better = norm.ppf(QUANTILES) * doubt + relative * VOLATILITY
    share = _share_of_first if conventions.best_shares_are_exact else _share_as_searched
    multiplier = float(np.mean([share(USUAL_RATIO * VOLATILITY + gain, correlation) for gain in better])) / 0.5
    return multiplier if (multiplier - 1) * relative > 0 else 1.0


def _share_of_first(mean: float, correlation: float) -> float:
    """Best weight, from 0 to 1, of an instrument with this mean beside one of the same risk and the usual ratio."""
    usual = USUAL_RATIO * VOLATILITY
    first, second = mean - correlation * usual, usual - correlation * mean
    if first <= 0 or second <= 0:
        return 1.0 if mean > usual else 0.0
    return first / (first + second)


def _share_as_searched(mean: float, correlation: float) -> float:
    """The same as a numerical search comes to that starts at halves and stops at a tolerance of 1e-5."""
    from scipy.optimize import minimize

    means = np.array([mean, USUAL_RATIO * VOLATILITY])
    covariance = VOLATILITY**2 * np.array([[1.0, correlation], [correlation, 1.0]])
    found = minimize(lambda w: -(w @ means) / np.sqrt(w @ covariance @ w), [0.5, 0.5], method="SLSQP", tol=1e-5,
                     bounds=[(0.0, 1.0)] * 2, constraints=[{"type": "eq", "fun": lambda w: 1 - np.sum(w)}])
    return float(found.x[0])
