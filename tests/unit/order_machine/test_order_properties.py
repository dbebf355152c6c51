"""Invariants of single functions: revisions of an execution, and limits; with the first design's limit put back."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.execution.fills import Fill, FillStatus, merged
from trading.risk.position_limits import limited

Limit = Callable[[int, int, int, int, int | None], int]
LOTS = st.integers(-30, 30)
WORKING = st.integers(0, 10)
SMALL = range(-4, 5)


def heard(revision: int) -> Fill:
    return Fill(id="DU1/1", execution_id=f"1.{revision:02d}", revision=revision, broker_order="b", con_id=42,
                contract="SP500/20260600", quantity=revision % 3, price=Decimal(100 + revision),
                at=datetime(2026, 3, 2, 20, tzinfo=UTC), trading_day="2026-03-02")


@given(st.lists(st.integers(1, 6), min_size=1, max_size=9), st.randoms(use_true_random=False))
def test_revisions_in_any_order_and_number_give_the_same_fill(numbers: list[int], random: object) -> None:
    """V12: the highest counts, and positions move by what it says in all."""
    fill, lots = None, 0
    for number in numbers:
        merge = merged(fill, heard(number))
        fill, lots = merge.fill, lots + merge.change
    assert fill is not None
    assert fill.said == heard(max(numbers)).said
    assert [each.number for each in fill.revisions] == sorted(set(numbers))
    assert lots == fill.quantity
    assert (fill.status is FillStatus.BUSTED) is (fill.quantity == 0)


def v14(limit_of: Limit, quantity: int, position: int, buys: int, sells: int, limit: int) -> str:
    """What is wrong with the answer of `limit_of`; empty when nothing is."""
    lots = limit_of(quantity, position, buys, sells, limit)
    new = position + (buys + lots if lots > 0 else lots - sells)
    if lots * quantity < 0 or abs(lots) > abs(quantity):
        return f"{quantity:+d} became {lots:+d}"
    if limit_of(lots, position, buys, sells, limit) != lots:
        return f"asked again, {lots:+d} became something else"
    if lots and abs(new) > limit and (new * position <= 0 or abs(new) >= abs(position)):
        return f"{lots:+d} leads from {position:+d} to {new:+d}, allowed {limit}"
    return ""


@given(LOTS, LOTS, WORKING, WORKING, st.integers(0, 15))
def test_a_limit_only_shrinks(quantity: int, position: int, buys: int, sells: int, limit: int) -> None:
    assert v14(limited, quantity, position, buys, sells, limit) == ""


def test_a_limit_only_shrinks_for_every_small_case() -> None:
    for quantity, position, buys, sells, limit in product(SMALL, SMALL, range(3), range(3), range(4)):
        assert v14(limited, quantity, position, buys, sells, limit) == "", (quantity, position, buys, sells, limit)


def first_design(quantity: int, position: int, _buys: int, _sells: int, limit: int | None) -> int:
    """S-25: the trade to the limit, whichever way that is."""
    assert limit is not None
    new = position + quantity
    if abs(new) <= limit:
        return quantity
    return (limit if new > 0 else -limit) - position


@pytest.mark.parametrize(("quantity", "becomes"), [(-2, -5), (1, -5)])
def test_s_25_the_first_design_makes_these_trades(quantity: int, becomes: int) -> None:
    assert first_design(quantity, 15, 0, 0, 10) == becomes
    assert limited(quantity, 15, 0, 0, 10) == (quantity if quantity < 0 else 0)


def test_s_25_the_first_designs_limit_is_found_out() -> None:
    """V14 does not hold for it, in the smallest of cases."""
    broken = [case for case in product(SMALL, SMALL, (0,), (0,), range(4)) if v14(first_design, *case)]
    assert min(broken, key=lambda case: sum(map(abs, case))) == (0, -1, 0, 0, 0)
    assert v14(first_design, 0, -1, 0, 0, 0) != ""
