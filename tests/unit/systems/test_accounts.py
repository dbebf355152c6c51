"""Accounts: when a position earns, and in which currency."""

import numpy as np
import pandas as pd
import pytest
from made_market import MadeSimData, a_system, prices, wandering

from trading.systems.accounts import Accounts


def test_a_position_earns_two_days_after_it_was_decided() -> None:
    # given prices 10, 11, 13, 16 and one contract of ten units held from the first day on
    data = MadeSimData({"A": prices([10, 11, 13, 16])})
    accounts = a_system(data).stage(Accounts)
    days = pd.bdate_range("2024-01-01", periods=4)

    gains = accounts.gains_of("A", pd.Series([1.0, 0.0, 0.0, 0.0], index=days))

    assert gains.fillna(-1).tolist() == [-1, -1, 20.0, 0.0]


def test_gains_are_in_the_base_currency() -> None:
    data = MadeSimData({"A": prices([10, 11, 13, 16])}, currency="EUR", rates={"EUR": prices([2.0, 2.0, 2.0, 2.0])})
    gains = a_system(data).stage(Accounts).gains_of("A", pd.Series(1.0, index=pd.bdate_range("2024-01-01", periods=4)))
    assert gains.iloc[-1] == 3 * 10 * 2.0


def test_a_holiday_earns_with_the_next_close() -> None:
    data = MadeSimData({"A": prices([10, 10, 10, np.nan, 14])})
    gains = a_system(data).stage(Accounts).gains_of("A", pd.Series(1.0, index=pd.bdate_range("2024-01-01", periods=5)))
    assert gains.iloc[3:].tolist() == [0.0, 40.0]


def test_daily_gains_are_those_of_the_notional_position() -> None:
    system = a_system(MadeSimData({"A": wandering()}))
    gains = system.stage(Accounts).daily_gains("A")
    position = system.portfolio.notional_position("A").iloc[-3]
    price = system.rawdata.daily_prices("A")
    assert gains.iloc[-1] == pytest.approx(position * (price.iloc[-1] - price.iloc[-2]) * 10)
