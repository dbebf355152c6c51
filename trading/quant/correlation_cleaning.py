"""What is done to estimated correlations before anybody divides risk by them. Pure.

Source: pysystemtrade.md 5 and the oracle's README 08.
"""

from dataclasses import dataclass

import numpy as np

from trading.conventions import OURS, Conventions
from trading.quant.arrays import Flags, Matrix
from trading.quant.diversification import average_correlation
from trading.quant.positive_semidefinite import repaired_correlation


@dataclass(frozen=True, kw_only=True)
class CorrelationCleaning:
    """Steps in their order: the unknown is filled, then floor, clip, shrinkage and repair."""

    fill: bool = True
    unknown: float = 0.99           # of pairs without data: as good as the same, so that neither seems to diversify
    floor: float | None = None      # 0.0 for diversification multipliers: no credit for negative ones
    clip: float | None = None       # largest size of a correlation
    shrinkage: float = 0.0          # weight of the average correlation, from 0 to 1
    repair: bool = True             # to positive semi-definite, which optimisers need and multipliers do not
    conventions: Conventions = OURS

    def applied(self, correlation: Matrix, has_data: Flags) -> Matrix:
        """The cleaned correlations, shape (n, n).

        Args:
            correlation: NaN where unknown. has_data: shape (n,), false for instruments without any returns.
        """
        alone = self.unknown if self.conventions.unknown_pairs_are_replaced else np.nan
        cleaned = filled(correlation, has_data, self.unknown, alone) if self.fill else correlation.copy()
        if self.floor is not None:
            cleaned = np.maximum(cleaned, self.floor)
        if self.clip is not None:
            cleaned = np.clip(cleaned, -self.clip, self.clip)
        np.fill_diagonal(cleaned, np.where(np.isnan(np.diag(cleaned)), np.nan, 1.0))
        if self.shrinkage > 0:
            cleaned = shrunk_to_average(cleaned, self.shrinkage)
        complete = bool(np.all(np.isfinite(cleaned)))
        return repaired_correlation(cleaned) if self.repair and complete else cleaned


def filled(correlation: Matrix, has_data: Flags, unknown: float, alone: float) -> Matrix:
    """Unknown correlations replaced: by the average of the known ones where both have data, else by `unknown`.

    Where both have data but no pair at all is known there is no average; then by `alone`.
    """
    missing = np.isnan(correlation)
    if not np.any(missing):
        return correlation.copy()
    known = correlation[~missing & ~np.eye(len(correlation), dtype=bool)]
    average = float(np.mean(known)) if len(known) else alone
    result = np.where(missing, np.where(np.outer(has_data, has_data), average, unknown), correlation)
    np.fill_diagonal(result, 1.0)
    return result


def shrunk_to_average(correlation: Matrix, shrinkage: float) -> Matrix:
    """Each correlation pulled towards the average of all pairs.

    Args:
        correlation: shape (n, n), unit diagonal, no NaN.
        shrinkage: weight of the average, from 0 (as it is) to 1 (all pairs alike).

    Raises:
        ValueError: `shrinkage` lies outside [0, 1].
    """
    if not 0 <= shrinkage <= 1:
        raise ValueError(f"a shrinkage of {shrinkage} is not between 0 and 1")
    result = (1 - shrinkage) * correlation + shrinkage * average_correlation(correlation)
    np.fill_diagonal(result, 1.0)
    return np.asarray(result, dtype=float)
