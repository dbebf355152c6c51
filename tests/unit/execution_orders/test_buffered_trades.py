"""Trading around an optimum: to the edge, and past the buffer when risk is to go down."""

from dataclasses import dataclass
from math import ceil, floor, inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.errors import DataError
from trading.execution.buffered import required_trade
from trading.execution.order_generators.buffered import buffered_trade
from trading.execution.order_generators.wanted_trades import (
    Allowed,
    PositionRule,
    Standing,
)

FREE = Allowed()
CLOSE, REDUCE_ONLY = Allowed(rule=PositionRule.CLOSE), Allowed(rule=PositionRule.REDUCE_ONLY)
LOTS = st.integers(-300, 300)
EDGES = st.tuples(*[st.floats(-100, 100)] * 3).map(sorted)


@dataclass(frozen=True)
class Buffer:
    """A buffer as a system stores it."""

    lower: float
    optimal: float
    upper: float


BUFFERS = EDGES.map(lambda edges: Buffer(*edges))
ALLOWED = st.builds(Allowed, rule=st.sampled_from(PositionRule), limit=st.none() | st.integers(0, 50))


def trade(held: int, optimal: float, width: float, allowed: Allowed = FREE) -> int:
    """From `held`, with a buffer of `width` on both sides."""
    standing = Standing(held=held)
    return buffered_trade(Buffer(optimal - width, optimal, optimal + width), standing, allowed).trade


@pytest.mark.parametrize(("upper", "lower", "actual", "traded"), [
    (3.4, 2.6, 5, -2), (3.4, 2.6, 1, 2), (3.4, 2.6, 3, 0), (2.5, 1.5, 5, -3), (2.5, 1.5, 0, 2), (0.4, -0.4, 2, -2),
    (-1.2, -2.7, 0, -1), (-1.2, -2.7, -4, 1), (0.49, 0.01, 0, 0), (2.4, 2.2, 2, 0)])
def test_production_trades_to_the_rounded_edge(upper: float, lower: float, actual: int, traded: int) -> None:
    wanted = Buffer(lower, (lower + upper) / 2 or 0.1, upper)
    assert buffered_trade(wanted, Standing(held=actual), FREE).trade == traded


@pytest.mark.parametrize(("held", "lots"), [(0, 1), (1, 0), (2, 0), (3, -1)])
def test_the_shipped_example_is_held_inside_its_buffer(held: int, lots: int) -> None:
    assert buffered_trade(Buffer(1.374083, 1.526759, 1.679435), Standing(held=held), FREE).trade == lots


@pytest.mark.parametrize(("held", "optimal", "width", "traded"), [
    (9, 10.0, 1.0, 0), (11, 10.0, 1.0, 0), (8, 10.0, 1.0, 1), (12, 10.0, 1.0, -1), (100, 91.0, 5.0, -4),
    (91, 100.0, 5.0, 4), (0, 0.9, 1.0, 0), (1, 0.2, 1.0, 0)])
def test_the_buffer_lies_around_the_optimum_and_treats_both_directions_alike(held: int, optimal: float, width: float,
                                                                             traded: int) -> None:
    assert trade(held, optimal, width) == traded
    assert trade(-held, -optimal, width) == -traded


@pytest.mark.parametrize("held", [-3, -1, 1, 3])
def test_a_target_of_zero_closes_whatever_the_buffer(held: int) -> None:
    assert trade(held, 0.0, 5.0) == -held


def test_pst_822_an_override_closes_inside_the_buffer_without_any_signal() -> None:
    assert trade(4, 4.0, 2.0, CLOSE) == -4
    assert trade(-4, -4.0, 2.0, CLOSE) == 4


@pytest.mark.parametrize(("allowed", "traded"), [
    (CLOSE, -7), (Allowed(limit=4), -3), (Allowed(limit=0), -7), (REDUCE_ONLY, 0), (FREE, 0), (Allowed(limit=9), 0)])
def test_pst_822_without_signals_overrides_and_limits_still_reduce(allowed: Allowed, traded: int) -> None:
    assert buffered_trade(None, Standing(held=7), allowed).trade == traded


def test_a_close_does_not_wait_for_sound_signals() -> None:
    assert buffered_trade(Buffer(nan, nan, nan), Standing(held=7), CLOSE).trade == -7


def test_pst_822_a_limit_that_is_exceeded_reduces_inside_the_buffer() -> None:
    assert trade(10, 10.0, 2.0, Allowed(limit=8)) == -2
    assert trade(-10, -10.0, 2.0, Allowed(limit=0)) == 10


