"""Whole contracts of a small account: fresh or not traded, one bad instrument at a time, nothing left behind."""

from dataclasses import replace
from datetime import date
from itertools import pairwise
from math import inf, nan
from statistics import stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.errors import DataError
from trading.execution.order_generators.decision_age import Decided, StaleDecision, check_age
from trading.execution.order_generators.dynamic_positions import OptimisedPosition, Optimum, optimised_trades
from trading.execution.order_generators.target_jump import target_jump
from trading.execution.order_generators.wanted_trades import Standing
from trading.objects.open_days import OpenDays

FRIDAY, MONDAY, TUESDAY = date(2026, 3, 6), date(2026, 3, 9), date(2026, 3, 10)
CALENDAR = OpenDays()
NAMES = st.sampled_from(["CORN", "GOLD", "SP500", "US10"])


def position(contracts: float, priced_on: date = FRIDAY) -> OptimisedPosition:
    return OptimisedPosition(contracts=contracts, priced_on=priced_on)


def optimum(positions: dict[str, OptimisedPosition], traded: frozenset[str] | None = None) -> Optimum:
    return Optimum(strategy="small", decided_on=FRIDAY, positions=positions,
                   traded=frozenset(positions) if traded is None else traded)


def trades(wanted: Optimum, standings: dict[str, Standing], today: date = MONDAY) -> dict[str, int]:
    found = optimised_trades(wanted, standings, today, CALENDAR)
    return {name: each.trade for name, each in found.trades.items()}


def test_the_trade_is_what_was_optimised_less_what_is_held_and_works() -> None:
    wanted = optimum({"SP500": position(3.0), "US10": position(-2.0), "CORN": position(0.0)})
    standings = {"SP500": Standing(held=1, working=1), "CORN": Standing(held=-4)}
    assert trades(wanted, standings) == {"CORN": 4, "SP500": 1, "US10": -2}


def test_pst_1578_removed_instruments_get_target_zero() -> None:
    # given: GOLD was optimised on Friday, and has been taken out of the strategy since
    wanted = optimum({"SP500": position(1.0), "GOLD": position(5.0)}, traded=frozenset({"SP500"}))
    assert trades(wanted, {"GOLD": Standing(held=5), "US10": Standing(held=-1)}) == {"GOLD": -5, "SP500": 1, "US10": 1}


def test_an_instrument_without_data_stays_as_it_is() -> None:
    wanted = optimum({"SP500": position(1.0)}, traded=frozenset({"SP500", "GOLD"}))
    found = optimised_trades(wanted, {"GOLD": Standing(held=5)}, MONDAY, CALENDAR)
    assert set(found.trades) == {"SP500"}
    assert found.refused["GOLD"].startswith("The position of small in GOLD was not optimised on 2026-03-06")


@pytest.mark.parametrize("contracts", [nan, inf, -inf, 2.5])
def test_what_is_no_whole_number_is_refused_and_holds_up_no_other(contracts: float) -> None:
    wanted = optimum({"SP500": position(contracts), "US10": position(2.0)})
    found = optimised_trades(wanted, {}, MONDAY, CALENDAR)
    assert {name: each.trade for name, each in found.trades.items()} == {"US10": 2}
    assert f"is to be {contracts} contracts (allowed: whole numbers)" in found.refused["SP500"]


def test_an_old_price_refuses_its_instrument_only() -> None:
    wanted = optimum({"SP500": position(1.0, date(2026, 3, 4)), "US10": position(2.0, date(2026, 3, 5))})
    found = optimised_trades(wanted, {}, MONDAY, CALENDAR)
    assert set(found.trades) == {"US10"}
    assert "stands on a price of 2026-03-04, 3 sessions ago (allowed: 2)" in found.refused["SP500"]


def test_an_optimum_of_the_last_trading_day_is_fresh_after_a_weekend() -> None:
    assert trades(optimum({"SP500": position(1.0)}), {}, MONDAY) == {"SP500": 1}


def test_an_older_optimum_is_refused_with_a_sentence() -> None:
    with pytest.raises(StaleDecision) as refused:
        trades(optimum({"SP500": position(1.0)}), {}, TUESDAY)
    assert str(refused.value) == (
        "The optimum of small was decided on 2026-03-06, 2 trading days before 2026-03-10 (allowed: 1). Nothing is "
        "traded on it. Run it again: tradectl run run_systems")


def test_a_holiday_makes_no_decision_older() -> None:
    wanted = optimum({"SP500": position(1.0)})
    assert optimised_trades(wanted, {}, TUESDAY, OpenDays(exchange=frozenset({MONDAY}))).refused == {}


def test_a_decision_from_the_future_is_refused() -> None:
    with pytest.raises(StaleDecision, match="X was decided for 2026-03-10, but today is 2026-03-09"):
        check_age(Decided(what="X", on=TUESDAY), MONDAY, CALENDAR)


@given(st.dictionaries(NAMES, st.integers(-50, 50)), st.dictionaries(NAMES, st.tuples(*[st.integers(-50, 50)] * 2)))
def test_after_all_trades_the_optimum_is_held_and_nothing_else(wanted: dict[str, int],
                                                               held: dict[str, tuple[int, int]]) -> None:
    standings = {name: Standing(held=lots, working=working) for name, (lots, working) in held.items()}
    found = trades(optimum({name: position(float(lots)) for name, lots in wanted.items()}), standings)
    after = {name: sum(held.get(name, (0, 0))) + found.get(name, 0) for name in {*wanted, *held}}
    assert after == {name: wanted.get(name, 0) for name in after}


def test_an_optimum_whose_day_is_the_trading_day_is_the_freshest() -> None:
    assert trades(replace(optimum({"SP500": position(1.0)}), decided_on=MONDAY), {}, MONDAY) == {"SP500": 1}


def test_a_jump_is_measured_by_the_last_sixty_changes() -> None:
    history = [1000.0, *(float(day % 7) for day in range(61))]
    jump = target_jump(history, history[-1] + 40.0)
    usual = [new - old for old, new in pairwise(history[1:])]
    assert jump.change == 40.0
    assert jump.usual_change == stdev(usual)
    assert jump.turned_by == 0.0


@pytest.mark.parametrize(("history", "target", "turned_by"), [
    ([4.0], -3.0, 7.0), ([-4.0], 3.0, 7.0), ([4.0], 0.0, 0.0), ([], -3.0, 0.0), ([4.0], 9.0, 0.0)])
def test_a_turn_of_the_sign_counts_its_whole_way(history: list[float], target: float, turned_by: float) -> None:
    assert target_jump(history, target).turned_by == turned_by


def test_too_short_a_history_has_no_usual_change() -> None:
    assert target_jump([1.0, 2.0], 3.0).usual_change is None
    assert target_jump([], 3.0).change == 3.0


@pytest.mark.parametrize(("history", "target"), [([1.0, nan], 2.0), ([1.0], nan), ([inf], 1.0)])
def test_a_jump_between_what_are_no_numbers_is_refused(history: list[float], target: float) -> None:
    with pytest.raises(DataError, match=r"is not a number\. Nothing is traded"):
        target_jump(history, target)
