"""What is known of instruments when they are weighed: means, volatilities, correlations, years of data. Pure."""

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from trading.quant.arrays import Matrix, Vector
from trading.quant.correlation_cleaning import CorrelationCleaning, shrunk_to_average
from trading.quant.exponential import exponential_correlation
from trading.quant.moments import ExponentialMoments, covariance_of

TARGET_SHARPE = 0.5  # a year; what an instrument is believed to earn before there is any proof


@dataclass(frozen=True, kw_only=True, eq=False)
class Estimates:
    """Of instruments in the order of `names`; NaN where unknown. Means and volatilities are a year, shape (n,)."""

    names: tuple[str, ...]
    mean: Vector
    volatility: Vector
    correlation: Matrix
    years: float

    @property
    def sharpe(self) -> Vector:
        """Ratios a year, shape (n,)."""
        return np.asarray(self.mean / self.volatility, dtype=float)

    @property
    def covariance(self) -> Matrix:
        """Of a year, shape (n, n)."""
        return covariance_of(self.correlation, self.volatility)

    def known(self) -> "Estimates":
        """Only those of which everything is known."""
        ratios = self.mean / np.where(self.volatility > 0, self.volatility, np.nan)
        sure = np.flatnonzero(np.isfinite(ratios) & np.isfinite(np.diag(self.correlation)))
        return replace(self, names=tuple(self.names[place] for place in sure), mean=self.mean[sure],
                       volatility=self.volatility[sure], correlation=self.correlation[np.ix_(sure, sure)])

    def with_equal_volatility(self) -> "Estimates":
        """All as volatile as they are on average, with the ratios that they have: weights are then of risk."""
        average = np.full_like(self.volatility, float(np.mean(self.volatility)))
        return replace(self, volatility=average, mean=self.sharpe * average)

    def with_equal_sharpe(self, target: float = TARGET_SHARPE) -> "Estimates":
        """All with the same ratio a year: what is past proves nothing."""
        return replace(self, mean=target * self.volatility)

    def shrunk(self, sharpe: float, correlation: float, target: float = TARGET_SHARPE) -> "Estimates":
        """Ratios pulled towards `target`, correlations towards their average; shrinkages from 0 to 1."""
        ratios = sharpe * target + (1 - sharpe) * self.sharpe
        return replace(self, mean=ratios * self.volatility,
                       correlation=shrunk_to_average(self.correlation, correlation))


@dataclass(frozen=True, kw_only=True)
class EstimateSettings:
    """How estimates are made of periodic changes; `pooled`: of how many tables the rows were put together."""

    moments: ExponentialMoments = field(default_factory=ExponentialMoments)
    correlation_span: float = 500_000
    correlation_min_periods: int = 10
    cleaning: CorrelationCleaning = field(
        default_factory=lambda: CorrelationCleaning(fill=False, floor=0.0))
    pooled: int = 1

    def estimate(self, changes: pd.DataFrame) -> Estimates:
        """Estimates from `changes`, shape (T, n); NaN for instruments without any, or without enough."""
        values = changes.to_numpy(dtype=float)
        correlation = exponential_correlation(values, self.correlation_span * self.pooled,
                                              self.correlation_min_periods * self.pooled)
        moments = replace(self.moments, span=self.moments.span * self.pooled,
                          min_periods=self.moments.min_periods * self.pooled)
        return Estimates(names=tuple(str(name) for name in changes.columns),
                         mean=np.array(moments.mean(changes), dtype=float),
                         volatility=np.array(moments.volatility(changes), dtype=float),
                         correlation=self.cleaning.applied(correlation, np.isfinite(values).any(axis=0)),
                         years=len(changes) / moments.periods_in_year / self.pooled)
