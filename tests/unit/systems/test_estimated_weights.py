"""Weights and multipliers from the past: they add up, know what they may, and leave out what is too dear."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from made_market import RULES, MadeSimData, a_system, prices

from trading.errors import ConfigError, DataError
from trading.executors import ProcessPool
from trading.objects.instruments import Instrument
from trading.quant.methods import WeightMethod
from trading.systems.accounts import Accounts
from trading.systems.combined_forecasts import CombineForecasts
from trading.systems.forecast_weights import ForecastWeights
from trading.systems.instrument_weights import InstrumentWeights
from trading.systems.portfolio import Portfolio
from trading.systems.production_system import futures_system, system_config
from trading.systems.rule_accounts import RuleAccounts
from trading.systems.system import System

METHODS = tuple(WeightMethod)
UNWEIGHTED = {name: {key: value for key, value in rule.items() if key != "weight"} for name, rule in RULES.items()}
DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "architecture.md"


def walks(count: int = 1_200, seed: int = 5) -> MadeSimData:
    """Two markets that move alike and one that does not; the second begins later."""
    moves = np.random.default_rng(seed).normal(0, 1, (count, 3))
    moves[:, 1] = 0.9 * moves[:, 0] + 0.3 * moves[:, 1]
    series = {code: prices(100 + moves[:, place].cumsum()) for place, code in enumerate("ABC")}
    return MadeSimData(series | {"B": series["B"].iloc[300:]}, slippage=0.01)


def estimating(data: MadeSimData | None = None, method: str = "handcrafted", **settings: Any) -> System:
    return a_system(data or walks(), instrument_weight_estimate={"method": method},
                    instrument_div_multiplier="estimated", forecast_rules=UNWEIGHTED,
                    forecast_weight_estimate={"method": method}, forecast_div_multiplier="estimated", **settings)


@pytest.mark.parametrize("method", METHODS)
def test_weights_of_every_method_add_up_and_none_is_negative(method: str) -> None:
    system = estimating(method=method)
    fitted, rules = system.stage(InstrumentWeights).fitted(), system.stage(ForecastWeights).weights("A")
    np.testing.assert_allclose(fitted.sum(axis=1), 1.0)
    assert (fitted >= 0).all(axis=None)
    assert rules.sum(axis=1).iloc[-1] == pytest.approx(1.0, abs=0.01)
    assert (rules >= 0).all(axis=None)


def test_two_that_move_alike_share_what_one_alone_gets() -> None:
    newest = estimating().stage(InstrumentWeights).fitted().iloc[-1]
    assert newest["C"] > newest["A"] == pytest.approx(newest["B"], rel=0.2)


def test_multipliers_lie_between_one_and_two_and_a_half() -> None:
    system = estimating()
    for found in (system.stage(InstrumentWeights).multiplier(), system.stage(ForecastWeights).multiplier("A")):
        assert found.notna().all()
        assert 1.0 <= found.min() <= found.max() <= 2.5
        assert found.iloc[-1] > 1.05


def test_a_given_multiplier_is_what_it_is() -> None:
    system = a_system(walks())
    assert set(system.stage(InstrumentWeights).multiplier()) == {2.1}
    assert set(system.stage(ForecastWeights).multiplier("A")) == {1.31}


def test_weights_of_rules_may_be_each_instruments_own() -> None:
    own = a_system(walks(), forecast_rules=UNWEIGHTED, forecast_weight_estimate={
        "pooled": False, "past_sharpe": True, "method": "handcrafted"}).stage(ForecastWeights)
    pooled = a_system(walks(), forecast_rules=UNWEIGHTED, forecast_weight_estimate={
        "past_sharpe": True}).stage(ForecastWeights)
    assert own.weights("A").iloc[-1].tolist() != pytest.approx(own.weights("C").iloc[-1].tolist(), rel=1e-3)
    assert pooled.weights("A").iloc[-1].tolist() == pytest.approx(pooled.weights("C").iloc[-1].tolist(), rel=1e-3)


def test_dearer_trading_makes_a_fast_rule_lighter_when_the_past_counts() -> None:
    def fast_share(slippage: float) -> float:
        data = walks()
        data.slippage = slippage
        stage = a_system(data, forecast_rules=UNWEIGHTED, forecast_weight_estimate={"past_sharpe": True}).stage(
            ForecastWeights)
        return float(stage.weights("A")["fast_trend"].iloc[-1])
    assert fast_share(0.3) < fast_share(0.0)


def test_numbers_do_not_depend_on_who_computes_them() -> None:
    data, config = walks(), estimating(method="bootstrapped").config
    here = futures_system(data, config).stage(InstrumentWeights).fitted()
    with ProcessPool(2) as processes:
        elsewhere = futures_system(data, config, processes).stage(InstrumentWeights).fitted()
    pd.testing.assert_frame_equal(here, elsewhere)


def test_a_rule_that_costs_too_much_has_no_weight() -> None:
    accounts = a_system(walks()).stage(RuleAccounts)
    dear, cheap = accounts.cost("A", "fast_trend"), accounts.cost("A", "carry")
    assert dear > cheap
    between = a_system(walks(), highest_rule_cost=(dear + cheap) / 2).stage(ForecastWeights)
    assert between.affordable("A") == ("carry",)
    assert between.weights("A")["fast_trend"].max() == 0.0


def test_an_instrument_that_no_rule_can_pay_for_is_left_out_and_says_why() -> None:
    class OneIsDear(MadeSimData):
        def instrument(self, code: str) -> Instrument:
            return Instrument(code=code, point_size=10.0, currency="USD", slippage=5.0 if code == "A" else 0.0)

    system = a_system(OneIsDear(walks().adjusted), highest_rule_cost=0.2)
    with pytest.raises(DataError, match=r"^A is too dear for every rule: the cheapest, carry, takes \d\.\d{3} of a "
                                        r"Sharpe ratio a year, at most 0\.2 is allowed \(highest_rule_cost\)\. Allow "
                                        r"more, or leave A out\.$"):
        system.stage(Portfolio).optimal_position("A")
    assert system.stage(Portfolio).optimal_position("C").optimal != 0
    assert set(system.stage(Accounts).left_out()) == {"A"}


def test_weak_forecasts_count_nothing_where_the_threshold_says_so() -> None:
    threshold = {"instruments": ["A"], "threshold": 10.0}
    plain, mapped = a_system(walks()), a_system(walks(), forecast_threshold=threshold)
    forecast, ours = (system.stage(CombineForecasts).combined_forecast("A").dropna() for system in (plain, mapped))
    assert (ours[forecast.abs() < 9.9] == 0).all()
    assert (ours[forecast.abs() > 15].abs() > 0).all()
    pd.testing.assert_series_equal(plain.stage(CombineForecasts).combined_forecast("C"),
                                   mapped.stage(CombineForecasts).combined_forecast("C"))


def test_the_documented_settings_make_a_system() -> None:
    block = next(text for text in re.findall(r"```yaml\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
                 if "instrument_weight_estimate" in text)
    system = futures_system(walks(), system_config(yaml.safe_load(block)))
    assert system.stage(Accounts).portfolio().net.notna().any()


@pytest.mark.parametrize(("settings", "message"), [
    ({"forecast_rules": UNWEIGHTED}, "rules without a weight: fast_trend, carry; write one, or "
                                     "forecast_weight_estimate to have all of them estimated"),
    ({"forecast_weight_estimate": {}}, "forecast_weight_estimate estimates all weights, but these rules have one: "
                                       "fast_trend, carry; remove one or the other"),
    ({"instrument_weight_estimate": {}, "instrument_weights": {"A": 1.0}},
     "instrument_weights and instrument_weight_estimate exclude each other; remove one")])
def test_contradictions_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        a_system(walks(), **settings)
