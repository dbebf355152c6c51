"""CorrelationEstimator: how instruments move together, and whether that changed. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import combinations

import numpy as np
import pandas as pd

from trading.quant.arrays import Flags, Matrix
from trading.quant.correlation_break import CorrelationBreak, correlation_break, holm
from trading.quant.correlation_cleaning import CorrelationCleaning
from trading.quant.covariance import CovarianceEstimator, CovarianceMethod
from trading.quant.exponential import exponential_correlation, exponential_correlations
from trading.quant.fitting_periods import FittingPeriod
from trading.quant.returns import BadReturns, Missing, usable_returns


class CorrelationMethod(StrEnum):
    """Which estimate."""

    SAMPLE = "SAMPLE"
    EXPONENTIAL = "EXPONENTIAL"  # the newest periods count most
    LEDOIT_WOLF = "LEDOIT_WOLF"  # shrunk towards no correlation
    CONSTANT_CORRELATION = "CONSTANT_CORRELATION"  # shrunk towards the average correlation
    OAS = "OAS"
    MCD = "MCD"


OF_COVARIANCE = {CorrelationMethod.LEDOIT_WOLF: CovarianceMethod.LEDOIT_WOLF_CORRELATION,
                 CorrelationMethod.CONSTANT_CORRELATION: CovarianceMethod.CONSTANT_CORRELATION,
                 CorrelationMethod.OAS: CovarianceMethod.OAS, CorrelationMethod.MCD: CovarianceMethod.MCD}
PLAIN = CorrelationCleaning(fill=False)


@dataclass(frozen=True, kw_only=True)
class CorrelationEstimator:
    """Settings. `span` and `min_periods` are for EXPONENTIAL, `seed` for MCD; the default cleaning only repairs."""

    method: CorrelationMethod = CorrelationMethod.EXPONENTIAL
    missing: Missing = Missing.REFUSE
    span: float = 250.0
    min_periods: int = 20
    seed: int = 42
    cleaning: CorrelationCleaning = field(default=PLAIN)

    def estimate(self, returns: pd.DataFrame) -> pd.DataFrame:
        """Correlations with names on both axes, unit diagonal, positive semi-definite unless repair is switched off.

        Pairs without enough common periods are NaN, unless the cleaning fills them.

        Args:
            returns: shape (T, n), T >= 2, ascending in time for EXPONENTIAL.

        Raises:
            BadReturns: see usable_returns; or too few periods.
            DataError: MCD with too few periods, or with most of them in a plane.
        """
        usable = usable_returns(returns, self.missing, in_order=self.method is CorrelationMethod.EXPONENTIAL)
        return self._cleaned(usable, np.ones(usable.shape[1], dtype=bool))

    def estimate_over_time(self, returns: pd.DataFrame, periods: tuple[FittingPeriod, ...]) -> list[pd.DataFrame]:
        """One estimate a period, on what may be seen by then; instruments without returns yet are unknown or filled in.

        Only SAMPLE and EXPONENTIAL can be estimated while some instruments have no past.
        """
        pairwise = replace(self, missing=Missing.PAIRWISE)
        tables = [(period.rows(returns) if period.has_data else returns.head(0)).astype(float) for period in periods]
        if self.method is CorrelationMethod.EXPONENTIAL and len({period.fit_start for period in periods}) == 1:
            return pairwise._expanding(returns.astype(float), tables)
        return [pairwise._cleaned(rows, _with_data(rows)) for rows in tables]

    def _expanding(self, returns: pd.DataFrame, tables: list[pd.DataFrame]) -> list[pd.DataFrame]:
        """Of tables that all begin with the first row, in one pass."""
        matrices = exponential_correlations(returns.to_numpy(), [len(rows) for rows in tables], self.span,
                                            self.min_periods)
        return [self._cleaned(rows, _with_data(rows), matrix) for matrix, rows in zip(matrices, tables, strict=True)]

    def estimate_pooled(self, tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
        """One estimate from several tables of the same columns: rules, say, each table of another instrument.

        Every row counts; with EXPONENTIAL those of one time count alike, and `span` goes on to mean periods of time.

        Raises:
            BadReturns: no tables, tables with other columns, or see `estimate`.
        """
        if not tables or any(list(table.columns) != list(tables[0].columns) for table in tables):
            raise BadReturns("Tables can be pooled only when there are some and all have the same columns in the same "
                             "order. Select and order them first.")
        stacked = pd.concat(tables).sort_index(kind="stable")
        longer = replace(self, span=self.span * len(tables), min_periods=self.min_periods * len(tables))
        return longer.estimate(stacked)

    def detect_correlation_regime_changes(self, returns: pd.DataFrame,
                                          size: float = 0.05) -> dict[tuple[str, str], CorrelationBreak]:
        """The pairs whose correlation changed at some time; a false alarm among them all has a chance of `size`.

        Args:
            returns: shape (T, n), ascending in time; DROP_ROWS leaves out the periods in which some are missing.
        """
        usable = usable_returns(returns, self.missing, in_order=True)
        pairs = list(combinations(usable.columns, 2))
        tests = [correlation_break(*usable[list(pair)].dropna().to_numpy().T) for pair in pairs]
        return {(str(first), str(second)): test for (first, second), test in zip(pairs, holm(tests), strict=True)
                if test.p_value < size}

    def _cleaned(self, returns: pd.DataFrame, has_data: Flags, raw: Matrix | None = None) -> pd.DataFrame:
        cleaned = self.cleaning.applied(self._raw(returns) if raw is None else raw, has_data)
        return pd.DataFrame(cleaned, index=returns.columns, columns=returns.columns)

    def _raw(self, returns: pd.DataFrame) -> Matrix:
        if self.method is CorrelationMethod.EXPONENTIAL:
            return exponential_correlation(returns.to_numpy(dtype=float), self.span, self.min_periods)
        if self.method is CorrelationMethod.SAMPLE:
            return returns.corr().to_numpy(dtype=float)
        covariance = CovarianceEstimator(method=OF_COVARIANCE[self.method], missing=self.missing, seed=self.seed)
        matrix = covariance.estimate(returns / returns.std()).to_numpy()  # so that nobody's units matter
        return np.asarray(matrix / np.sqrt(np.outer(np.diag(matrix), np.diag(matrix))), dtype=float)


def _with_data(returns: pd.DataFrame) -> Flags:
    return np.asarray(returns.notna().any(axis=0), dtype=bool)
