"""VolatilityEstimator by hand."""

import numpy as np
import pandas as pd
import pytest

from trading.quant.methods import VolatilityMethod
from trading.quant.volatility import VolatilityEstimator

FAST_ONLY = VolatilityEstimator(span=3, min_periods=2, slow_weight=0.0)


def test_two_changes_by_hand() -> None:
    # weights 1/3 and 2/3, mean 3, variance 1/3 * 4 + 2/3 * 1 = 2, bias 1 / (1 - 5/9): 4.5
    assert FAST_ONLY.estimate(pd.Series([1.0, 4.0])).iloc[-1] == pytest.approx(np.sqrt(4.5))


def test_the_slow_part_is_the_average_of_the_fast_one() -> None:
    estimator = VolatilityEstimator(span=3, min_periods=2, slow_weight=1.0, slow_years=1e9)
    changes = pd.Series([1.0, 4.0, -2.0, 0.5])
    fast = FAST_ONLY.estimate(changes)
    assert estimator.estimate(changes).iloc[-1] == pytest.approx(fast.mean())


def test_no_movement_gives_the_floor() -> None:
    assert VolatilityEstimator().estimate(pd.Series(np.zeros(50))).iloc[-1] == 1e-10


def test_too_few_changes_give_nothing() -> None:
    assert VolatilityEstimator().estimate(pd.Series(np.arange(9.0))).isna().all()


def test_no_changes_give_nothing() -> None:
    assert VolatilityEstimator().estimate(pd.Series(dtype="float64")).empty


def test_a_robust_volatility_is_never_below_that_of_the_quietest_days() -> None:
    changes = pd.Series(np.where(np.arange(900) % 2, 1.0, -1.0))
    changes.iloc[600:] *= 0.01  # it falls asleep
    robust, fast = (VolatilityEstimator(method=VolatilityMethod(method), slow_weight=0.0).estimate(changes)
                    for method in ("robust", "mixed"))
    assert (robust >= fast - 1e-12)[10:].all()
    assert robust.iloc[615] == pytest.approx(robust.iloc[599])  # a fortnight's sleep is not believed
    assert fast.iloc[615] < 0.7 * robust.iloc[615]
    assert robust.iloc[-1] == pytest.approx(fast.iloc[-1], rel=0.05)  # that of a year is


def test_a_simple_volatility_counts_its_days_alike() -> None:
    changes = pd.Series([100.0, *([1.0, -1.0] * 15)])
    simple = VolatilityEstimator(method=VolatilityMethod.SIMPLE, simple_days=20).estimate(changes)
    assert simple.iloc[-1] == pytest.approx(np.std([1.0, -1.0] * 10, ddof=1))
    assert simple.iloc[8:10].isna().tolist() == [True, False]
