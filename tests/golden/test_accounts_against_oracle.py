"""Gains, costs and statistics against numbers that pysystemtrade computed from the same files.

Needs the reference data beside the checkout; tests/unit/systems checks the same code on data of our own. Of two costs
on one day the peer keeps one, which one an unstable sort decides: there ours is compared where the day has one.
Tolerance 1e-6 (oracle README 06).
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from oracle import PEER, needs_numbers
from peer_system import check_equal, code_of, each_instrument, needs_system, oracle, system_with

from trading.systems.account_curve import Frequency
from trading.systems.account_statistics import AccountStatistics, statistics_of
from trading.systems.accounts import Accounts
from trading.systems.system import System

pytestmark = [*needs_numbers, needs_system]
SUMMARY = PEER / "06_accounts" / "summary.json"
THEIR_STATISTICS: dict[str, Any] = json.loads(SUMMARY.read_text()) if SUMMARY.is_file() else {}


@pytest.fixture(scope="module")
def system() -> System:
    return system_with()


@each_instrument("06_accounts")
def test_gross_gains_equal_the_oracle(system: System, file: Path) -> None:
    expected, accounts, code = oracle(file), system.stage(Accounts), code_of(file)
    check_equal(accounts.pandl_for_instrument(code).gross, expected["gross"], 1e-6, "whole contracts", absolute=1e-6)
    check_equal(accounts.pandl_for_subsystem(code).gross, expected["sub_gross"], 1e-6, "subsystem", absolute=1e-6)


@each_instrument("06_accounts")
def test_costs_equal_the_oracle_but_where_two_fall_on_one_day(system: System, file: Path) -> None:
    expected, accounts, code = oracle(file), system.stage(Accounts), code_of(file)
    for curve, name in ((accounts.pandl_for_instrument(code), ""), (accounts.pandl_for_subsystem(code), "sub_")):
        theirs = expected[f"{name}costs"].dropna()
        days = expected.index.difference(days_with_two(system, code))
        days = days[days > max(curve.costs.first_valid_index(), theirs.index[0])]  # the peer loses the first cost
        assert len(days) > 1000
        check_equal(curve.costs, expected.loc[days, f"{name}costs"], 1e-6, f"{name}costs", absolute=1e-6)


def days_with_two(system: System, code: str) -> pd.DatetimeIndex:
    """The days on which the README's roll dates fall, on one of which a trade may cost something as well.

    A date of a weekend has none, but its cost is scaled as that of the fill before, which may be such a day.
    """
    per_year = system.data.rolls_per_year(code)
    step = int(365.25 / per_year)
    dates = [pd.Timestamp(year, 1, 1) + pd.Timedelta(days=step // 2 + number * step)
             for year in range(1970, 2100) for number in range(per_year)]
    return pd.DatetimeIndex(dates).map(lambda date: date - pd.Timedelta(days=max(0, date.day_of_week - 4)))


@pytest.mark.parametrize("code", [name for name in THEIR_STATISTICS if not name.startswith("_")])
def test_statistics_of_an_instrument_equal_the_oracle(system: System, code: str) -> None:
    curve = system.stage(Accounts).pandl_for_instrument(code)
    check_statistics(statistics_of(curve.percent_of(curve.gross)), THEIR_STATISTICS[code]["account"]["gross_pct"])


def test_statistics_of_the_portfolio_equal_the_oracle(system: System) -> None:
    curve = system.stage(Accounts).portfolio()
    check_statistics(statistics_of(curve.percent_of(curve.gross)), THEIR_STATISTICS["_portfolio"]["gross_pct"])


@pytest.mark.parametrize(("name", "frequency"), [
    ("net_pct", Frequency.DAILY), ("weekly", Frequency.WEEKLY), ("monthly", Frequency.MONTHLY),
    ("annual", Frequency.ANNUAL)])
def test_net_statistics_are_those_of_the_oracle_as_far_as_two_costs_on_one_day_let_them(
        system: System, name: str, frequency: Frequency) -> None:
    """The peer loses costs on such days, so that our net gain may be a little less, and never more."""
    ours, theirs = statistics_of(system.stage(Accounts).portfolio().percent(frequency), frequency), \
        THEIR_STATISTICS["_portfolio"][name]
    assert theirs["n"] - theirs["n_nan"] == pytest.approx(ours.periods, abs=1)
    assert theirs["ann_mean"] - 0.2 < ours.ann_mean < theirs["ann_mean"] + 0.2
    for each in ("ann_std", "sharpe", "worst_drawdown", "hitrate"):
        assert asdict(ours)[each] == pytest.approx(theirs[each], rel=0.03, abs=0.02), each


def check_statistics(ours: AccountStatistics, theirs: dict[str, Any]) -> None:
    names = [name for name in asdict(ours) if name in theirs]
    assert len(names) > 15
    for name in names:
        assert asdict(ours)[name] == pytest.approx(theirs[name], rel=1e-6, abs=1e-9), name
