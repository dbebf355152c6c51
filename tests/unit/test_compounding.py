"""Capital of a backtest, compounded by two rules."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.conventions import PYSYSTEMTRADE
from trading.errors import DataError
from trading.objects.compounding import full_multiplier, half_multiplier

RETURNS = st.lists(st.one_of(st.just(float("nan")), st.floats(-1.5, 1.5)), max_size=40)


def days(values: list[float]) -> pd.Series:
    return pd.Series(values, index=pd.bdate_range("2021-01-04", periods=len(values)), dtype=float)


@given(RETURNS)
def test_half_compounding_is_a_walk_under_a_ceiling(values: list[float]) -> None:
    capital, expected = 1.0, []
    for change in values:
        capital = min(1.0, max(0.0, capital * (1.0 + (0.0 if np.isnan(change) else change))))
        expected.append(capital)
    assert half_multiplier(days(values)).tolist() == pytest.approx(expected, rel=1e-9, abs=1e-12)


@given(RETURNS)
def test_full_compounding_is_a_product_that_stays_lost(values: list[float]) -> None:
    capital, expected = 1.0, []
    for change in values:
        capital *= max(0.0, 1.0 + (0.0 if np.isnan(change) else change))
        expected.append(capital)
    assert full_multiplier(days(values)).tolist() == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_a_loss_of_a_tenth_on_half_of_the_capital_is_a_twentieth() -> None:
    returns = days([0.0, -0.5, -0.1, 1.0, 1.0])
    assert half_multiplier(returns).tolist() == pytest.approx([1.0, 0.5, 0.45, 0.9, 1.0])
    assert half_multiplier(returns, PYSYSTEMTRADE).tolist() == pytest.approx([1.0, 0.5, 0.475, 0.700625, 1.0])


def test_the_first_return_counts() -> None:
    assert half_multiplier(days([-0.5, 0.1])).tolist() == [0.5, 0.55]
    assert half_multiplier(days([-0.5, 0.1]), PYSYSTEMTRADE).tolist() == [1.0, 1.0]


def test_an_infinite_return_is_refused() -> None:
    for multiplier in (full_multiplier, half_multiplier):
        with pytest.raises(DataError, match="A return is infinite"):
            multiplier(days([np.inf]))
