"""Rules of one's own: what they do wrong is said with the rule and the instrument, and never becomes a position."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from made_market import MadeSimData, a_system, wandering

from trading.errors import DataError
from trading.systems.rules.own_rule import forecast_of_own_rule

PRICE = pd.Series([1.0, 2.0, 4.0], index=pd.bdate_range("2024-01-01", periods=3))


def asked(rule: Callable[..., Any]) -> pd.Series:
    return forecast_of_own_rule("fade (mine.fade) in A", rule, {"price": PRICE})


def broken(price: pd.Series) -> pd.Series:
    raise KeyError("volume")


@pytest.mark.parametrize(("rule", "message"), [
    (broken, "Rule fade (mine.fade) in A failed: KeyError: 'volume'. Mend the rule, or leave the instrument out."),
    (lambda price: 3.0, "Rule fade (mine.fade) in A gave a float instead of a series of forecasts over days. Return a "
                        "series with the index of the prices."),
    (lambda price: price.reset_index(drop=True), "Rule fade (mine.fade) in A gave a Series instead of a series of "
                                                 "forecasts over days. Return a series with the index of the prices."),
    (lambda price: price[::-1], "Rule fade (mine.fade) in A gave forecasts whose days are not in order or stand twice. "
                                "Return a series with the index of the prices.")])
def test_a_wrong_rule_is_named(rule: Callable[..., Any], message: str) -> None:
    with pytest.raises(DataError) as refusal:
        asked(rule)
    assert str(refusal.value) == message


def test_what_is_infinite_is_unknown() -> None:
    assert asked(lambda price: price / 0).isna().all()
    assert np.isnan(asked(lambda price: price.astype(object).where(price > 1, "none")).iloc[0])


def weekly(price: pd.Series) -> pd.Series:
    """An opinion on Wednesdays only."""
    return (price - price.mean())[price.index.day_of_week == 2]


def test_an_opinion_of_every_week_holds_between() -> None:
    own = {"weekly": {"rule": f"{__name__}.weekly", "scalar": 2.0, "weight": 1.0}}
    system = a_system(MadeSimData({"A": wandering(200)}), forecast_rules=own, forecast_div_multiplier=1.0)
    combined = system.combForecast.combined_forecast("A")
    said = weekly(system.rawdata.daily_prices("A")) * 2
    assert combined.iloc[-1] == pytest.approx(float(np.clip(said.iloc[-1], -20, 20)), rel=0.05)
    assert system.portfolio.optimal_position("A").optimal != 0


def test_a_right_rule_says_what_it_says() -> None:
    assert asked(lambda price: price * 2).tolist() == [2.0, 4.0, 8.0]
