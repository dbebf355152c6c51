"""A system that looks at its data again computes what a new one would, and no more than it must."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_market import RULES, MadeSimData, a_system, prices, wandering

from trading.errors import DataError
from trading.systems.accounts import Accounts
from trading.systems.portfolio import Portfolio
from trading.systems.system import System

POOLED = {name: rule | {"scalar": "pooled"} for name, rule in RULES.items()}
CLASSES = {"rel": {"rule": "relmomentum", "horizon": 20, "scalar": 50.0, "weight": 0.5},
           "skew": {"rule": "skewabs", "days": 60, "smooth": 20, "scalar": 5.0, "weight": 0.5}}
KINDS: tuple[dict[str, Any], ...] = ({}, {"forecast_rules": POOLED}, {"risk_overlay": {"leverage": 0.5}},
                                     {"forecast_rules": CLASSES}, {"small_account": {"shadow_cost": 1.0},
                                                                    "notional_trading_capital": 20_000.0},

                                     {"instrument_weight_estimate": {}, "instrument_div_multiplier": "estimated"})
WAYS = ("day more", "day less", "correction", "rate", "gone", "back", "nothing", "dearer", "listed", "unlisted")


class Changing(MadeSimData):
    """What is gone says so; what is not listed is not there at all."""

    unlisted: frozenset[str] = frozenset()

    def adjusted_prices(self, code: str) -> pd.Series:
        self._check(code)
        return super().adjusted_prices(code)

    def multiple_prices(self, code: str) -> pd.DataFrame:
        self._check(code)
        return super().multiple_prices(code)

    def _check(self, code: str) -> None:
        if code not in self.adjusted:
            raise DataError(f"{code} has no prices")

    def instrument_codes(self) -> tuple[str, ...]:
        return tuple(code for code in "ABC" if code not in self.unlisted)


def a_market() -> Changing:
    series = {code: wandering(560, level) for code, level in (("A", 100.0), ("B", 60.0), ("C", 80.0))}
    return Changing(series, currency="EUR", rates={"EUR": prices(np.full(560, 1.1))}, slippage=0.01)


def change(data: Changing, way: str, code: str) -> None:
    now = dict(data.adjusted)
    if way == "day more" and code in now:
        longer = wandering(len(now[code]) + 1, 90.0)
        now[code] = pd.concat([now[code], longer.tail(1)])
    elif way == "day less" and code in now:
        now[code] = now[code].iloc[:-1]
    elif way == "correction" and code in now:
        now[code] = now[code].where(now[code].index != now[code].index[100], 91.5)
    elif way == "rate":
        data.rates = {"EUR": data.rates["EUR"] * 1.01}
    elif way == "gone":
        now.pop(code, None)
    elif way == "back":
        now.setdefault(code, wandering(550, 70.0))
    elif way == "dearer":
        data.slippage += 0.01
    elif way in ("listed", "unlisted"):
        data.unlisted = data.unlisted - {code} if way == "listed" else frozenset({code})
    data.adjusted = now


def answers(system: System) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for code in "ABC":
        for name, ask in (("optimal", lambda c: system.stage(Portfolio).optimal_position(c).optimal),
                          ("gain", lambda c: float(system.stage(Accounts).pandl_for_instrument(c).net.sum()))):
            try:
                found[f"{name} {code}"] = pytest.approx(ask(code), rel=1e-9, abs=1e-9)
            except DataError as error:
                found[f"{name} {code}"] = str(error)
    return found


@given(kind=st.sampled_from(KINDS), story=st.lists(st.tuples(st.sampled_from(WAYS), st.sampled_from("ABC")),
                                                  min_size=1, max_size=4))
@settings(max_examples=12)
def test_after_any_changes_every_number_is_that_of_a_new_system(kind: dict[str, Any],
                                                                story: list[tuple[str, str]]) -> None:
    data = a_market()
    system = a_system(data, **kind)
    answers(system)
    for way, code in story:
        change(data, way, code)
        system.look_again()
        assert answers(a_system(data, **kind)) == answers(system)


def test_only_what_stands_on_a_change_is_computed_again() -> None:
    data = a_market()
    system = a_system(data)
    answers(system)
    change(data, "day more", "B")
    before = system.cache.statistics.misses
    assert system.look_again() == ("B",)
    system.rawdata.daily_volatility("A")
    system.combForecast.combined_forecast("C")
    assert system.cache.statistics.misses == before
    system.rawdata.daily_volatility("B")
    assert system.cache.statistics.misses > before


def test_without_a_look_everything_stays_as_it_was_seen() -> None:
    data = a_market()
    system = a_system(data)
    before = answers(system)
    change(data, "correction", "A")
    system.cache.clear()
    assert answers(system) == before


def test_when_nothing_changed_nothing_is_computed() -> None:
    data = a_market()
    system = a_system(data)
    answers(system)
    misses = system.cache.statistics.misses
    assert system.look_again() == ()
    answers(system)
    assert system.cache.statistics.misses == misses
