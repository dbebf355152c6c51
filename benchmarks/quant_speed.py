"""How long the sums of a trading day take: whole contracts for 100 instruments, weights and covariances for 500.

Everything is made up from fixed seeds: returns with a few common factors and unlike volatilities, as futures have.
"""

import statistics
import time
from collections.abc import Callable

import numpy as np

from trading.quant.arrays import Matrix
from trading.quant.dynamic_positions import DynamicInputs, TradingSpeed, dynamic_positions
from trading.quant.quadratic_program import QuadraticProgram, solve
from trading.quant.shrinkage import (
    ledoit_wolf_constant_correlation,
    ledoit_wolf_correlation,
    ledoit_wolf_identity,
)
from trading.quant.weight_bounds import bounds_for

REPEATS = 9


def measure() -> dict[str, float]:
    """Medians in milliseconds, after one call that imports what is needed."""
    returns = made_up_returns(2500, 500)
    program = least_variance(returns)
    day = one_day(100)
    return {"dynamic_ms": median_ms(lambda: dynamic_positions(day, TradingSpeed(shadow_cost=50))),
            "minimum_variance_ms": median_ms(lambda: solve(program)),
            "identity_ms": median_ms(lambda: ledoit_wolf_identity(returns)),
            "correlation_ms": median_ms(lambda: ledoit_wolf_correlation(returns)),
            "constant_correlation_ms": median_ms(lambda: ledoit_wolf_constant_correlation(returns))}


def made_up_returns(periods: int, instruments: int) -> Matrix:
    """Eight common factors, own noise, volatilities from 0.1 to 3 % a day."""
    random = np.random.default_rng(1)
    common = random.standard_normal((periods, 8)) @ random.standard_normal((8, instruments))
    noise = 2 * random.standard_normal((periods, instruments))
    return np.asarray((common + noise) / 3 * 10 ** random.uniform(-3, -1.5, instruments), dtype=float)


def least_variance(returns: Matrix) -> QuadraticProgram:
    """Long only, of the sample covariance."""
    count = returns.shape[1]
    return QuadraticProgram(hessian=np.cov(returns.T), cost=np.zeros(count), kink=np.zeros(count),
                            bounds=bounds_for([str(place) for place in range(count)]))


def one_day(count: int) -> DynamicInputs:
    """A book of about 550 contracts, held some way off the optimum."""
    random = np.random.default_rng(2)
    covariance = np.cov(made_up_returns(500, count).T) * 256
    value = 0.02 / np.sqrt(np.diag(covariance))
    optimal = random.normal(0, 7, count)
    return DynamicInputs(names=tuple(str(place) for place in range(count)), optimal=optimal, value=value,
                         cost=random.uniform(1e-6, 2e-5, count), covariance=covariance,
                         held=np.rint(optimal + random.normal(0, 2, count)).astype(np.int64))


def median_ms(work: Callable[[], object]) -> float:
    """Of several calls after a first one."""
    work()
    taken = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        work()
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken)
