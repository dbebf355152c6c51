"""PortfolioOptimiser: weights from returns, by whichever method is asked for. Pure.

Every answer obeys the bounds and sums to 1, or there is none but an error that says why. Nothing falls back to equal
weights. Bounds that cannot be met are refused before anything is estimated.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import pandas as pd

from trading.conventions import OURS, Conventions
from trading.errors import DataError
from trading.quant.arrays import Matrix, Vector
from trading.quant.bootstrap import bootstrapped_weights, drawn_periods
from trading.quant.cone_program import ConeProgram, solve_cone
from trading.quant.covariance import CovarianceEstimator, CovarianceMethod
from trading.quant.estimates import Estimates
from trading.quant.executor import Executor
from trading.quant.handcrafting import handcraft, handcraft_with_sharpe
from trading.quant.hierarchical_risk_parity import hierarchical_weights
from trading.quant.portfolio_weights import PortfolioWeights, weights_within
from trading.quant.quadratic_program import QuadraticProgram, solve
from trading.quant.returns import usable_returns
from trading.quant.risk_budgeting import inverse_volatility_weights, risk_budget_weights
from trading.quant.sharpe_ratio import max_sharpe
from trading.quant.uncertain_means import EllipsoidShape, Radius, box, ellipsoid_radius, ellipsoid_shape
from trading.quant.weight_bounds import WeightBounds, bounds_for

WIDEST_SPREAD = 1e4  # of volatilities; beyond it solvers were seen to be wrong without saying so (quant.md 3)


class UnlikeVolatilities(DataError):
    """Some returns are so much larger than others that weights of capital mean little."""


class UncertaintySet(StrEnum):
    """What the true means may be, around the estimated ones."""

    ELLIPSOIDAL = "ELLIPSOIDAL"
    BOX = "BOX"


@dataclass(frozen=True, kw_only=True)
class Uncertainty:
    """A set that holds the true means with `confidence`; see uncertain_means for what each choice means."""

    set: UncertaintySet = UncertaintySet.ELLIPSOIDAL
    confidence: float = 0.95
    shape: EllipsoidShape = EllipsoidShape.DIAGONAL
    radius: Radius = Radius.CHI2
    joint: bool = False  # of a box: all intervals hold together


@dataclass(frozen=True, kw_only=True)
class PortfolioOptimiser:
    """Settings. Bounds are one number for all, or one for each name."""

    lower: float | Mapping[str, float] = 0.0
    upper: float | Mapping[str, float] = 1.0
    covariance: CovarianceEstimator = field(default_factory=CovarianceEstimator)
    widest_spread: float = WIDEST_SPREAD
    conventions: Conventions = OURS

    # --- from names, from estimates ---------------------------------------------------------------------------------

    def equal(self, names: Sequence[str]) -> PortfolioWeights:
        """The same for each.

        Raises:
            InfeasibleBounds, OutsideBounds.
        """
        return weights_within(np.full(len(names), 1 / max(len(names), 1)), self._bounds(names), "equal weights")

    def handcrafted(self, estimates: Estimates) -> PortfolioWeights:
        """Groups of like instruments share alike; weights are of risk."""
        bounds = self._bounds(estimates.names)
        return weights_within(handcraft(estimates.correlation).weights, bounds, "handcrafting")

    def handcrafted_with_sharpe(self, estimates: Estimates) -> PortfolioWeights:
        """The same, tilted by Sharpe ratios as far as the years of data prove anything."""
        bounds = self._bounds(estimates.names)
        values = handcraft_with_sharpe(estimates.correlation, estimates.sharpe, estimates.years, self.conventions)
        return weights_within(values, bounds, "handcrafting with Sharpe ratios")

    def shrunk_one_period(self, estimates: Estimates, sharpe: float = 0.9,
                          correlation: float = 0.5) -> PortfolioWeights:
        """The highest Sharpe ratio after pulling ratios towards 0.5 a year, and correlations towards their average."""
        return self.one_period(estimates.shrunk(sharpe, correlation))

    def one_period(self, estimates: Estimates) -> PortfolioWeights:
        """The highest Sharpe ratio if the estimates were the truth."""
        bounds = self._bounds(estimates.names)
        values = max_sharpe(estimates.mean, self._trusted(estimates.covariance, estimates.names), bounds)
        return weights_within(values, bounds, "one period")

    # --- from returns -----------------------------------------------------------------------------------------------

    def minimum_variance(self, returns: pd.DataFrame) -> PortfolioWeights:
        """Least variance."""
        names, bounds = self._named(returns)
        covariance = self._covariance(returns)
        zero = np.zeros(len(names))
        values = solve(QuadraticProgram(hessian=covariance, cost=zero, kink=zero, bounds=bounds))
        return weights_within(values, bounds, "minimum variance")

    def mean_variance(self, returns: pd.DataFrame, risk_aversion: float) -> PortfolioWeights:
        """Highest mean'w - risk_aversion/2 * w'Sw, a period, with means and covariance taken for true."""
        return self._robust_box(returns, risk_aversion, np.zeros(returns.shape[1]), "mean-variance")

    def max_sharpe(self, returns: pd.DataFrame) -> PortfolioWeights:
        """Highest mean per volatility.

        Raises:
            NothingToGain: no allowed weights have a positive mean.
        """
        _, bounds = self._named(returns)
        values = max_sharpe(self._mean(returns), self._covariance(returns), bounds)
        return weights_within(values, bounds, "highest Sharpe ratio")

    def robust(self, returns: pd.DataFrame, risk_aversion: float, uncertainty: Uncertainty) -> PortfolioWeights:
        """Highest mean'w - risk_aversion/2 * w'Sw if the means are the worst that the uncertainty allows."""
        names, bounds = self._named(returns)
        covariance = self._covariance(returns)
        periods = len(self._usable(returns))
        if uncertainty.set is UncertaintySet.BOX:
            widths = box(covariance, periods, uncertainty.confidence, joint=uncertainty.joint)
            return self._robust_box(returns, risk_aversion, widths, "robust (box)")
        radius = ellipsoid_radius(uncertainty.confidence, len(names), periods, uncertainty.radius)
        program = ConeProgram(mean=self._mean(returns), shape=ellipsoid_shape(covariance, periods, uncertainty.shape),
                              covariance=covariance, radius=radius, aversion=risk_aversion, bounds=bounds)
        return weights_within(solve_cone(program), bounds, "robust (ellipsoid)")

    def risk_parity(self, returns: pd.DataFrame, budget: Mapping[str, float] | None = None) -> PortfolioWeights:
        """Each contributes the same to the risk, or its share of `budget`."""
        names, bounds = self._named(returns)
        shares = None if budget is None else np.array([budget.get(name, 0.0) for name in names])
        return weights_within(risk_budget_weights(self._estimated(returns), shares), bounds, "risk parity")

    def hierarchical(self, returns: pd.DataFrame) -> PortfolioWeights:
        """Hierarchical risk parity."""
        _, bounds = self._named(returns)
        return weights_within(hierarchical_weights(self._estimated(returns)), bounds, "hierarchical risk parity")

    def inverse_volatility(self, returns: pd.DataFrame) -> PortfolioWeights:
        """In proportion to 1 / volatility."""
        _, bounds = self._named(returns)
        return weights_within(inverse_volatility_weights(self._estimated(returns)), bounds, "inverse volatility")

    def bootstrapped(self, returns: pd.DataFrame, executor: Executor, *, samples: int, seed: int) -> PortfolioWeights:
        """Average over samples of the weights of the highest Sharpe ratio; of risk. The same for every executor."""
        names, bounds = self._named(returns)
        usable = self._usable(returns).to_numpy()
        found = bootstrapped_weights(usable, drawn_periods(len(usable), samples, seed), bounds, executor)
        return weights_within(found.weights, bounds, f"bootstrapped ({len(names)} instruments)")

    # --- names of the first design ----------------------------------------------------------------------------------

    def get_weights_using_shrinkage(self, returns: pd.DataFrame) -> PortfolioWeights:
        """Least variance with correlations shrunk as far as the data say; volatilities are kept."""
        shrunk = CovarianceEstimator(method=CovarianceMethod.LEDOIT_WOLF_CORRELATION, missing=self.covariance.missing)
        return PortfolioOptimiser(lower=self.lower, upper=self.upper, covariance=shrunk,
                                  widest_spread=self.widest_spread).minimum_variance(returns)

    def get_weights_using_robust_optimization(self, returns: pd.DataFrame, risk_aversion: float = 1.0,
                                              uncertainty: Uncertainty | None = None) -> PortfolioWeights:
        """See `robust`."""
        return self.robust(returns, risk_aversion, uncertainty or Uncertainty())

    # --- parts ------------------------------------------------------------------------------------------------------

    def _robust_box(self, returns: pd.DataFrame, risk_aversion: float, widths: Vector, method: str) -> PortfolioWeights:
        if not risk_aversion >= 0:
            raise DataError(f"A risk aversion of {risk_aversion} is negative. Write 0 or more.")
        _, bounds = self._named(returns)
        program = QuadraticProgram(hessian=risk_aversion * self._covariance(returns), cost=-self._mean(returns),
                                   kink=widths, bounds=bounds)
        return weights_within(solve(program), bounds, method)

    def _named(self, returns: pd.DataFrame) -> tuple[tuple[str, ...], WeightBounds]:
        names = tuple(str(name) for name in returns.columns)
        return names, self._bounds(names)

    def _bounds(self, names: Sequence[str]) -> WeightBounds:
        return bounds_for(names, self.lower, self.upper)

    def _usable(self, returns: pd.DataFrame) -> pd.DataFrame:
        return usable_returns(returns, self.covariance.missing)

    def _mean(self, returns: pd.DataFrame) -> Vector:
        return self._usable(returns).mean(axis=0).to_numpy(dtype=float)

    def _estimated(self, returns: pd.DataFrame) -> Matrix:
        return self.covariance.estimate(returns).to_numpy(dtype=float)

    def _covariance(self, returns: pd.DataFrame) -> Matrix:
        return self._trusted(self._estimated(returns), [str(name) for name in returns.columns])

    def _trusted(self, covariance: Matrix, names: Sequence[str]) -> Matrix:
        deviations = np.sqrt(np.diag(covariance))
        least, most = int(np.argmin(deviations)), int(np.argmax(deviations))
        if deviations[most] > self.widest_spread * deviations[least]:
            raise UnlikeVolatilities(f"{names[most]} moves {deviations[most] / deviations[least]:.0f} times as much as "
                                     f"{names[least]}, at most {self.widest_spread:.0f} is allowed. Use percentage "
                                     f"returns, or returns divided by volatility.")
        return covariance
