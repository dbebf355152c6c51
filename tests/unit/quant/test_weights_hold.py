"""What holds for every answer of an optimiser: bounds, sum, that nobody does better, that units do not matter."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trading.quant.arrays import Vector
from trading.quant.covariance import CovarianceEstimator, CovarianceMethod
from trading.quant.portfolio_optimiser import PortfolioOptimiser, Uncertainty, UncertaintySet
from trading.quant.portfolio_weights import PortfolioWeights
from trading.quant.sharpe_ratio import NothingToGain
from trading.quant.uncertain_means import box, ellipsoid_radius, ellipsoid_shape
from trading.quant.weight_bounds import InfeasibleBounds, WeightBounds, bounds_for

SAMPLE = CovarianceEstimator(method=CovarianceMethod.SAMPLE)
AVERSION = 5.0
ELLIPSOID, BOX = Uncertainty(), Uncertainty(set=UncertaintySet.BOX)
METHODS: dict[str, Callable[[PortfolioOptimiser, pd.DataFrame], PortfolioWeights]] = {
    "minimum variance": PortfolioOptimiser.minimum_variance,
    "mean-variance": lambda optimiser, returns: optimiser.mean_variance(returns, AVERSION),
    "ellipsoid": lambda optimiser, returns: optimiser.robust(returns, AVERSION, ELLIPSOID),
    "box": lambda optimiser, returns: optimiser.robust(returns, AVERSION, BOX),
    "Sharpe ratio": PortfolioOptimiser.max_sharpe,
}


def value(method: str, weights: Vector, returns: pd.DataFrame) -> float:
    """What the method makes as large as it can, written out."""
    mean, covariance, periods = returns.mean().to_numpy(), np.cov(returns.to_numpy().T).reshape(2 * weights.shape), len(
        returns)
    variance, gain = float(weights @ covariance @ weights), float(weights @ mean)
    match method:
        case "minimum variance":
            return -variance
        case "mean-variance":
            return gain - AVERSION / 2 * variance
        case "Sharpe ratio":
            return gain / np.sqrt(variance)
        case "box":
            return gain - AVERSION / 2 * variance - float(box(covariance, periods, 0.95) @ np.abs(weights))
        case _:
            doubt = ellipsoid_shape(covariance, periods)
            return gain - AVERSION / 2 * variance - ellipsoid_radius(0.95, len(weights), periods) * float(
                np.sqrt(weights @ doubt @ weights))


def made_up(seed: int, count: int, spread: float) -> pd.DataFrame:
    """Returns with a common factor, volatilities that differ up to `spread` times, some of the means negative."""
    random = np.random.default_rng(seed)
    values = random.standard_normal((6 * count + 20, count)) + random.standard_normal((6 * count + 20, 1))
    volatility = 0.001 * spread ** random.uniform(0, 1, count)
    return pd.DataFrame((values + random.normal(0.1, 0.1, count)) * volatility, columns=[f"I{k}" for k in range(count)])


def feasible(seed: int, bounds: WeightBounds, count: int = 100) -> list[Vector]:
    """Random weights inside the bounds with sum 1: random ones moved towards the bound that mends their sum."""
    random, found = np.random.default_rng(seed), []
    for _ in range(count):
        weights = random.uniform(bounds.lower, bounds.upper)
        target = bounds.upper if weights.sum() < 1 else bounds.lower
        way = abs(target.sum() - weights.sum())
        found.append(weights + (target - weights) * (abs(1 - weights.sum()) / way if way > 0 else 0.0))
    return found


def limits(count: int, kind: str) -> PortfolioOptimiser:
    low, high = {"long only": (0.0, 1.0), "capped": (0.0, 1.5 / count), "short too": (-0.3, 0.6 + 1 / count),
                 "all invested": (0.3 / count, 1.0)}[kind]
    return PortfolioOptimiser(lower=low, upper=high, covariance=SAMPLE)


@pytest.mark.parametrize("method", METHODS)
@given(seed=st.integers(0, 10_000), count=st.integers(1, 9), spread=st.sampled_from([1.0, 10.0, 1000.0]),
       kind=st.sampled_from(["long only", "capped", "short too", "all invested"]))
@settings(max_examples=30)
def test_weights_keep_to_their_bounds_and_nobody_does_better(method: str, seed: int, count: int, spread: float,
                                                             kind: str) -> None:
    returns, optimiser = made_up(seed, count, spread), limits(count, kind)
    bounds = bounds_for(list(returns.columns), optimiser.lower, optimiser.upper)
    try:
        weights = METHODS[method](optimiser, returns).as_vector()
    except NothingToGain:
        assert max(value(method, other, returns) for other in feasible(seed, bounds)) <= 1e-12
        return
    assert weights.sum() == pytest.approx(1, abs=1e-9)
    assert np.all(weights >= bounds.lower - 1e-9)
    assert np.all(weights <= bounds.upper + 1e-9)
    ours = value(method, weights, returns)
    for other in feasible(seed, bounds):
        assert value(method, other, returns) <= ours + 1e-7 * abs(ours) + 1e-15


FREE_OF_UNITS: dict[str, Callable[[PortfolioOptimiser, pd.DataFrame], PortfolioWeights]] = {
    "minimum variance": PortfolioOptimiser.minimum_variance, "Sharpe ratio": PortfolioOptimiser.max_sharpe,
    "risk parity": PortfolioOptimiser.risk_parity, "hierarchical": PortfolioOptimiser.hierarchical,
    "inverse volatility": PortfolioOptimiser.inverse_volatility,
    "shrinkage": PortfolioOptimiser.get_weights_using_shrinkage}


@pytest.mark.parametrize("method", FREE_OF_UNITS)
@given(seed=st.integers(0, 10_000), count=st.integers(2, 8), exponent=st.integers(-9, 6))
@settings(max_examples=20)
def test_units_of_the_returns_do_not_matter(method: str, seed: int, count: int, exponent: int) -> None:
    returns = made_up(seed, count, 10.0).abs() + 1e-5
    weigh, optimiser = FREE_OF_UNITS[method], PortfolioOptimiser(covariance=SAMPLE)
    scaled = weigh(optimiser, returns * 10.0**exponent).as_vector()
    np.testing.assert_allclose(scaled, weigh(optimiser, returns).as_vector(), rtol=0, atol=1e-8)


@pytest.mark.parametrize("method", ["minimum variance", "Sharpe ratio", "risk parity"])
@given(seed=st.integers(0, 10_000), count=st.integers(2, 8))
@settings(max_examples=20)
def test_the_order_of_the_instruments_does_not_matter(method: str, seed: int, count: int) -> None:
    returns, optimiser = made_up(seed, count, 10.0).abs(), PortfolioOptimiser(covariance=SAMPLE)
    backwards = FREE_OF_UNITS[method](optimiser, returns[returns.columns[::-1]]).as_vector()[::-1]
    np.testing.assert_allclose(backwards, FREE_OF_UNITS[method](optimiser, returns).as_vector(), rtol=0, atol=1e-8)


@given(lower=st.lists(st.floats(-1, 1), min_size=1, max_size=6), room=st.lists(st.floats(0, 1), min_size=6, max_size=6))
def test_bounds_are_refused_exactly_when_nothing_fits_them(lower: list[float], room: list[float]) -> None:
    low = dict(zip("ABCDEF", lower, strict=False))
    high = {name: low[name] + wide for name, wide in zip(low, room, strict=False)}
    least, most = sum(low.values()), sum(high.values())
    if least <= 1 <= most:
        weights = bounds_for(list(low), low, high).some_weights()
        assert weights.sum() == pytest.approx(1)
    elif least > 1 + 1e-9 or most < 1 - 1e-9:
        with pytest.raises(InfeasibleBounds):
            bounds_for(list(low), low, high)


@given(seed=st.integers(0, 10_000), count=st.integers(2, 10))
@settings(max_examples=30)
def test_risk_is_shared_as_agreed(seed: int, count: int) -> None:
    returns = made_up(seed, count, 100.0)
    budget = dict(zip(returns.columns, np.random.default_rng(seed).uniform(0.1, 1, count), strict=True))
    weights = PortfolioOptimiser(covariance=SAMPLE).risk_parity(returns, budget).as_vector()
    contributions = weights * (np.cov(returns.to_numpy().T) @ weights)
    agreed = np.array(list(budget.values()))
    np.testing.assert_allclose(contributions / contributions.sum(), agreed / agreed.sum(), rtol=1e-7)
