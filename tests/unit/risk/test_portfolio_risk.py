"""What a set of positions risks together, on days on which not all of them have a price."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.data.risk.instrument_risk import DAYS_A_YEAR, InstrumentRisk
from trading.data.risk.portfolio_risk import PortfolioRisk
from trading.objects.instruments import Instrument


@dataclass
class Risk:
    """An instrument whose daily changes are known."""

    instrument: Instrument
    changes: pd.Series
    money_per_point: float | None
    annual_risk: float | None = 1000.0
    notional: float | None = 50_000.0

    @cached_property
    def last_year(self) -> Any:
        return InstrumentRisk.last_year.func(self)  # type: ignore[arg-type]  # it asks for the changes only


def a_risk(code: str, seed: int) -> Risk:
    """Three years of business days, a tenth of them missing, the first or last months as well."""
    draw = np.random.default_rng(seed)
    days = pd.bdate_range("2021-01-01", periods=780, tz="UTC")
    changes = pd.Series(draw.normal(0, 1 + seed, 780), index=days)[draw.random(780) > 0.1]
    kept = changes.iloc[40 * seed:] if seed % 2 else changes.iloc[:len(changes) - 40 * seed]
    instrument = Instrument(code=code, point_size=10.0, currency="USD", asset_class=str(seed % 2))
    return Risk(instrument, kept, 10.0 * (seed + 1))


RISKS: dict[str, Any] = {code: a_risk(code, seed) for seed, code in enumerate("ABCDE")}


@given(st.dictionaries(st.sampled_from("ABCDE"), st.integers(-5, 5), max_size=5))
def test_the_volatility_of_a_book_is_that_of_the_money_that_it_would_have_made(lots: dict[str, int]) -> None:
    found = PortfolioRisk(RISKS, 0.2).facts("A", lots, {"A": 1}, nav=1e6)
    money = [RISKS[code].changes.tail(DAYS_A_YEAR) * (RISKS[code].money_per_point * size)
             for code, size in lots.items() if size]
    expected = pd.concat(money, axis=1, sort=True).fillna(0.0).sum(axis=1).std() * 16 / 1e6 if money else 0.0
    assert found is not None
    assert found.annual_vol.before == pytest.approx(expected)


def test_a_book_is_computed_once_and_another_one_anew() -> None:
    portfolio = PortfolioRisk(RISKS, 0.2)
    first = portfolio.facts("A", {}, {"A": 2, "B": 1}, nav=1e6)
    again = portfolio.facts("B", {}, {"B": 1, "A": 2, "C": 0}, nav=1e6)
    other = portfolio.facts("B", {}, {"B": 1, "A": 1}, nav=1e6)
    assert first is not None
    assert again is not None
    assert other is not None
    assert first.annual_vol == again.annual_vol != other.annual_vol


def test_a_number_that_is_not_known_leaves_the_portfolio_unknown() -> None:
    unknown = RISKS | {"B": Risk(RISKS["B"].instrument, RISKS["B"].changes, 10.0, annual_risk=None)}
    assert PortfolioRisk(unknown, 0.2).facts("A", {}, {"A": 1, "B": 1}, nav=1e6) is None
    assert PortfolioRisk(RISKS, 0.2).facts("A", {}, {"A": 1}, nav=float("nan")) is None
