"""Orders in tiers: names that follow from the parent, legs of a roll, and when a parent is over."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.execution.orders import (
    CloseReason,
    ContractOrder,
    InstrumentOrder,
    Lifecycle,
    OrderKind,
    broker_order_id,
    closed_by_children,
    new_instrument_order_id,
    spawn,
)

NOW = datetime(2026, 3, 2, 20, tzinfo=UTC)


def an_order(quantity: int = 5, **changes: object) -> InstrumentOrder:
    plain = InstrumentOrder(id="IO-01J", idempotency_key="k", account="DU1", strategy="s", instrument="SP500",
                            kind=OrderKind.STRATEGY, quantity=quantity, trading_day="2026-03-02", created=NOW)
    return replace(plain, **changes)


def a_roll(lots: int) -> InstrumentOrder:
    return an_order(0, kind=OrderKind.ROLL, roll_from="SP500/20260300", roll_to="SP500/20260600", roll_quantity=lots)


def test_spawning_twice_makes_the_same_children() -> None:
    assert spawn(an_order(), "SP500/20260600", NOW) == spawn(an_order(), "SP500/20260600", NOW)


def test_a_spawned_order_works_and_counts_its_children() -> None:
    parent, children = spawn(an_order(), "SP500/20260600", NOW)
    assert (parent.lifecycle, parent.next_child) == (Lifecycle.WORKING, 2)
    assert [(child.id, child.contract, child.quantity) for child in children] == [
        ("IO-01J-C1", "SP500/20260600", 5)]


@given(st.integers(-10_000, 10_000))
def test_the_legs_of_a_roll_sum_to_zero(lots: int) -> None:
    _, legs = spawn(a_roll(lots), "not asked for", NOW)
    assert sum(leg.quantity for leg in legs) == 0
    assert {leg.contract: leg.quantity for leg in legs} == {"SP500/20260300": -lots, "SP500/20260600": lots}
    assert len({leg.id for leg in legs}) == 2


def test_a_brokers_reference_is_short_and_says_whose_child_it_is() -> None:
    parent, (leg,) = spawn(an_order(id=new_instrument_order_id()), "SP500/20260600", NOW)
    reference = broker_order_id(replace(leg, next_child=3))
    assert reference == parent.id.removeprefix("IO-") + "-C1-B3"
    assert len(reference) <= 40


def test_ids_are_unique_and_sort_by_time() -> None:
    ids = [new_instrument_order_id() for _ in range(200)]
    assert len(set(ids)) == 200


def legs(*reasons: CloseReason | None) -> list[ContractOrder]:
    _, (leg,) = spawn(an_order(), "SP500/20260600", NOW)
    return [replace(leg, close_reason=reason, lifecycle=Lifecycle.CLOSED if reason else Lifecycle.WORKING)
            for reason in reasons]


R = CloseReason


@pytest.mark.parametrize(("reasons", "expected"), [
    ([R.FILLED], R.FILLED), ([R.FILLED, R.FILLED], R.FILLED), ([R.FILLED, R.EXPIRED], R.EXPIRED),
    ([R.REJECTED, R.EXPIRED], R.REJECTED), ([R.FILLED, R.REJECTED], R.REJECTED), ([R.SUPERSEDED], R.EXPIRED)])
def test_a_parent_ends_as_the_worst_of_its_children(reasons: list[CloseReason], expected: CloseReason) -> None:
    closed = closed_by_children(an_order(), legs(*reasons))
    assert closed is not None
    assert (closed.lifecycle, closed.close_reason) == (Lifecycle.CLOSED, expected)


def test_a_parent_stays_open_while_a_child_is() -> None:
    assert closed_by_children(an_order(), legs(R.FILLED, None)) is None


def test_a_parent_without_children_stays_open() -> None:
    assert closed_by_children(an_order(), []) is None


def test_what_is_left_counts_with_its_sign() -> None:
    assert (an_order(5, filled=2).residual, an_order(-5, filled=-2).residual) == (3, -3)
