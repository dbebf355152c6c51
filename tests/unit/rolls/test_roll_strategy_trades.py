"""Where a strategy's trade goes in each roll state; incidents of others by name."""

from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ordered_day import Ordered, ordered

from trading.execution.rolls.states import RollState
from trading.execution.rolls.strategy_trades import LegTrade, RollLeg, left_to_close, reducing, strategy_trade

SMALL = range(-6, 7)
STATES = st.sampled_from(list(RollState))
LOTS = st.integers(-1000, 1000)
FORCED = (RollState.FORCE_SPREAD, RollState.FORCE_OUTRIGHT)
OPENING = (RollState.NO_ROLL, RollState.PASSIVE, *FORCED)


def legs(state: RollState, front: int, forward: int, trade: int) -> tuple[int, int]:
    """Lots traded in front and forward."""
    found = strategy_trade(state, front, forward, trade)
    assert len({leg.contract for leg in found}) == len(found)
    assert all(leg.quantity for leg in found)
    return tuple(sum(leg.quantity for leg in found if leg.contract is contract)  # type: ignore[return-value]
                 for contract in RollLeg)


@pytest.mark.parametrize(("held", "trade", "traded"), [
    ((-2, 0), 5, (2, 3)), ((0, 0), 4, (0, 4)), ((3, 0), 2, (0, 2)), ((3, 0), -2, (-2, 0)), ((3, 0), -3, (-3, 0)),
    ((3, 2), -4, (-3, -1)), ((-1, 1), -1, (0, -1)), ((1, -1), 1, (0, 1)), ((1, -1), -1, (-1, 0)),
    ((0, 3), -5, (0, -5))])
def test_passive_takes_reductions_from_the_front_and_puts_the_rest_forward(
        held: tuple[int, int], trade: int, traded: tuple[int, int]) -> None:
    assert legs(RollState.PASSIVE, *held, trade) == traded


@pytest.mark.parametrize(("held", "trade", "traded"), [
    ((0, 0), 4, (4, 0)), ((3, 0), -5, (-5, 0)), ((0, 2), -2, (0, -2)), ((0, 2), -3, (-1, -2)), ((1, -1), 1, (0, 1))])
def test_without_a_roll_the_front_is_traded_and_forward_lots_are_only_closed(
        held: tuple[int, int], trade: int, traded: tuple[int, int]) -> None:
    assert legs(RollState.NO_ROLL, *held, trade) == traded


@pytest.mark.parametrize(("held", "trade", "traded"), [
    ((5, 0), -2, (-2, 0)), ((5, 0), 2, (0, 2)), ((5, 0), -5, (-5, 0)), ((5, 0), -7, (-5, -2)), ((0, 5), -2, (0, -2))])
@pytest.mark.parametrize("state", FORCED)
def test_a_forced_roll_takes_the_strategies_along(state: RollState, held: tuple[int, int], trade: int,
                                                  traded: tuple[int, int]) -> None:
    assert legs(state, *held, trade) == traded


@pytest.mark.parametrize("state", [RollState.ROLL_ADJUSTED, RollState.EXPIRED_HOLD])
def test_nothing_is_traded_while_series_are_switched_or_the_broker_acts(state: RollState) -> None:
    for front, forward, trade in product(SMALL, SMALL, SMALL):
        assert strategy_trade(state, front, forward, trade) == ()


@given(STATES, LOTS, LOTS, LOTS)
def test_a_trade_is_never_more_than_was_asked_for(state: RollState, front: int, forward: int, trade: int) -> None:
    total = sum(legs(state, front, forward, trade))
    assert 0 <= total <= trade or trade <= total <= 0


@given(st.sampled_from(OPENING), LOTS, LOTS, LOTS)
def test_states_that_open_trade_all_that_was_asked_for(state: RollState, front: int, forward: int, trade: int) -> None:
    assert sum(legs(state, front, forward, trade)) == trade


@given(STATES, LOTS, LOTS, LOTS)
def test_no_trade_makes_a_pair_of_opposite_lots(state: RollState, front: int, forward: int, trade: int) -> None:
    in_front, in_forward = legs(state, front, forward, trade)
    if state in FORCED:
        return  # they empty the front together with the roll
    before, after = (max(0, min(abs(one), abs(other))) if one * other < 0 else 0 for one, other in
                     ((front, forward), (front + in_front, forward + in_forward)))
    assert after <= before


