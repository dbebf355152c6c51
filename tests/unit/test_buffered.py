"""Trading to the edge of a buffer, and the one order that a decision makes."""

from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil, floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.execution.buffered import required_trade
from trading.execution.orders import Decision

LOTS = st.integers(-1000, 1000)
EDGES = st.floats(-1000, 1000).map(lambda edge: round(edge, 3))


@pytest.mark.parametrize(("held", "working", "lower", "upper", "trade"), [
    (0, 0, 2.6, 4.2, 3), (10, 0, 2.6, 4.2, -6), (3, 0, 2.6, 4.2, 0), (0, 3, 2.6, 4.2, 0), (0, 5, 2.6, 4.2, -1),
    (-5, 0, -4.0, -2.0, 1), (0, 0, -0.4, 0.4, 0), (1, 0, -0.4, 0.4, -1)])
def test_the_trade_goes_to_the_near_edge(held: int, working: int, lower: float, upper: float, trade: int) -> None:
    assert required_trade(held, working, lower, upper) == trade


@given(LOTS, LOTS, st.floats(0, 1000), st.floats(0, 1000))
def test_nothing_is_traded_inside_the_buffer(held: int, working: int, below: float, above: float) -> None:
    inside = held + working
    assert required_trade(held, working, inside - below, inside + above) == 0


@given(LOTS, LOTS, EDGES, EDGES)
def test_a_trade_never_crosses_the_buffer_by_more_than_rounding(held: int, working: int, a: float, b: float) -> None:
    lower, upper = sorted((a, b))
    after = held + working + required_trade(held, working, lower, upper)
    assert floor(lower) <= after <= ceil(upper)


@given(LOTS, LOTS, EDGES, EDGES)
def test_a_trade_never_leads_away_from_the_buffer(held: int, working: int, a: float, b: float) -> None:
    lower, upper = sorted((a, b))
    expected, trade = held + working, required_trade(held, working, lower, upper)
    assert not (expected < lower and trade < 0)
    assert not (expected > upper and trade > 0)


@given(LOTS, EDGES, EDGES)
def test_having_traded_nothing_more_is_wanted_beyond_rounding(held: int, a: float, b: float) -> None:
    lower, upper = sorted((a, b))
    after = held + required_trade(held, 0, lower, upper)
    assert abs(required_trade(after, 0, lower, upper)) <= 1


def test_a_buffer_upside_down_is_refused() -> None:
    with pytest.raises(ValueError, match="a buffer from 2 to 1 is upside down"):
        required_trade(0, 0, 2, 1)


@dataclass(frozen=True)
class Wanted:
    lower: float = 2.6
    upper: float = 4.2
    reference_price: float = 4350.13
    reference_contract: str = "20260600"


DECISION = Decision(account="DU1", trading_day="2026-03-02", now=datetime(2026, 3, 2, 20, tzinfo=UTC))
