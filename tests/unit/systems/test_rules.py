"""The trading rules on small series whose answer is known by hand."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_market import MadeSimData, a_system, prices, wandering

from trading.errors import ConfigError, DataError
from trading.systems.forecasts import Rules
from trading.systems.rules.breakout import breakout
from trading.systems.rules.carry import carry
from trading.systems.rules.ewmac import ewmac
from trading.systems.rules.moves import accel, bias, mr_wings
from trading.systems.rules.registry import RULES, rule_function, settings_of

SETTINGS: dict[str, dict[str, int]] = {
    "accel": {"fast": 16}, "assettrend": {"fast": 8, "slow": 32}, "bias": {"direction": 1},
    "breakout": {"lookback": 40}, "carry": {"smooth_days": 30}, "ewmac": {"fast": 8, "slow": 32},
    "mr_wings": {"fast": 4}, "mrinasset": {"horizon": 40}, "normmom": {"fast": 8, "slow": 32}, "relcarry": {},
    "relmomentum": {"horizon": 20}, "skewabs": {"days": 90, "smooth": 30}, "skewrv": {"days": 90, "smooth": 30}}
DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "architecture.md"


def market() -> MadeSimData:
    return MadeSimData({"A": wandering(400), "B": wandering(400, 50.0) ** 1.01, "C": wandering(300, 80.0)})


def raw_forecast(rule: str, settings: dict[str, int], code: str = "A", data: MadeSimData | None = None) -> pd.Series:
    rules = {"it": {"rule": rule, "scalar": 1.0, "weight": 1.0, **settings}}
    return a_system(data or market(), forecast_rules=rules).stage(Rules).raw_forecast(code, "it")


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_has_an_opinion_when_it_knows_enough(rule: str) -> None:
    forecast = raw_forecast(rule, SETTINGS[rule])
    assert np.isfinite(forecast.iloc[-1])
    assert forecast.index.is_monotonic_increasing


@pytest.mark.parametrize("rule", RULES)
def test_no_rule_looks_ahead(rule: str) -> None:
    whole, cut = market(), market()
    last = whole.adjusted["A"].index[-20]
    cut.adjusted = {code: values[:last] for code, values in whole.adjusted.items()}
    early = raw_forecast(rule, SETTINGS[rule], data=cut)
    pd.testing.assert_series_equal(raw_forecast(rule, SETTINGS[rule], data=whole).reindex(early.index), early)


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_and_its_settings_are_documented(rule: str) -> None:
    [line] = [line for line in DOCUMENT.read_text().splitlines() if line.startswith(f"| `{rule}` |")]
    for setting in RULES[rule].settings:
        assert f"`{setting}`" in line


@pytest.mark.parametrize("rule", RULES)
def test_what_is_said_of_a_rule_is_what_it_needs(rule: str) -> None:
    assert set(settings_of(rule_function(rule))) == set(RULES[rule].settings)


def fade(price: pd.Series, days: int, share: float) -> pd.Series:
    """A rule of somebody else."""
    return -share * price.diff(days)


def test_a_rule_of_ones_own_is_named_by_its_path() -> None:
    forecast = raw_forecast(f"{__name__}.fade", {"days": 5, "share": 2.0})  # type: ignore[dict-item]
    price = wandering(400)
    assert forecast.iloc[-1] == pytest.approx(-2 * (price.iloc[-1] - price.iloc[-6]))


@pytest.mark.parametrize(("rule", "settings", "said"), [
    ("fade", {}, "there is no rule fade (there: accel, "),
    ("nowhere.fade", {}, "the rule nowhere.fade cannot be imported"),
    ("ewmac", {"fast": 4}, "rule ewmac needs exactly fast, slow"), ("relcarry", {"x": 1}, "needs exactly no settings"),
    ("bias", {"direction": 2}, "direction of rule bias must be 1 (long) or -1 (short); found 2"),
    ("accel", {"fast": 0.5}, "fast of rule accel must be a whole number of at least 1; found 0.5"),
    ("skewabs", {"smooth": 5}, "rule skewabs needs exactly days, smooth")])
def test_a_rule_that_makes_no_sense_is_refused(rule: str, settings: dict[str, int], said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        raw_forecast(rule, settings)
    assert said in str(refused.value)


def test_one_instrument_is_its_own_class_and_stands_exactly_in_its_middle() -> None:
    alone = MadeSimData({"A": wandering(400)})
    for rule in ("relmomentum", "mrinasset", "relcarry"):
        assert raw_forecast(rule, SETTINGS[rule], data=alone).dropna().abs().max() == pytest.approx(0.0, abs=1e-9)


def test_falling_back_is_the_opposite_of_running_ahead() -> None:
    ahead = raw_forecast("relmomentum", {"horizon": 40})
    pd.testing.assert_series_equal(raw_forecast("mrinasset", {"horizon": 40}), -ahead)


def test_a_broken_instrument_does_not_take_its_class_with_it() -> None:
    class Broken(MadeSimData):
        def adjusted_prices(self, code: str) -> pd.Series:
            if code == "B":
                raise DataError("B is broken")
            return super().adjusted_prices(code)

    forecast = raw_forecast("relmomentum", {"horizon": 20}, data=Broken({"A": wandering(400), "B": wandering(400)}))
    assert np.isfinite(forecast.iloc[-1])


def test_acceleration_of_a_steady_trend_is_nothing() -> None:
    price = prices(np.arange(400.0))
    assert accel(price, prices([1.0] * 400), 4).iloc[-1] == pytest.approx(0.0, abs=1e-9)


def test_wings_speak_only_at_extremes() -> None:
    calm = prices([*np.sin(np.arange(300) / 3), *range(30)])
    forecast = mr_wings(calm, prices([1.0] * 330), 4)
    assert (forecast.iloc[20:280] == 0).all()
    assert forecast.iloc[-1] < 0


def test_bias_is_always_there() -> None:
    assert set(bias(prices([1.0, np.nan, 3.0]), -1)) == {-10.0}


def test_ewmac_of_two_days_by_hand() -> None:
    # spans 1 and 3: weights (0, 1) and (1/2, 1) / 1.5 on prices 10, 13; volatility 2
    forecast = ewmac(prices([10, 13]), prices([2, 2]), fast=1, slow=3)
    assert forecast.tolist() == pytest.approx([0.0, (13 - (0.5 * 10 + 13) / 1.5) / 2])


def test_ewmac_does_not_care_where_zero_lies() -> None:
    price, volatility = wandering(), prices(np.full(200, 1.3))
    pd.testing.assert_series_equal(ewmac(price - 500, volatility, 4, 16), ewmac(price, volatility, 4, 16), rtol=1e-9)


def test_a_constant_price_has_no_trend() -> None:
    assert (ewmac(prices([5.0] * 40), prices([1.0] * 40), 4, 16) == 0).all()


def test_breakout_of_a_steady_rise_stays_at_the_top_of_the_range() -> None:
    assert breakout(prices(range(50)), lookback=4).iloc[-1] == pytest.approx(20.0)


def test_breakout_in_the_middle_of_the_range_is_nothing() -> None:
    # no smoothing with a lookback of 4: the last of 0, 2, 4, 2 lies half way
    assert breakout(prices([0, 2, 4, 2]), lookback=4).iloc[-1] == pytest.approx(0.0)


def test_breakout_without_a_range_is_unknown() -> None:
    assert breakout(prices([7.0] * 30), lookback=10).isna().all()


def test_breakout_of_a_series_shorter_than_half_its_lookback_answers_from_the_last_day_on() -> None:
    assert breakout(prices([1, 2, 3]), lookback=20).isna().tolist() == [True, True, True]


def test_carry_is_smoothed_with_a_centre_of_mass() -> None:
    # centre of mass 1: weights (1/2, 1) / 1.5
    assert carry(prices([0.3, 0.6]), smooth_days=1).tolist() == pytest.approx([0.3, (0.15 + 0.6) / 1.5])
