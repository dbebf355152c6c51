"""Forecasts: scaled, capped, combined; rules without an opinion count nothing."""

import numpy as np
import pandas as pd
import pytest
from made_market import RULES, MadeSimData, a_system, multiple, wandering

from trading.systems.forecasts import CombineForecasts, ForecastScaleCap, Rules
from trading.systems.system import System


def with_carry_from(day: int) -> System:
    """A system whose carry price begins at row `day`."""
    price = wandering()
    carry = (price + 0.5).where(np.arange(len(price)) >= day)
    return a_system(MadeSimData({"A": price}, {"A": multiple(price, carry)}))


def test_a_forecast_is_scaled_then_capped() -> None:
    system = a_system(MadeSimData({"A": wandering()}), forecast_cap=4.0)
    raw, capped = system.stage(Rules).raw_forecast("A", "fast_trend"), system.stage(ForecastScaleCap)
    assert capped.capped_forecast("A", "fast_trend").abs().max() == 4.0
    pd.testing.assert_series_equal(capped.capped_forecast("A", "fast_trend"), (5.0 * raw).clip(-4, 4))


def test_a_rule_without_an_opinion_leaves_its_weight_to_the_others() -> None:
    weights = with_carry_from(10**6).stage(CombineForecasts).forecast_weights("A")
    assert weights["fast_trend"].iloc[-1] > 0.99
    assert weights["carry"].iloc[-1] == 0.0


def test_weights_move_slowly_when_a_rule_joins() -> None:
    weights = with_carry_from(100).stage(CombineForecasts).forecast_weights("A")["carry"]
    assert weights.iloc[99] == 0.0
    assert 0.0 < weights.iloc[101] < 0.05
    assert weights.iloc[150] > weights.iloc[101]


def test_an_opinion_holds_until_there_is_a_new_one() -> None:
    price = wandering()
    carry = (price + 0.5).where(np.arange(len(price)) < 150)
    data = MadeSimData({"A": price}, {"A": multiple(price, carry)})
    combined = a_system(data, forecast_rules={"carry": RULES["carry"]}).stage(CombineForecasts).combined_forecast("A")
    assert combined.iloc[-1] == pytest.approx(combined.iloc[149], rel=0.05)


def test_the_combined_forecast_is_capped_after_the_multiplier() -> None:
    system = a_system(MadeSimData({"A": wandering()}), forecast_cap=5.0, forecast_div_multiplier=2.5)
    assert system.stage(CombineForecasts).combined_forecast("A").abs().max() <= 5.0


def test_before_there_is_any_forecast_the_combination_is_unknown() -> None:
    assert np.isnan(with_carry_from(0).stage(CombineForecasts).combined_forecast("A").iloc[0])
