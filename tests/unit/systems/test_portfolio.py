"""Portfolio: what is wanted after the last day, and when nothing can be said."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from made_market import RULES, MadeSimData, a_system, multiple, prices, wandering

from trading.errors import DataError
from trading.systems.contract_risk import ContractRisk
from trading.systems.instrument_weights import InstrumentWeights
from trading.systems.portfolio import Portfolio
from trading.systems.position_size import PositionSize

TREND_ONLY = {"fast_trend": RULES["fast_trend"] | {"weight": 1.0}}


def weights_of(data: MadeSimData, **settings: Any) -> InstrumentWeights:
    return a_system(data, **settings).stage(InstrumentWeights)


def portfolio(data: MadeSimData, **settings: Any) -> Portfolio:
    return a_system(data, **settings).stage(Portfolio)


def test_the_optimal_position_knows_its_buffer_and_its_price() -> None:
    price = wandering()
    position = portfolio(MadeSimData({"A": price})).optimal_position("A")
    assert position.optimal != 0
    assert position.upper - position.optimal == pytest.approx(0.1 * abs(position.optimal))
    assert position.optimal - position.lower == pytest.approx(0.1 * abs(position.optimal))
    assert (position.reference_price, position.reference_contract) == (price.iloc[-1], "20260300")
    assert position.as_of == datetime(2024, 10, 4, 20, tzinfo=UTC)


def test_the_position_is_as_old_as_the_older_of_its_two_price_series() -> None:
    price = wandering()
    data = MadeSimData({"A": price.iloc[:-5]}, {"A": multiple(price, price + 0.5)})
    assert portfolio(data).optimal_position("A").as_of == price.index[-6].to_pydatetime()


def test_a_position_by_hand() -> None:
    # block value 97.9875 * 2500 / 100 = 2449.6875 (pysystemtrade.md 4.6)
    price = wandering()
    system = a_system(MadeSimData({"A": price}, {"A": multiple(prices(np.full(200, 97.9875)))}, point_size=2500.0),
                      notional_trading_capital=256_000)
    sizes, risk, raw = system.stage(PositionSize), system.stage(ContractRisk), system.rawdata
    value_volatility = 2449.6875 * raw.percentage_volatility("A").iloc[-1]
    assert risk.value_volatility("A").iloc[-1] == pytest.approx(value_volatility)
    assert risk.volatility_scalar("A").iloc[-1] == pytest.approx(256_000 * 0.2 / 16 / value_volatility)
    forecast = system.combForecast.combined_forecast("A").iloc[-1]
    assert sizes.subsystem_position("A").iloc[-1] == pytest.approx(3200 / value_volatility * forecast / 10)


def test_twice_the_rate_means_half_the_position() -> None:
    one, two = (portfolio(MadeSimData({"A": wandering()}, currency="EUR", rates={"EUR": prices(np.full(200, rate))}))
                .optimal_position("A").optimal for rate in (1.0, 2.0))
    assert one == pytest.approx(2 * two)


def test_the_rate_of_today_is_not_known_before_its_close() -> None:
    rate = prices([*np.full(199, 1.0), 5.0])
    data = MadeSimData({"A": wandering()}, currency="EUR", rates={"EUR": rate})
    same = MadeSimData({"A": wandering()}, currency="EUR", rates={"EUR": prices(np.full(200, 1.0))})
    assert portfolio(data).optimal_position("A").optimal == portfolio(same).optimal_position("A").optimal


def test_negative_prices_are_traded_like_any_other() -> None:
    held = multiple(prices(np.full(200, 80.0)))
    deep, high = (portfolio(MadeSimData({"A": wandering(level=level)}, {"A": held}), forecast_rules=TREND_ONLY)
                  .optimal_position("A").optimal for level in (-500.0, 100.0))
    assert deep == pytest.approx(high)


def test_a_buffer_by_forecast_stays_open_when_the_position_is_nothing() -> None:
    # given a price that moves but goes nowhere: the average forecast is small
    data = MadeSimData({"A": prices(100 + np.tile([0.0, 1.0], 100))})
    by_position = portfolio(data, forecast_rules=TREND_ONLY).buffer("A").iloc[-1]
    by_forecast = portfolio(data, forecast_rules=TREND_ONLY, buffer_method="forecast").buffer("A").iloc[-1]
    assert by_forecast > 5 * by_position


def test_an_instrument_that_joins_later_takes_its_share_slowly() -> None:
    early, late = wandering(400), wandering(200, start="2024-10-07")
    weights = weights_of(MadeSimData({"A": early, "B": late}))
    before, after = weights.weight("A").iloc[190], weights.weight("A").iloc[-1]
    assert weights.weight("B").iloc[190] == 0.0
    assert 0.5 < after < before
    assert after + weights.weight("B").iloc[-1] == pytest.approx(1.0, rel=0.02)


def test_a_young_system_grows_from_nothing() -> None:
    # ten days without volatility count as weight nothing in the smooth average
    weight = weights_of(MadeSimData({"A": wandering()})).weight("A")
    assert (weight.iloc[:10] == 0).all()
    assert weight.iloc[10] < 0.1
    assert 0.97 < weight.iloc[-1] < 1.0


def test_an_instrument_without_data_leaves_its_share_to_the_others() -> None:
    data = MadeSimData({"A": wandering(), "B": wandering(5)})
    alone = MadeSimData({"A": wandering()})
    assert weights_of(data).weight("A").iloc[-1] == pytest.approx(weights_of(alone).weight("A").iloc[-1])


def test_given_weights_are_shares_of_their_sum() -> None:
    data = MadeSimData({"A": wandering(), "B": wandering()})
    weights = weights_of(data, instrument_weights={"A": 3.0, "B": 1.0})
    assert weights.weight("A").iloc[-1] == pytest.approx(3 * weights.weight("B").iloc[-1])
    assert weights.weight("A").iloc[-1] == pytest.approx(0.75, rel=0.03)


def test_whole_contracts_move_only_when_the_buffer_is_left() -> None:
    held = portfolio(MadeSimData({"A": wandering()}))
    changes = held.held_position("A").diff().fillna(0)
    assert (held.held_position("A") % 1 == 0).all()
    assert (changes == 0).sum() > (held.notional_position("A").round().diff() == 0).sum()


NO_PRICE = pd.Series(dtype="float64", index=pd.DatetimeIndex([], tz="UTC"))
FLAT = prices(np.full(200, 50.0))
UNKNOWN = (
    (MadeSimData({"A": wandering(8)}), "its volatility needs 10 daily changes of the price, and there are 7"),
    (MadeSimData({"A": NO_PRICE}, {"A": multiple(wandering())}), "it has no adjusted price"),
    (MadeSimData({"A": wandering() * np.nan}, {"A": multiple(wandering())}), "it has no adjusted price"),
    (MadeSimData({"A": wandering()}, {"A": multiple(wandering() * np.nan)}), "its multiple prices have no PRICE"),
    (MadeSimData({"A": FLAT}), "its price has not moved in 199 days, so nothing is known about its risk"),
    (MadeSimData({"A": wandering()}, currency="EUR", rates={"EUR": NO_PRICE}),
     "the value of one EUR in USD is not known"),
    (MadeSimData({"A": wandering()}, {"A": multiple(prices(np.zeros(200)))}),
     "the risk of one contract is not known; look at the price of the held contract and the point size"),
    (MadeSimData({"A": wandering()}, point_size=0.0),
     "the risk of one contract is not known; look at the price of the held contract and the point size"),
)


@pytest.mark.parametrize(("data", "reason"), UNKNOWN)
def test_with_too_little_data_nothing_is_guessed(data: MadeSimData, reason: str) -> None:
    with pytest.raises(DataError) as refusal:
        portfolio(data).optimal_position("A")
    assert str(refusal.value) == (f"A has no optimal position: {reason}. "
                                  f"Nothing is traded in it until its data are complete.")


def test_without_any_forecast_nothing_is_guessed() -> None:
    data = MadeSimData({"A": wandering()}, {"A": multiple(wandering())})
    with pytest.raises(DataError, match="A has no optimal position: no rule has a forecast"):
        portfolio(data, forecast_rules={"carry": RULES["carry"]}).optimal_position("A")


def test_an_instrument_without_enough_data_does_not_stop_the_others() -> None:
    data = MadeSimData({"A": wandering(), "B": wandering(5)})
    assert portfolio(data).optimal_position("A").optimal != 0


def test_an_instrument_that_is_not_traded_is_refused() -> None:
    data = MadeSimData({"A": wandering(), "B": wandering()})
    with pytest.raises(DataError, match=r"^B is not traded by this system \(it trades A\)\."):
        portfolio(data, instruments=["A"]).optimal_position("B")
