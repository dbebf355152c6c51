"""How much less a portfolio moves than its parts, and the multiplier that makes up for it. Pure."""

import numpy as np

from trading.quant.arrays import Matrix, Vector

HIGHEST = 2.5  # of the multiplier; correlations in a crisis are higher than estimated


def diversification_multiplier(correlation: Matrix, weights: Vector, highest: float = HIGHEST) -> float:
    """1 / sqrt(w'Cw), at most `highest`: what to multiply positions with so that risk is as intended.

    Args:
        correlation: shape (n, n), of the returns of the parts; each part has the same risk.
        weights: shape (n,), of risk.

    Returns:
        `highest` also when the correlations are so negative that nothing is left of the risk; 1 when a correlation is
        unknown, for then nothing is proven.
    """
    variance = float(weights @ correlation @ weights)
    if np.isnan(variance):
        return 1.0
    return min(1 / float(np.sqrt(variance)), highest) if variance > 0 else highest


def average_correlation(correlation: Matrix) -> float:
    """Mean of all pairs, without the diagonal; 1 for a single instrument."""
    count = len(correlation)
    if count < 2:
        return 1.0
    return (float(np.sum(correlation)) - float(np.trace(correlation))) / (count * (count - 1))
