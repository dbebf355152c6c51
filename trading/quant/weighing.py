"""Weighing: one of the ways to weigh instruments or rules, chosen by its name. Pure; travels to other processes.

Weights are of risk: volatilities are made equal first, and Sharpe ratios as well unless the past shall count.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from trading.conventions import OURS, Conventions
from trading.quant.arrays import Matrix, Vector
from trading.quant.bootstrap import bootstrapped_weights, drawn_periods
from trading.quant.estimates import Estimates
from trading.quant.executor import SerialExecutor
from trading.quant.handcrafting import handcraft, handcraft_with_sharpe
from trading.quant.hierarchical_risk_parity import hierarchical_weights
from trading.quant.methods import WeightMethod
from trading.quant.portfolio_optimiser import PortfolioOptimiser
from trading.quant.quadratic_program import QuadraticProgram, solve
from trading.quant.risk_budgeting import inverse_volatility_weights, risk_budget_weights
from trading.quant.weight_bounds import bounds_for


@dataclass(frozen=True, kw_only=True)
class Weighing:
    """A method with its settings; `samples` and `seed` are for BOOTSTRAPPED."""

    method: WeightMethod = WeightMethod.HANDCRAFTED
    past_sharpe: bool = False
    samples: int = 100
    seed: int = 1
    conventions: Conventions = OURS

    def weights(self, estimates: Estimates, changes: pd.DataFrame) -> Vector:
        """Shape (n,), none negative, in the order of the estimates, of which nothing is unknown.

        Args:
            changes: periodic, a column a name; periods in which one is missing are not drawn by BOOTSTRAPPED.

        Raises:
            DataError: the method has no answer; see PortfolioOptimiser.
        """
        if len(estimates.names) == 1:
            return np.ones(1)
        if self.method is WeightMethod.BOOTSTRAPPED:
            return self._bootstrapped(changes[list(estimates.names)])
        alike = estimates.with_equal_volatility()
        return self._of(alike if self.past_sharpe else alike.with_equal_sharpe())

    def _of(self, estimates: Estimates) -> Vector:
        if self.method is WeightMethod.HANDCRAFTED:
            return self._by_hand(estimates)
        return _METHODS[self.method](estimates)

    def _by_hand(self, estimates: Estimates) -> Vector:
        if self.past_sharpe:
            return handcraft_with_sharpe(estimates.correlation, estimates.sharpe, estimates.years, self.conventions)
        found = handcraft(estimates.correlation)
        return found.weights if self.conventions.handcrafted_weights_sum_to_one else found.unscaled

    def _bootstrapped(self, changes: pd.DataFrame) -> Vector:
        complete = changes.dropna().to_numpy(dtype=float)
        complete = complete - (0.0 if self.past_sharpe else _above(complete))
        drawn = drawn_periods(len(complete), self.samples, self.seed)
        bounds = bounds_for(tuple(map(str, changes.columns)), 0.0, 1.0)
        return bootstrapped_weights(complete, drawn, bounds, SerialExecutor()).weights


def _least_variance(estimates: Estimates) -> Vector:
    nothing = np.zeros(len(estimates.names))
    return solve(QuadraticProgram(hessian=estimates.covariance, cost=nothing, kink=nothing,
                                  bounds=bounds_for(estimates.names, 0.0, 1.0)))


_METHODS: Final[Mapping[WeightMethod, Callable[[Estimates], Vector]]] = {
    WeightMethod.EQUAL: lambda estimates: np.full(len(estimates.names), 1 / len(estimates.names)),
    WeightMethod.SHRUNK_ONE_PERIOD: lambda estimates: PortfolioOptimiser().shrunk_one_period(estimates).as_vector(),
    WeightMethod.ONE_PERIOD: lambda estimates: PortfolioOptimiser().one_period(estimates).as_vector(),
    WeightMethod.MINIMUM_VARIANCE: _least_variance,
    WeightMethod.RISK_PARITY: lambda estimates: risk_budget_weights(estimates.covariance, None),
    WeightMethod.HIERARCHICAL: lambda estimates: hierarchical_weights(estimates.covariance),
    WeightMethod.INVERSE_VOLATILITY: lambda estimates: inverse_volatility_weights(estimates.covariance)}


def _above(returns: Matrix) -> Matrix:
    """What to take from `returns`, shape (T, n), so that all have the average Sharpe ratio."""
    deviations, means = returns.std(axis=0, ddof=1), returns.mean(axis=0)
    return np.asarray(means - deviations * float(np.mean(means / deviations)))
