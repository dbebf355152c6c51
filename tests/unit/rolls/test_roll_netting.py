"""Roll and strategies in one plan: V30 by brute force, the order of sending, and whose fills are whose."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ordered_day import Ordered, ordered

from trading.errors import DataError
from trading.execution.rolls.attribution import attribute, cross
from trading.execution.rolls.netting import RollTrades, net
from trading.execution.rolls.states import RollState

SMALL = range(-8, 9)
LOTS = st.integers(-10_000, 10_000)
FEW = st.integers(-20, 20)
ASKED = st.dictionaries(st.sampled_from(["carry", "fast", "slow", "trend"]), st.integers(-50, 50))
FORCED = (RollState.FORCE_SPREAD, RollState.FORCE_OUTRIGHT)


def every_way(front: int, forward: int, target: int) -> list[RollTrades]:
    """All trades from (front, forward) to (0, target), by the number of spreads."""
    return [RollTrades(spread_units=units, front_outright=units - front, forward_outright=target - forward - units)
            for units in range(-24, 25)]


def orders(trades: RollTrades) -> int:
    """Units that are sent, a spread being one."""
    return abs(trades.spread_units) + abs(trades.front_outright) + abs(trades.forward_outright)


@pytest.mark.parametrize(("held", "trades"), [
    ((5, 0, 5), (5, 0, 0)), ((5, 0, 3), (3, -2, 0)), ((5, 0, 7), (5, 0, 2)), ((5, 0, 0), (0, -5, 0)),
    ((5, 0, -2), (0, -5, -2)), ((-5, 0, -5), (-5, 0, 0)), ((-5, 0, 1), (0, 5, 1)), ((2, 3, 5), (2, 0, 0)),
    ((1, -1, 0), (1, 0, 0)), ((0, 4, 4), (0, 0, 0)), ((0, 4, 6), (0, 0, 2))])
def test_a_roll_meets_what_the_strategies_want(held: tuple[int, int, int], trades: tuple[int, int, int]) -> None:
    plan = net(*held)
    assert (plan.spread_units, plan.front_outright, plan.forward_outright) == trades


def test_no_other_way_needs_fewer_lots_or_orders() -> None:
    for front, forward, target in product(SMALL, SMALL, SMALL):
        plan, ways = net(front, forward, target), every_way(front, forward, target)
        assert plan in ways
        assert plan.lots == min(way.lots for way in ways)
        assert orders(plan) == min(orders(way) for way in ways if way.lots == plan.lots)


def test_every_roll_ends_with_nothing_in_front_which_never_grows_on_the_way() -> None:
    for front, forward, target in product(SMALL, SMALL, SMALL):
        plan = net(front, forward, target)
        outright, rolled = plan.front_outright, -plan.spread_units
        assert (front + outright + rolled, forward + plan.forward_outright + plan.spread_units) == (0, target)
        assert outright * front <= 0
        assert rolled * front <= 0


@given(LOTS, LOTS, LOTS)
def test_outrights_sum_to_what_strategies_trade(front: int, forward: int, trade: int) -> None:
    plan = net(front, forward, front + forward + trade)
    assert plan.front_outright + plan.forward_outright == trade
    assert abs(plan.spread_units) <= abs(front)


@given(st.sampled_from(FORCED), FEW, FEW, FEW)
def test_a_forced_roll_and_what_strategies_trade_empty_the_front_together(state: RollState, front: int, forward: int,
                                                                          trade: int) -> None:
    today = ordered(state, front, forward, trade)
    assert (front + today.front, forward + today.forward) == (0, front + forward + trade)


@pytest.mark.parametrize("state", FORCED)
def test_a_forced_roll_needs_no_order_of_a_strategy(state: RollState) -> None:
    assert ordered(state, 5, 0) == Ordered(roll=5)


@pytest.mark.parametrize("state", sorted(set(RollState) - {*FORCED, RollState.CLOSE}))
def test_states_that_force_nothing_order_no_roll(state: RollState) -> None:
    today = ordered(state, 5, -1, 2)
    assert (today.roll, today.closed) == (0, 0)


def test_closing_goes_on_in_the_next_month_only_where_the_decision_allows_it() -> None:
    assert ordered(RollState.CLOSE, 4, 1) == Ordered(closed=-4)
    assert ordered(RollState.CLOSE, 4, 1, may_go_on=True) == Ordered(roll=4)


def test_fills_are_shared_by_largest_remainder_with_ties_by_strategy() -> None:
    assert attribute(5, {"b": 5, "a": 5}) == {"a": 3, "b": 2}
    assert attribute(-4, {"a": -6, "b": -3, "c": 8}) == {"a": -3, "b": -1}
    assert attribute(1, {"slow": 2, "fast": 2, "trend": 3}) == {"trend": 1}


def test_more_fills_than_were_asked_for_are_shared_as_well() -> None:
    assert attribute(9, {"a": 2, "b": 1}) == {"a": 6, "b": 3}


def test_a_fill_that_nobody_asked_for_is_for_a_person() -> None:
    with pytest.raises(DataError, match=r"\+2 lots were filled, but no strategy asked for any of that sign \(a -1\)"):
        attribute(2, {"a": -1})


@given(st.integers(-200, 200), ASKED)
def test_every_filled_lot_is_somebodys_and_nobody_is_a_whole_lot_off_his_share(filled: int,
                                                                              asked: dict[str, int]) -> None:
    wishes = {strategy: lots for strategy, lots in asked.items() if lots * filled > 0}
    if filled and not wishes:
        return
    given_out = attribute(filled, asked)
    assert sum(given_out.values()) == filled
    for strategy, wish in wishes.items():
        assert abs(given_out.get(strategy, 0) - filled * wish / sum(wishes.values())) < 1


@given(ASKED)
def test_what_crosses_sums_to_nothing_and_the_rest_to_what_goes_to_the_market(asked: dict[str, int]) -> None:
    crossed = cross(asked)
    assert sum(crossed.lots.values()) == 0
    assert sum(crossed.left.values()) == sum(asked.values())
    assert all(lots > 0 for lots in crossed.left.values()) or all(lots < 0 for lots in crossed.left.values())
    assert all(crossed.lots.get(name, 0) + crossed.left.get(name, 0) == lots for name, lots in asked.items())
