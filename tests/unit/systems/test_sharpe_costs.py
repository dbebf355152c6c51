"""Costs in units of risk, by hand."""

import pandas as pd
import pytest

from trading.objects.instruments import Instrument
from trading.systems.sharpe_costs import (
    SharpeCosts,
    forecast_turnover,
    pooled_turnover,
    sharpe_cost_per_trade,
    turnover_of,
)


def days(values: list[float]) -> pd.Series:
    return pd.Series(values, index=pd.bdate_range("2024-01-01", periods=len(values)))


def test_a_trade_there_and_back_costs_so_much_of_a_years_risk() -> None:
    instrument = Instrument(code="A", point_size=50.0, currency="USD", slippage=0.125, cost_per_contract=2.05)
    found = sharpe_cost_per_trade(instrument, days([4000.0] * 10), days([25.0] * 10))
    assert found == pytest.approx(2 * (0.125 * 50 + 2.05) / (25 * 16 * 50))


def test_only_the_last_year_counts() -> None:
    instrument = Instrument(code="A", point_size=1.0, currency="USD", slippage=1.0)
    risk = pd.Series(1.0, index=pd.bdate_range("2020-01-01", "2024-01-01"))
    risk[:"2022-12-31"] = 100.0  # type: ignore[misc]
    assert sharpe_cost_per_trade(instrument, risk, risk) == pytest.approx(2 / 16)


def test_holding_costs_one_trade_a_roll() -> None:
    costs = SharpeCosts(per_trade=0.002, rolls_per_year=4)
    assert costs.holding == pytest.approx(0.004)
    assert costs.of(10) == pytest.approx(0.024)


def test_turnover_counts_changes_in_units_of_what_is_usual() -> None:
    assert forecast_turnover(days([0.0, 10.0, 0.0, 10.0])) == pytest.approx(256)
    assert turnover_of(days([2.0, 4.0, 2.0]), days([2.0, 2.0, 2.0])) == pytest.approx(256)


def test_longer_histories_count_more() -> None:
    still, busy = days([5.0] * 30), days([0.0, 10.0] * 5)
    assert pooled_turnover([still, busy]) == pytest.approx(256 * 10 / 40)
