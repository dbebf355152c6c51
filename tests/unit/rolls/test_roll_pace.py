"""The pace of a roll by two outrights: never larger than before, smaller by a unit at most, always to its end."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.execution.rolls.pace import Pace, forward_pace, front_pace, is_crowded, unit_of

NOW = datetime(2026, 3, 2, 15, tzinfo=UTC)


@dataclass
class Leg:
    """A contract order, as far as the pace is concerned."""

    quantity: int
    filled: int = 0
    is_open: bool = True

    @property
    def residual(self) -> int:
        return self.quantity - self.filled

    def fills(self, lots: int) -> None:
        self.filled += lots if self.quantity > 0 else -lots


@pytest.mark.parametrize(("lots", "one"), [(1, 1), (-5, 1), (20, 1), (21, 2), (-100, 5), (101, 6)])
def test_a_unit_is_a_lot_unless_there_are_many(lots: int, one: int) -> None:
    assert unit_of(lots, 20) == one


@given(st.integers(-300, 300).filter(bool), st.lists(st.tuples(st.booleans(), st.integers(1, 20)), max_size=900))
def test_whatever_fills_in_whatever_order_it_is_at_most_a_unit_apart(lots: int, fills: list[tuple[bool, int]]) -> None:
    front, forward, unit = Leg(-lots), Leg(lots), unit_of(lots, 20)
    for is_front, part in fills:
        leg = front if is_front else forward
        pace = front_pace(front, forward, unit, must_leave=False) if is_front else forward_pace(front, forward)
        assert not pace.is_over
        leg.fills(min(part, pace.lots))
        assert 0 <= abs(front.filled) - abs(forward.filled) <= unit
        assert abs(front.filled) <= abs(lots)


@given(st.integers(-300, 300).filter(bool))
def test_it_comes_to_its_end_in_few_orders(lots: int) -> None:
    front, forward, orders, unit = Leg(-lots), Leg(lots), 0, unit_of(lots, 20)
    while front.residual or forward.residual:
        for leg in (front, forward):
            pace = front_pace(front, forward, unit, must_leave=False) if leg is front else forward_pace(front, forward)
            leg.fills(pace.lots)
            orders += pace.lots > 0
    assert orders <= 2 * 20


def test_a_front_leg_whose_other_leg_has_ended_ends_too() -> None:
    assert front_pace(Leg(-5, -2), Leg(5, 1, is_open=False), 1, must_leave=False) == Pace(lots=0, is_over=True)


def test_but_a_month_that_must_be_left_is_left_at_once() -> None:
    assert front_pace(Leg(-5, -2), Leg(5, 1, is_open=False), 1, must_leave=True) == Pace(lots=3, is_over=False)


def test_a_forward_leg_makes_up_what_is_missing_and_ends_then() -> None:
    front = Leg(-5, -3, is_open=False)
    assert forward_pace(front, Leg(5, 1)) == Pace(lots=2, is_over=False)
    assert forward_pace(front, Leg(5, 3)) == Pace(lots=0, is_over=True)


def test_a_fill_that_the_exchange_took_back_lets_the_front_go_first_again() -> None:
    assert front_pace(Leg(-5, -1), Leg(5, 2), 1, must_leave=False) == Pace(lots=2, is_over=False)
    assert forward_pace(Leg(-5, -1), Leg(5, 2)) == Pace(lots=0, is_over=False)


def test_four_orders_of_a_minute_are_a_crowd() -> None:
    made = [NOW - timedelta(seconds=back) for back in (5, 10, 20, 59)]
    assert is_crowded(made, NOW)
    assert not is_crowded(made, NOW + timedelta(seconds=1))