@given(st.sampled_from([RollState.NO_OPEN, RollState.CLOSE]), LOTS, LOTS, LOTS)
def test_where_nothing_may_be_opened_each_month_only_shrinks(state: RollState, front: int, forward: int,
                                                             trade: int) -> None:
    for held, traded in zip((front, forward), legs(state, front, forward, trade), strict=True):
        assert traded == 0 or (held * traded < 0 and abs(traded) <= abs(held))


@given(st.sampled_from(OPENING[1:]), LOTS, LOTS, LOTS)
def test_once_a_roll_has_begun_the_front_never_grows(state: RollState, front: int, forward: int, trade: int) -> None:
    in_front, _ = legs(state, front, forward, trade)
    assert abs(front + in_front) <= abs(front)


@given(LOTS, LOTS)
def test_a_reduction_never_crosses_zero(position: int, trade: int) -> None:
    after = position + reducing(position, trade)
    assert 0 <= after <= position or position <= after <= 0


@pytest.mark.parametrize(("position", "working", "left"), [
    (5, (), 5), (5, (-2,), 3), (5, (-2, -3), 0), (5, (-2, 9), 3), (5, (-9,), 0), (-5, (2, -1), -3), (0, (2, -2), 0)])
def test_lots_that_an_order_closes_already_are_not_closed_again(position: int, working: tuple[int, ...],
                                                                left: int) -> None:
    assert left_to_close(position, working) == left


@given(LOTS, st.lists(LOTS, max_size=4), LOTS)
def test_closing_orders_together_never_cross_zero(position: int, working: list[int], trade: int) -> None:
    closing = [lots for lots in working if lots * position < 0]
    if abs(sum(closing)) <= abs(position):
        traded, _ = legs(RollState.CLOSE, left_to_close(position, working), 0, trade)
        after = position + sum(closing) + traded
        assert 0 <= after <= position or position <= after <= 0


def test_pst_1246_close_works_per_month() -> None:
    # given one lot short in each month: bought on the net, both would be bought in front and a pair would be left
    assert strategy_trade(RollState.CLOSE, -1, -1, 2) == (
        LegTrade(contract=RollLeg.FRONT, quantity=1), LegTrade(contract=RollLeg.FORWARD, quantity=1))
    # and of a pair that nets to nothing the month that must be left is closed, without any strategy order
    assert ordered(RollState.CLOSE, 1, -1) == Ordered(closed=-1)


def test_pst_1256_an_order_that_crosses_zero_only_closes() -> None:
    assert strategy_trade(RollState.CLOSE, 1, 0, -2) == (LegTrade(contract=RollLeg.FRONT, quantity=-1),)
    # once it is closed there is nothing to trade: no stream of orders for no lots
    assert strategy_trade(RollState.CLOSE, 0, 0, -1) == ()


@pytest.mark.parametrize("state", FORCED)
def test_pst_1260_roll_and_strategy_order_do_not_collide(state: RollState) -> None:
    # given a roll of 5 while a strategy sells 3: 2 are rolled and 3 are sold, each lot once
    today = ordered(state, 5, 0, -3)
    assert today == Ordered(roll=2, own_front=-3)
    assert today.front == -5


@pytest.mark.parametrize("state", FORCED)
def test_pst_1278_a_roll_does_not_block_strategy_orders(state: RollState) -> None:
    for front, forward, trade in product(SMALL, SMALL, SMALL):
        assert sum(legs(state, front, forward, trade)) == trade


def test_pst_1569_a_smaller_target_shrinks_the_roll_in_both_contracts() -> None:
    for trade, larger in pairwise(range(-5, 1)):
        less, more = (ordered(RollState.FORCE_SPREAD, 5, 0, each).forward for each in (trade, larger))
        assert (less, more) == (5 + trade, 5 + larger)


def test_pst_1043_a_roll_goes_on_while_strategies_have_orders() -> None:
    assert ordered(RollState.FORCE_SPREAD, 5, 0, 2) == Ordered(roll=5, own_forward=2)


def test_pst_931_nothing_is_opened_before_an_illiquid_roll() -> None:
    assert strategy_trade(RollState.NO_OPEN, 0, 0, 3) == ()
    assert strategy_trade(RollState.NO_OPEN, 2, 0, 3) == ()
    assert strategy_trade(RollState.NO_OPEN, 2, 0, -3) == (LegTrade(contract=RollLeg.FRONT, quantity=-2),)
