"""Orders in tiers: names that follow from the parent, legs of a roll, and when a parent is over."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.execution.documents import Unreadable
from trading.execution.order_ids import broker_order_id, new_instrument_order_id
from trading.execution.order_states import CHANGES, CloseReason, FillState, Flag, InvalidOrderChange, Lifecycle
from trading.execution.orders import (
    ContractOrder,
    InstrumentOrder,
    StoredCheck,
    WrongQuantity,
    closed_by_children,
    spawn,
)
from trading.risk.order_kind import OrderKind

NOW = datetime(2026, 3, 2, 20, tzinfo=UTC)


def an_order(quantity: int = 5, **changes: object) -> InstrumentOrder:
    return InstrumentOrder(**{  # type: ignore[arg-type]
        "id": "IO-01J", "idempotency_key": "k", "account": "DU1", "strategy": "s", "instrument": "SP500",
        "kind": OrderKind.STRATEGY, "quantity": quantity, "trading_day": "2026-03-02", "created": NOW} | changes)


def a_roll(lots: int) -> InstrumentOrder:
    return an_order(0, kind=OrderKind.ROLL, roll_from="SP500/20260300", roll_to="SP500/20260600", roll_quantity=lots)


def test_spawning_twice_makes_the_same_children() -> None:
    assert spawn(an_order(), "SP500/20260600", NOW) == spawn(an_order(), "SP500/20260600", NOW)


def test_a_spawned_order_works_and_counts_its_children() -> None:
    parent, children = spawn(an_order(), "SP500/20260600", NOW)
    assert (parent.lifecycle, parent.next_child) == (Lifecycle.WORKING, 2)
    assert [(child.id, child.contract, child.quantity) for child in children] == [
        ("IO-01J-C1", "SP500/20260600", 5)]


@given(st.integers(-10_000, 10_000).filter(bool))
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


@pytest.mark.parametrize("quantity", [0, 1.0, True, float("nan"), Decimal(2), None])
def test_lots_that_no_order_can_have_are_refused(quantity: object) -> None:
    with pytest.raises(WrongQuantity, match="lots"):
        an_order(quantity)  # type: ignore[arg-type]


def test_parts_that_do_not_sum_to_their_order_are_refused_to_the_letter() -> None:
    with pytest.raises(WrongQuantity) as refusal:
        an_order(5).create_child_contract_orders({"SP500/20260300": 2, "SP500/20260600": 4}, NOW)
    assert str(refusal.value) == ("Order IO-01J is for +5, its parts +2 SP500/20260300, +4 SP500/20260600 sum to +6; "
                                  "nothing was made.")


@given(st.integers(-50, 50).filter(bool), st.integers(-60, 60), st.integers(-60, 60))
def test_what_is_filled_and_what_may_be_alive_never_exceed_an_order(quantity: int, filled: int, committed: int) -> None:
    _, (leg,) = spawn(an_order(quantity), "SP500/20260600", NOW)
    available = replace(leg, filled=filled).available(committed)
    assert available * quantity >= 0
    if available:
        assert filled + committed + available == quantity


@given(st.integers(-9, 9).filter(bool), st.integers(-12, 12))
def test_how_much_is_filled_is_none_part_all_or_too_much(quantity: int, filled: int) -> None:
    states = {0: FillState.NONE, quantity: FillState.FULL}
    expected = states.get(filled, FillState.PARTIAL if 0 < filled / quantity < 1 else FillState.OVER)
    assert an_order(quantity, filled=filled).fill_state is expected


@pytest.mark.parametrize(("old", "new"), [(a, b) for a in Lifecycle for b in Lifecycle if a is not b])
def test_only_listed_changes_of_life_happen(old: Lifecycle, new: Lifecycle) -> None:
    order = an_order(lifecycle=old)
    if new in CHANGES[old]:
        assert order.moved(new).lifecycle is new
    else:
        with pytest.raises(InvalidOrderChange, match=f"Order IO-01J is {old} and cannot become {new}"):
            order.moved(new)


def test_an_order_comes_back_from_its_document_and_nothing_else_does() -> None:
    order = an_order(limit_price=Decimal("99.50"), flags=frozenset({Flag.LATE_FILL}), checks=(StoredCheck(
        control="RC-03", outcome="CUT", quantity=3, sentence="at most 3", at=NOW),))
    document = order.as_dict()
    assert InstrumentOrder.from_dict(document) == order
    for wrong in ({"kind": "GUESS"}, {"quantity": 5.0}, {"limit_price": 99.5}, {"limit_price": "NaN"}, {"new": 1},
                  {"created": datetime(2026, 3, 2)}):
        with pytest.raises(Unreadable, match="A stored InstrumentOrder"):
            InstrumentOrder.from_dict(document | wrong)
    with pytest.raises(Unreadable, match="lacks filled"):
        InstrumentOrder.from_dict({key: value for key, value in document.items() if key != "filled"})
