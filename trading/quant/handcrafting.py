"""Weights as one would craft them by hand: split the instruments into two like groups, again and again; share evenly.

Pure. Each group is lifted by what its diversification leaves unused, so that a group of strangers gets more than one of
twins. Weights are of risk: they suit instruments of equal volatility.
Source: pysystemtrade.md 5 and the oracle's README; Carver (2015), "Systematic Trading", for the idea.
"""

from dataclasses import dataclass

import numpy as np

from trading.conventions import OURS, Conventions
from trading.quant.arrays import Matrix, Places, Vector
from trading.quant.diversification import diversification_multiplier
from trading.quant.sharpe_adjustment import adjusted_for_sharpe_of

_DIGITS = 10  # of a correlation that mean anything


@dataclass(frozen=True, kw_only=True, eq=False)
class Handcrafted:
    """Weights that sum to 1, and what they were before they were made to."""

    weights: Vector
    unscaled: Vector  # each half lifted by its own diversification: sum from 1 to 2.5


def handcraft(correlation: Matrix) -> Handcrafted:
    """Weights by correlation alone, shape (n,).

    Args:
        correlation: shape (n, n), symmetric, unit diagonal, no NaN.
    """
    unscaled = _lifted(correlation)
    return Handcrafted(weights=unscaled / np.sum(unscaled), unscaled=unscaled)


def handcraft_with_sharpe(correlation: Matrix, ratios: Vector, years: float,
                          conventions: Conventions = OURS) -> Vector:
    """The same, tilted towards what had the better Sharpe ratio as far as `years` of data can show. Sum 1.

    Args:
        ratios: Sharpe ratios a year, shape (n,).
    """
    return adjusted_for_sharpe_of(_lifted(correlation), ratios, correlation, years, conventions)


def two_clusters(correlation: Matrix) -> tuple[Places, Places]:
    """Positions of the instruments of two groups of those that correlate alike with everything else.

    Where a tie lets no two groups form, the first half of the list and the second.

    Args:
        correlation: shape (n, n), n >= 2.
    """
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import pdist

    alike = np.round(correlation, _DIGITS)  # so that the noise of sums decides no tie
    labels = fcluster(linkage(pdist(alike), method="complete"), 2, criterion="maxclust")
    if len(set(labels)) != 2:
        half = len(correlation) // 2
        labels = np.array([1] * half + [2] * (len(correlation) - half))
    return np.flatnonzero(labels == labels.min()), np.flatnonzero(labels == labels.max())


def _lifted(correlation: Matrix) -> Vector:
    count = len(correlation)
    if count <= 2:
        return np.full(count, 1 / count)
    weights = np.zeros(count)
    for group in two_clusters(correlation):
        within = correlation[np.ix_(group, group)]
        own = _lifted(within)
        weights[group] = 0.5 * diversification_multiplier(within, own) * own
    return weights
