"""What holds for every correlation matrix that we hand out."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trading.quant.correlation import CorrelationEstimator, CorrelationMethod
from trading.quant.correlation_cleaning import CorrelationCleaning, shrunk_to_average
from trading.quant.positive_semidefinite import is_positive_semidefinite, repaired_correlation, repaired_covariance
from trading.quant.returns import Missing


def anything(seed: int, count: int) -> np.ndarray:
    """A symmetric matrix with a unit diagonal that need not be a correlation matrix of anything."""
    upper = np.triu(np.random.default_rng(seed).uniform(-1, 1, (count, count)), 1)
    return upper + upper.T + np.eye(count)


def returns_with_holes(seed: int, count: int, share: float) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    values = random.standard_normal((120, count)) + random.standard_normal((120, 1))
    values[random.uniform(size=values.shape) < share] = np.nan
    return pd.DataFrame(values, columns=[f"I{k}" for k in range(count)])


@given(seed=st.integers(0, 100_000), count=st.integers(1, 12))
def test_repair_makes_any_matrix_positive_semidefinite(seed: int, count: int) -> None:
    repaired = repaired_correlation(anything(seed, count))
    assert is_positive_semidefinite(repaired)
    np.testing.assert_array_equal(np.diag(repaired), 1.0)
    np.testing.assert_array_equal(repaired, repaired.T)
    assert np.all(np.abs(repaired) <= 1)


@given(seed=st.integers(0, 100_000), count=st.integers(1, 10))
def test_repair_leaves_alone_what_needs_none(seed: int, count: int) -> None:
    good = np.atleast_2d(np.corrcoef(np.random.default_rng(seed).standard_normal((count, 40))))
    np.testing.assert_array_equal(repaired_correlation(good), good)


@given(seed=st.integers(0, 100_000), count=st.integers(2, 8))
def test_repair_of_a_covariance_keeps_the_variances(seed: int, count: int) -> None:
    deviations = np.random.default_rng(seed).uniform(0.01, 1, count)
    repaired = repaired_covariance(anything(seed, count) * np.outer(deviations, deviations))
    np.testing.assert_allclose(np.diag(repaired), deviations**2, rtol=1e-9)


@pytest.mark.parametrize("method", CorrelationMethod)
@given(seed=st.integers(0, 10_000), count=st.integers(2, 6),
       factors=st.lists(st.floats(1e-6, 1e6), min_size=6, max_size=6))
@settings(max_examples=10)
def test_correlations_do_not_depend_on_units(method: CorrelationMethod, seed: int, count: int,
                                             factors: list[float]) -> None:
    returns, estimator = returns_with_holes(seed, count, 0.0), CorrelationEstimator(method=method)
    found = estimator.estimate(returns).to_numpy()
    np.testing.assert_allclose(estimator.estimate(returns * factors[:count]), found, rtol=0, atol=1e-7)
    assert is_positive_semidefinite(found)
    np.testing.assert_allclose(np.diag(found), 1.0, rtol=1e-12)


@given(seed=st.integers(0, 10_000), count=st.integers(2, 8), share=st.floats(0, 0.5))
@settings(max_examples=30)
def test_pairwise_estimates_are_repaired(seed: int, count: int, share: float) -> None:
    cleaning = CorrelationCleaning(floor=0.0, clip=0.9)
    estimator = CorrelationEstimator(missing=Missing.PAIRWISE, span=20, cleaning=cleaning)
    assert is_positive_semidefinite(estimator.estimate(returns_with_holes(seed, count, share)).to_numpy())


@given(seed=st.integers(0, 10_000), count=st.integers(2, 8), shrinkage=st.floats(0, 1))
def test_shrinking_keeps_the_average(seed: int, count: int, shrinkage: float) -> None:
    off = ~np.eye(count, dtype=bool)
    before = anything(seed, count)
    assert shrunk_to_average(before, shrinkage)[off].mean() == pytest.approx(before[off].mean(), abs=1e-12)
