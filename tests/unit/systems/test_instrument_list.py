"""Which instruments are traded, and the reason of each that is not."""

from typing import Any

import pytest
from made_market import MadeSimData, a_system, wandering

from trading.errors import ConfigError, DataError
from trading.systems.accounts import Accounts
from trading.systems.forecasts import ForecastScaleCap
from trading.systems.instrument_weights import InstrumentWeights
from trading.systems.system import System


def of_four(**settings: Any) -> System:
    return a_system(MadeSimData({code: wandering(600, level) for code, level in zip(
        "ABCD", (100.0, 50.0, 70.0, 90.0), strict=True)}), **settings)


LISTS: dict[str, Any] = {"ignore_instruments": ["A"], "duplicate_instruments": {"C": ["B"]}, "bad_markets": ["D"]}


def test_each_that_is_not_traded_has_its_reason() -> None:
    instruments = of_four(**LISTS).instruments
    assert (instruments.codes, instruments.traded) == (("C", "D"), ("C",))
    assert instruments.not_traded == {"A": "it is ignored (ignore_instruments)",
                                      "B": "C is used instead (duplicate_instruments)",
                                      "D": "it is too dear or too thin (bad_markets)"}


def test_a_restricted_instrument_helps_to_estimate_but_is_not_weighed() -> None:
    pooled = {"it": {"rule": "ewmac", "fast": 4, "slow": 16, "scalar": "pooled", "weight": 1.0}}
    all_four, three, restricted = (of_four(forecast_rules=pooled, **lists) for lists in (
        {}, {"ignore_instruments": ["D"]}, {"trading_restrictions": ["D"]}))
    scalars = [system.stage(ForecastScaleCap).forecast_scalar("A", "it").iloc[-1]
               for system in (all_four, three, restricted)]
    assert scalars[0] == scalars[2] != scalars[1]
    weights = restricted.stage(InstrumentWeights).weights()
    assert list(weights.columns) == ["A", "B", "C"]
    assert weights.iloc[-1].nunique() == 1
    with pytest.raises(DataError, match=r"^D is not traded by this system \(we may not trade it "
                                        r"\(trading_restrictions\)\)\."):
        restricted.stage(InstrumentWeights).weight("D")


def test_given_weights_of_what_is_not_traded_go_to_the_others() -> None:
    weights = of_four(instrument_weights={"A": 0.5, "B": 0.25, "C": 0.25}, bad_markets=["A"]).stage(InstrumentWeights)
    assert weights.weight("B").iloc[-1] == pytest.approx(0.5, abs=0.01)


def test_the_account_says_who_was_left_out() -> None:
    assert of_four(**LISTS).stage(Accounts).left_out() == {
        "A": "it is ignored (ignore_instruments)", "B": "C is used instead (duplicate_instruments)",
        "D": "it is too dear or too thin (bad_markets)"}


def test_a_system_that_may_trade_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"^The system has nothing left to trade: A: it is ignored "
                                          r"\(ignore_instruments\)\. Take one of them off its list\.$"):
        _ = of_four(instruments=["A"], ignore_instruments=["A"]).instruments
