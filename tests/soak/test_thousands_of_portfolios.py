"""Thousands of panels, many nearly singular, some with copies: nobody does better, and hardly any is refused."""

import warnings
from collections import Counter

import numpy as np
import pytest

from trading.quant.arrays import Vector
from trading.quant.cone_program import ConeProgram, solve_cone
from trading.quant.quadratic_program import NotSolved, QuadraticProgram, solve
from trading.quant.uncertain_means import ellipsoid_radius, ellipsoid_shape
from trading.quant.weight_bounds import WeightBounds, bounds_for

pytestmark = pytest.mark.soak
PANELS = 20_000


def panel(random: np.random.Generator) -> np.ndarray:
    count, spread = int(random.choice([2, 3, 5, 8, 15, 30, 60])), float(random.choice([1, 10, 1e3, 9e3]))
    periods = count + 2 if random.uniform() < 0.3 else 6 * count + 20
    values = random.standard_normal((periods, count)) + random.standard_normal((periods, 1))
    values = (values + random.normal(0.1, 0.1, count)) * 0.001 * spread ** random.uniform(0, 1, count)
    if random.uniform() < 0.1:
        values[:, 1] = values[:, 0]
    return values


def limits(random: np.random.Generator, count: int) -> WeightBounds:
    low, high = [(0.0, 1.0), (0.0, 1.5 / count), (-0.3, 0.6 + 1 / count), (0.3 / count, 1.0)][random.integers(4)]
    return bounds_for([str(place) for place in range(count)], low, high)


def others(random: np.random.Generator, bounds: WeightBounds) -> list[Vector]:
    """Random weights inside the bounds that sum to 1."""
    found = []
    for _ in range(20):
        weights = random.uniform(bounds.lower, bounds.upper)
        target = bounds.upper if weights.sum() < 1 else bounds.lower
        way = abs(target.sum() - weights.sum())
        found.append(weights + (target - weights) * (abs(1 - weights.sum()) / way if way > 0 else 0.0))
    return found


def test_of_thousands_of_portfolios_none_is_beaten() -> None:
    counted: Counter[str] = Counter()
    for seed in range(PANELS):
        random = np.random.default_rng([3, seed])
        values = panel(random)
        program = made(random, values, limits(random, values.shape[1]))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", RuntimeWarning)
                weights = solve(program) if isinstance(program, QuadraticProgram) else solve_cone(program)
        except NotSolved:
            counted["refused"] += 1
            continue
        best = min(program.value(other) for other in others(random, program.bounds))
        assert program.value(weights) <= best + 1e-6 * abs(best) + 1e-15, seed
        counted["solved"] += 1
    assert counted["refused"] <= PANELS / 200, counted


def made(random: np.random.Generator, values: np.ndarray, bounds: WeightBounds) -> QuadraticProgram | ConeProgram:
    covariance, mean, (periods, count) = np.cov(values.T), values.mean(axis=0), values.shape
    kind, zero = random.integers(4), np.zeros(count)
    if kind == 0:
        return QuadraticProgram(hessian=covariance, cost=zero, kink=zero, bounds=bounds)
    if kind == 1:
        return QuadraticProgram(hessian=5 * covariance, cost=-mean, kink=zero, bounds=bounds)
    if kind == 2:
        width = 1.96 * np.sqrt(np.diag(covariance) / periods)
        return QuadraticProgram(hessian=5 * covariance, cost=-mean, kink=width, bounds=bounds)
    return ConeProgram(mean=mean, shape=ellipsoid_shape(covariance, periods), covariance=covariance,
                       radius=ellipsoid_radius(0.95, count, periods), aversion=5.0, bounds=bounds)
