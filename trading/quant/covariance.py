"""CovarianceEstimator: how the covariance of some instruments' returns is estimated. Pure."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd

from trading.quant.arrays import Matrix
from trading.quant.moments import covariance_of
from trading.quant.positive_semidefinite import repaired_covariance
from trading.quant.returns import BadReturns, Missing, usable_returns
from trading.quant.robust_covariance import minimum_covariance_determinant
from trading.quant.shrinkage import (
    ledoit_wolf_constant_correlation,
    ledoit_wolf_correlation,
    ledoit_wolf_identity,
    oracle_approximating,
)


class CovarianceMethod(StrEnum):
    """Which estimate."""

    SAMPLE = "SAMPLE"                            # needs more periods than instruments, or `shrinkage`
    LEDOIT_WOLF = "LEDOIT_WOLF"                  # shrunk towards equal variances, as far as the data say
    LEDOIT_WOLF_CORRELATION = "LEDOIT_WOLF_CORRELATION"  # only the correlations are shrunk, volatilities are kept
    CONSTANT_CORRELATION = "CONSTANT_CORRELATION"        # shrunk towards the average correlation, volatilities kept
    OAS = "OAS"                                  # as LEDOIT_WOLF, best for normal returns
    MCD = "MCD"                                  # of the most compact half of the periods


@dataclass(frozen=True, kw_only=True)
class CovarianceEstimator:
    """Settings. `shrinkage` pulls a SAMPLE towards equal variances by a fixed weight, 0 to 1; `seed` is for MCD."""

    method: CovarianceMethod = CovarianceMethod.LEDOIT_WOLF_CORRELATION
    missing: Missing = Missing.REFUSE
    shrinkage: float = 0.0
    seed: int = 42

    def estimate(self, returns: pd.DataFrame) -> pd.DataFrame:
        """Covariance of one period, in the square of the returns' units, names on both axes.

        Args:
            returns: shape (T, n), T >= 2; the estimate does not depend on the order of the periods.

        Raises:
            BadReturns: the table cannot be used (see usable_returns); or too few periods for SAMPLE; or PAIRWISE with a
                method other than SAMPLE.
            DataError: MCD with too few periods, or with most of them in a plane.
        """
        if not 0 <= self.shrinkage <= 1:
            raise ValueError(f"a shrinkage of {self.shrinkage} is not between 0 and 1")
        if self.missing is Missing.PAIRWISE and self.method is not CovarianceMethod.SAMPLE:
            raise BadReturns(f"{self.method} cannot be estimated pair by pair. Choose missing=DROP_ROWS, or SAMPLE.")
        usable = usable_returns(returns, self.missing)
        matrix = self._sample(usable) if self.method is CovarianceMethod.SAMPLE else self._other(usable.to_numpy())
        return pd.DataFrame(matrix, index=usable.columns, columns=usable.columns)

    def _other(self, values: Matrix) -> Matrix:
        match self.method:
            case CovarianceMethod.LEDOIT_WOLF:
                return ledoit_wolf_identity(values).covariance
            case CovarianceMethod.CONSTANT_CORRELATION:
                return ledoit_wolf_constant_correlation(values).covariance
            case CovarianceMethod.OAS:
                return oracle_approximating(values).covariance
            case CovarianceMethod.MCD:
                return minimum_covariance_determinant(values, self.seed).covariance
            case _:
                return covariance_of(ledoit_wolf_correlation(values).covariance, values.std(axis=0, ddof=1))

    def _sample(self, returns: pd.DataFrame) -> Matrix:
        rows, count = returns.shape
        if rows <= count and self.shrinkage <= 0:
            raise BadReturns(f"{rows} periods are too few for the sample covariance of {count} instruments: some "
                             f"portfolios would seem to have no risk. Use LEDOIT_WOLF_CORRELATION, or a longer window.")
        sample = returns.cov().to_numpy(dtype=float)
        if np.any(np.isnan(sample)):
            raise BadReturns("Some pairs of instruments have fewer than two periods in common. Leave out the shorter.")
        if self.missing is Missing.PAIRWISE:
            sample = repaired_covariance(sample)
        target = float(np.trace(sample)) / count * np.eye(count)
        return np.asarray((1 - self.shrinkage) * sample + self.shrinkage * target, dtype=float)
