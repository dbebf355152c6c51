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
from oracle import PEER, found, needs_numbers
from peer_system import RULES, check_equal, code_of, each_instrument, needs_system, oracle, system_with

from trading.systems.account_curve import AccountCurve, Frequency
from trading.systems.account_statistics import AccountStatistics, statistics_of
from trading.systems.accounts import Accounts
from trading.systems.buffered_path import TradeTo
from trading.systems.portfolio import Portfolio
from trading.systems.position_size import PositionSize
from trading.systems.production_system import futures_system
from trading.systems.system import System

pytestmark = [*needs_numbers, needs_system]
SUMMARY = PEER / "06_accounts" / "summary.json"
THEIR_STATISTICS: dict[str, Any] = json.loads(SUMMARY.read_text()) if SUMMARY.is_file() else {}


@pytest.fixture(scope="module")
def system() -> System:
    return system_with()


@pytest.fixture(scope="module")
def system_of_all_rules() -> System:
    return system_with(dict.fromkeys(RULES, 1.0))


@each_instrument("06_accounts")
def test_gross_gains_equal_the_oracle(system: System, file: Path) -> None:
    expected, accounts, code = oracle(file), system.stage(Accounts), code_of(file)
    check_equal(accounts.pandl_for_instrument(code).gross, expected["gross"], 1e-6, "whole contracts", absolute=1e-6)
    check_equal(accounts.pandl_for_subsystem(code).gross, expected["sub_gross"], 1e-6, "subsystem", absolute=1e-6)


@each_instrument("06_accounts")
def test_costs_equal_the_oracle_but_where_two_fall_on_one_day(system: System, file: Path) -> None:
    expected, accounts, code = oracle(file), system.stage(Accounts), code_of(file)
    held = system.stage(Portfolio).held_position(code, TradeTo.OPTIMUM)
    check_costs(system, code, held, accounts.pandl_for_instrument(code), expected["costs"])
    alone = system.stage(PositionSize).subsystem_position(code)
    check_costs(system, code, alone, accounts.pandl_for_subsystem(code), expected["sub_costs"])


def check_costs(system: System, code: str, positions: pd.Series, curve: AccountCurve, theirs: pd.Series) -> None:
    """Trades and rolls, on every day but those with both, those before the first cost, which the peer loses, and those
    behind the last price, on which it rolls all the same."""
    first = max(curve.costs.dropna().index[0], theirs.dropna().index[0])
    days = theirs.index[(theirs.index > first) & (theirs.index <= curve.costs.index[-1])]
    rolls = roll_dates(system.data.rolls_per_year(code))
    both = with_both(rolls, positions)
    assert len(rolls[(rolls > days[0]) & (rolls < days[-1])].difference(both)) > 3, "no roll is compared"
    check_equal(curve.costs, theirs[days.difference(both)], 1e-6, "costs", absolute=1e-6)


def with_both(rolls: pd.DatetimeIndex, positions: pd.Series) -> pd.DatetimeIndex:
    """The `rolls` on which `positions`, as they are held a day later, change as well."""
    moves = positions.shift(1).diff()
    return pd.DatetimeIndex(rolls.intersection(moves.index[moves.notna() & (moves != 0)]))


def roll_dates(per_year: int) -> pd.DatetimeIndex:
    """The dates of the README, any of which may be of a weekend."""
    step = int(365.25 / per_year)
    return pd.DatetimeIndex([pd.Timestamp(year, 1, 1) + pd.Timedelta(days=step // 2 + number * step)
                             for year in range(1970, 2100) for number in range(per_year)])


@pytest.fixture(scope="module")
def system_with_costs_by_risk(system: System) -> System:
    return futures_system(system.data, system.config.model_copy(update={"costs": "sharpe"}))


@pytest.mark.parametrize("file", found(PEER / "06_accounts", "SRcosts_*.csv.gz"))
def test_costs_by_risk_equal_the_oracle(system_with_costs_by_risk: System, file: Path) -> None:
    """From the first position on; the peer charges the days before it with the first share that it knows."""
    expected, accounts = oracle(file), system_with_costs_by_risk.stage(Accounts)
    code = code_of(file).removeprefix("SRcosts_")
    for ours, name in ((accounts.pandl_for_subsystem(code), "sub"), (accounts.pandl_for_instrument(code), "inst")):
        theirs = expected[f"{name}_costs"].dropna()
        check_equal(ours.gross, expected[f"{name}_gross"], 1e-6, f"{name} gross", absolute=1e-4)
        charged = ours.costs.index[ours.costs != 0]
        check_equal(ours.costs, theirs[theirs.index > charged[1]], 1e-6, f"{name} costs", absolute=1e-6)


@pytest.mark.parametrize("file", found(PEER / "06_accounts", "rule_*.csv.gz"))
def test_gains_of_one_rule_equal_the_oracle(system_of_all_rules: System, file: Path) -> None:
    """Where a row of the peer is a day: here it counts from one stored price to the next, of which a day may have many
    or none."""
    _, code, rule = code_of(file).split("_", 2)
    expected, curve = oracle(file), system_of_all_rules.stage(Accounts).pandl_for_rule(code, rule)
    days = one_price_a_day(system_of_all_rules, code).intersection(expected.dropna().index)
    assert len(days) > 200
    check_equal(curve.percent_of(curve.gross), expected["gross"][days], 1e-6, "gross", absolute=1e-9)
    check_equal(curve.percent_of(curve.costs), expected["costs"][days], 1e-6, "costs", absolute=1e-9)


def one_price_a_day(system: System, code: str) -> pd.Index:
    """Days that have exactly one stored price, as have the four business days before, and no day had more by then."""
    stamps = system.data.adjusted_prices(code).dropna().index.tz_convert(system.config.timezone).tz_localize(None)
    counts = pd.Series(1, index=stamps).resample("1B").sum()
    return counts.index[(counts.eq(1).rolling(5).sum() == 5) & (counts.cummax() == 1)]


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
def test_the_net_gain_is_that_of_the_oracle_less_the_costs_that_it_loses(system: System, name: str,
                                                                         frequency: Frequency) -> None:
    """The peer loses the first period, and one of two costs of a day: ours is smaller, by no more than those."""
    curve, theirs = system.stage(Accounts).portfolio(), THEIR_STATISTICS["_portfolio"][name]
    gains = curve.percent(frequency)
    ours = statistics_of(gains.mask(gains.index == gains.first_valid_index()), frequency)
    assert ours.periods == theirs["n"] - theirs["n_nan"]
    assert ours.ann_mean <= theirs["ann_mean"] <= ours.ann_mean + lost_costs(system) / len(gains) * frequency.per_year
    for each in ("ann_std", "sharpe", "worst_drawdown", "hitrate"):
        assert asdict(ours)[each] == pytest.approx(theirs[each], rel=5e-3), each


def lost_costs(system: System) -> float:
    """All costs, in percent of the capital, of days with a trade and a roll: more than the peer can have lost."""
    lost = 0.0
    for code in system.instrument_codes():
        curve, held = system.stage(Accounts).pandl_for_instrument(code), \
            system.stage(Portfolio).held_position(code, TradeTo.OPTIMUM)
        days = with_both(roll_dates(system.data.rolls_per_year(code)), held)
        lost -= float(curve.percent_of(curve.costs.reindex(days)).sum())
    return lost


def check_statistics(ours: AccountStatistics, theirs: dict[str, Any]) -> None:
    names = [name for name in asdict(ours) if name in theirs]
    assert len(names) > 15
    for name in names:
        assert asdict(ours)[name] == pytest.approx(theirs[name], rel=1e-6, abs=1e-9), name
