"""Forecasts: scaled, capped, combined; rules without an opinion count nothing."""

import numpy as np
import pandas as pd
import pytest
from made_market import RULES, MadeSimData, a_system, multiple, wandering

from trading.systems.combined_forecasts import CombineForecasts
from trading.systems.forecast_weights import ForecastWeights
from trading.systems.forecasts import ForecastScaleCap, Rules
from trading.systems.rawdata import RawData
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
    weights = with_carry_from(10**6).stage(ForecastWeights).weights("A")
    assert weights["fast_trend"].iloc[-1] > 0.99
    assert weights["carry"].iloc[-1] == 0.0


def test_weights_move_slowly_when_a_rule_joins() -> None:
    weights = with_carry_from(100).stage(ForecastWeights).weights("A")["carry"]
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


ESTIMATED = {"it": {"rule": "ewmac", "fast": 4, "slow": 16, "scalar": "estimated", "weight": 1.0}}


def test_an_estimated_scalar_makes_the_past_ten_on_average() -> None:
    stage = a_system(MadeSimData({"A": wandering(800)}), forecast_rules=ESTIMATED).stage(ForecastScaleCap)
    raw = a_system(MadeSimData({"A": wandering(800)})).stage(Rules).raw_forecast("A", "fast_trend")
    scalar = stage.forecast_scalar("A", "it")
    assert scalar.iloc[-1] == pytest.approx(10 / raw.abs().mean())
    assert scalar.first_valid_index() == raw.dropna().index[499]
    assert stage.scaled_forecast("A", "it").abs().iloc[-1] == pytest.approx(abs(raw.iloc[-1]) * scalar.iloc[-1])


def test_nothing_is_forecast_before_the_scalar_is_known_but_by_the_peer() -> None:
    data = MadeSimData({"A": wandering(800)})
    ours = a_system(data, forecast_rules=ESTIMATED).stage(ForecastScaleCap).capped_forecast("A", "it")
    theirs = a_system(data, forecast_rules=ESTIMATED, conventions="pysystemtrade").stage(ForecastScaleCap)
    assert ours.iloc[:500].isna().all()
    assert theirs.capped_forecast("A", "it").iloc[20:500].notna().all()


def test_a_pooled_scalar_is_the_same_for_all() -> None:
    pooled = {"it": ESTIMATED["it"] | {"scalar": "pooled"}}
    stage = a_system(MadeSimData({"A": wandering(800), "B": wandering(700, 50.0) * 2}), forecast_rules=pooled).stage(
        ForecastScaleCap)
    assert stage.forecast_scalar("A", "it").equals(stage.forecast_scalar("B", "it"))


def test_a_forecast_is_smaller_while_the_volatility_is_high() -> None:
    quiet, loud = wandering(400), wandering(400) * 1.0
    loud.iloc[380:] += np.where(np.arange(20) % 2, 8.0, -8.0)
    attenuations = [a_system(MadeSimData({"A": each})).stage(RawData).attenuation("A") for each in (quiet, loud)]
    assert attenuations[1].iloc[-1] < attenuations[0].iloc[-1]
    assert all(0.5 <= value <= 2 for value in attenuations[1])
    attenuated = {"it": ESTIMATED["it"] | {"scalar": 5.0, "attenuated": True}}
    stage = a_system(MadeSimData({"A": loud}), forecast_rules=attenuated).stage(ForecastScaleCap)
    raw = a_system(MadeSimData({"A": loud})).stage(Rules).raw_forecast("A", "fast_trend")
    assert stage.scaled_forecast("A", "it").iloc[-1] == pytest.approx(raw.iloc[-1] * 5 * attenuations[1].iloc[-1])