@pytest.mark.parametrize(("held", "optimal", "traded"), [
    (5, 4.4, -1), (5, 4.6, 0), (5, 9.0, 0), (5, -3.0, -5), (0, 3.0, 0), (-5, -2.0, 3), (-5, -8.0, 0)])
def test_reduce_only_goes_past_the_buffer_but_never_further_away_or_across(held: int, optimal: float,
                                                                           traded: int) -> None:
    assert trade(held, optimal, 3.0, REDUCE_ONLY) == traded


def test_lots_that_work_count_as_held() -> None:
    wanted = Buffer(2.6, 3.0, 3.4)
    assert buffered_trade(wanted, Standing(held=0, working=3), FREE).trade == 0
    assert buffered_trade(wanted, Standing(held=0, working=5), FREE).trade == -2


def test_an_order_that_works_beyond_what_is_allowed_is_taken_back() -> None:
    answer = buffered_trade(Buffer(2.6, 3.0, 3.4), Standing(held=0, working=3), REDUCE_ONLY)
    assert (answer.target, answer.trade, answer.reason) == (0, -3, "it may only be reduced")


def test_a_trade_says_why() -> None:
    wanted, standing = Buffer(2.6, 3.0, 3.4), Standing(held=9)
    assert buffered_trade(wanted, standing, FREE).reason == "the buffer goes from 2.60 to 3.40"
    assert buffered_trade(wanted, standing, Allowed(limit=1)).reason == "at most 1 lots may be held"
    assert buffered_trade(wanted, standing, CLOSE).reason == "it is to be closed"


@given(BUFFERS, LOTS, LOTS, ALLOWED)
def test_the_target_is_reached_and_within_the_limit(wanted: Buffer, held: int, working: int, allowed: Allowed) -> None:
    answer = buffered_trade(wanted, Standing(held=held, working=working), allowed)
    assert held + working + answer.trade == answer.target
    assert allowed.limit is None or abs(answer.target) <= allowed.limit


@given(BUFFERS, LOTS, LOTS, st.none() | st.integers(0, 50))
def test_reduce_only_ends_between_nothing_and_what_is_held(wanted: Buffer, held: int, working: int,
                                                           limit: int | None) -> None:
    allowed = Allowed(rule=PositionRule.REDUCE_ONLY, limit=limit)
    target = buffered_trade(wanted, Standing(held=held, working=working), allowed).target
    assert 0 <= target <= held or held <= target <= 0


@given(BUFFERS, LOTS)
def test_a_free_position_ends_in_its_buffer_but_for_rounding(wanted: Buffer, held: int) -> None:
    target = buffered_trade(wanted, Standing(held=held), FREE).target
    assert floor(wanted.lower) <= target <= ceil(wanted.upper) or target == wanted.optimal == 0


@given(BUFFERS, LOTS, ALLOWED)
def test_having_traded_nothing_more_is_wanted(wanted: Buffer, held: int, allowed: Allowed) -> None:
    target = buffered_trade(wanted, Standing(held=held), allowed).target
    assert buffered_trade(wanted, Standing(held=target), allowed).trade == 0


@pytest.mark.parametrize("wanted", [Buffer(nan, 1, 2), Buffer(0, nan, 2), Buffer(0, 1, inf), Buffer(-inf, 1, 2)])
def test_what_is_not_a_number_is_not_traded(wanted: Buffer) -> None:
    with pytest.raises(DataError, match=r"is not made of numbers\. Nothing is traded"):
        buffered_trade(wanted, Standing(held=0), FREE)


@pytest.mark.parametrize("wanted", [Buffer(-2, -3, -4), Buffer(1, 5, 2), Buffer(2, 1, 3)])
def test_a_buffer_out_of_order_is_not_traded(wanted: Buffer) -> None:
    with pytest.raises(DataError, match=r"is out of order\. Nothing is traded"):
        buffered_trade(wanted, Standing(held=0), FREE)


def test_a_negative_limit_is_refused() -> None:
    with pytest.raises(DataError, match=r"A limit of -1 lots is not allowed \(allowed: 0 and more, or none\)"):
        buffered_trade(Buffer(1, 2, 3), Standing(held=0), Allowed(limit=-1))


@pytest.mark.parametrize("edges", [(nan, 2.0), (1.0, nan), (1.0, inf), (-inf, 1.0)])
def test_an_edge_that_is_not_a_number_is_refused(edges: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="has no edges to trade to"):
        required_trade(0, 0, *edges)
