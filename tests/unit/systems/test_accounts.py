"""Accounts: when a position earns, and in which currency."""

import numpy as np
import pandas as pd
import pytest
from made_market import MadeSimData, a_system, prices, wandering

from trading.systems.accounts import Accounts
from trading.systems.buffered_path import TradeTo
from trading.systems.gains import Gains
from trading.systems.portfolio import Portfolio


def test_a_position_earns_two_days_after_it_was_decided() -> None:
    # given prices 10, 11, 13, 16 and one contract of ten units held from the first day on
    data = MadeSimData({"A": prices([10, 11, 13, 16])})
    accounts = a_system(data).stage(Gains)
    days = pd.bdate_range("2024-01-01", periods=4)

    gains = accounts.gains_of("A", pd.Series([1.0, 0.0, 0.0, 0.0], index=days))

    assert gains.fillna(-1).tolist() == [-1, 0.0, 20.0, 0.0]  # nothing was held on the second day


def test_gains_are_in_the_base_currency() -> None:
    data = MadeSimData({"A": prices([10, 11, 13, 16])}, currency="EUR", rates={"EUR": prices([2.0, 2.0, 2.0, 2.0])})
    gains = a_system(data).stage(Gains).gains_of("A", pd.Series(1.0, index=pd.bdate_range("2024-01-01", periods=4)))
    assert gains.iloc[-1] == 3 * 10 * 2.0


def test_a_holiday_earns_with_the_next_close() -> None:
    data = MadeSimData({"A": prices([10, 10, 10, np.nan, 14])})
    gains = a_system(data).stage(Gains).gains_of("A", pd.Series(1.0, index=pd.bdate_range("2024-01-01", periods=5)))
    assert gains.iloc[3:].tolist() == [0.0, 40.0]


def test_an_instrument_earns_from_whole_contracts_and_pays_for_them() -> None:
    system = a_system(MadeSimData({"A": wandering(400)}, slippage=0.1, cost_per_contract=2.0))
    curve = system.stage(Accounts).pandl_for_instrument("A")
    held = system.stage(Portfolio).held_position("A", TradeTo.OPTIMUM)
    assert curve.gross.iloc[-1] == pytest.approx(held.iloc[-3] * system.rawdata.daily_prices("A").diff().iloc[-1] * 10)
    traded = held.shift(1).fillna(0).diff().abs()
    assert curve.costs.sum() < -(traded.sum() * (0.1 * 10 + 2.0)) + 1e-6  # and the rolls
    assert curve.net.sum() == pytest.approx(curve.gross.sum() + curve.costs.sum())


def test_a_portfolio_is_the_sum_of_its_instruments() -> None:
    system = a_system(MadeSimData({"A": wandering(300), "B": wandering(200, 50.0)}, slippage=0.05))
    accounts = system.stage(Accounts)
    whole, parts = accounts.portfolio(), [accounts.pandl_for_instrument(code) for code in "AB"]
    assert whole.net.sum() == pytest.approx(sum(part.net.sum() for part in parts))
    assert whole.percent().iloc[-1] == pytest.approx(100 * whole.net.iloc[-1] / whole.capital)
    assert len(whole.net) == 300
