"""Weights by halving a tree of like instruments, each half in inverse proportion to its variance. Pure.

Needs no inverse of the covariance, so that it answers with fewer periods than instruments too.
Source: López de Prado (2016), "Building Diversified Portfolios that Outperform Out of Sample", Journal of Portfolio
Management 42(4); distances sqrt((1 - correlation) / 2), single linkage.
"""

import numpy as np

from trading.quant.arrays import Matrix, Vector


def hierarchical_weights(covariance: Matrix) -> Vector:
    """Positive weights, shape (n,), sum 1.

    Args:
        covariance: shape (n, n), symmetric, positive diagonal, in any units.
    """
    weights = np.ones(len(covariance))
    groups = [leaf_order(covariance)]
    while groups:
        group = groups.pop()
        if len(group) < 2:
            continue
        halves = group[:len(group) // 2], group[len(group) // 2:]
        variances = [_variance_of(covariance, half) for half in halves]
        for half, other in zip(halves, reversed(variances), strict=True):
            weights[half] *= other / sum(variances)
        groups += halves
    return weights


def leaf_order(covariance: Matrix) -> list[int]:
    """Positions of the instruments, like ones beside each other."""
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    if len(covariance) < 2:
        return list(range(len(covariance)))
    deviations = np.sqrt(np.diag(covariance))
    correlation = np.clip(covariance / np.outer(deviations, deviations), -1.0, 1.0)
    distance = np.sqrt((1 - correlation) / 2)
    np.fill_diagonal(distance, 0.0)
    return [int(place) for place in leaves_list(linkage(squareform(distance, checks=False), method="single"))]


def _variance_of(covariance: Matrix, group: list[int]) -> float:
    within = covariance[np.ix_(group, group)]
    shares = 1 / np.diag(within)
    shares = shares / np.sum(shares)
    return float(shares @ within @ shares)
