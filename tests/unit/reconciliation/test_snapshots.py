"""A look at the broker counts only if it was whole and nothing moved meanwhile (orders_and_risk.md 4.1)."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from two_sides import JUNE, TODAY, ours, positions, settled, theirs, told

from trading.execution.order_ids import is_ours
from trading.execution.reconciliation.broker_view import BrokerView, Part, seen_execution, seen_order
from trading.execution.reconciliation.our_view import ContractFacts
from trading.execution.reconciliation.snapshot import Meanwhile, snapshot_problem, without_empty_answer

QUIET = Meanwhile(booked={"DU1/e1"})
HELD = {"SP500/20260600": 2}


def test_a_look_at_which_nothing_moved_is_valid() -> None:
    assert snapshot_problem(HELD, {"DU1/e1"}, HELD, QUIET) is None


def test_a_flat_position_that_is_listed_as_zero_has_not_moved() -> None:
    assert snapshot_problem(HELD, {"DU1/e1"}, {**HELD, "GOLD/20260600": 0}, QUIET) is None


def test_positions_that_move_while_they_are_read_belong_to_no_moment() -> None:
    assert snapshot_problem(HELD, {"DU1/e1"}, {"SP500/20260600": 3}, QUIET) == (
        "Positions moved while they were read: SP500/20260600. They are asked for again.")


@pytest.mark.parametrize(("meanwhile", "words"), [
    (Meanwhile(booked={"DU1/e1"}, arrived={"DU1/e1"}), "executions arrived: DU1/e1"),
    (Meanwhile(booked={"DU1/e1"}, moved={"1-C1-B1"}), "orders changed: 1-C1-B1"),
    (Meanwhile(booked=()), "executions are not in our books yet: DU1/e1"),
    (Meanwhile(booked={"DU1/e1"}, session="the gateway lost the broker"), "not healthy while the broker was asked: the "
                                                                          "gateway lost the broker"),
])
def test_whatever_happens_between_makes_a_look_invalid(meanwhile: Meanwhile, words: str) -> None:
    assert words in (snapshot_problem(HELD, {"DU1/e1"}, HELD, meanwhile) or "")


@given(missing=st.sets(st.sampled_from([0, 1, 2]), min_size=1))
def test_v35_a_look_with_any_answer_missing_is_no_look(missing: set[int]) -> None:
    before = None if 0 in missing else HELD
    executions = None if 1 in missing else {"DU1/e1"}
    after = None if 2 in missing else HELD
    assert "nothing is concluded from the rest" in (snapshot_problem(before, executions, after, QUIET) or "")


@given(lots=st.integers(-9, 9).filter(bool), listed=st.sampled_from([{}, {JUNE: 0}]))
def test_o37_that_the_broker_lists_no_position_at_all_does_not_mean_flat(lots: int, listed: dict[str, int]) -> None:
    mine = ours(positions({JUNE: lots}))
    seen = without_empty_answer(theirs(listed), mine)
    assert not seen.knows(Part.POSITIONS)
    assert told(settled(mine, seen)) == [("B19", "positions")]


@pytest.mark.parametrize(("held", "listed"), [({}, {}), ({JUNE: 0}, {}), ({JUNE: 2}, {"GOLD/20260600": 1})])
def test_an_answer_that_may_be_one_is_taken_for_one(held: dict[str, int], listed: dict[str, int]) -> None:
    look = theirs(listed)
    assert without_empty_answer(look, ours(positions(held))) is look


@pytest.mark.parametrize(("ended_before_days", "is_one"), [(1, True), (0, False)])
def test_when_all_that_we_hold_has_expired_an_empty_answer_is_one(ended_before_days: int, is_one: bool) -> None:
    last: date = TODAY - timedelta(days=ended_before_days)
    mine = ours(positions({JUNE: 2}), contracts={JUNE: ContractFacts(con_id=1, last_trade=last)})
    assert without_empty_answer(theirs(), mine).knows(Part.POSITIONS) is is_one


def test_an_answer_cannot_be_whole_and_have_failed() -> None:
    with pytest.raises(ValueError, match="The answer about positions cannot be whole and have failed"):
        BrokerView(epoch="e", at=None, answered=frozenset({Part.POSITIONS}),  # type: ignore[arg-type]
                   failures={Part.POSITIONS: "no answer"})


@pytest.mark.parametrize(("reference", "is_one"), [
    ("01KJQME8000000000000000000-C1-B1", True), ("01KJQME8000000000000000000-C12-B3:1", True),
    ("", False), ("manual", False), ("IO-1-C1", False), ("a b-C1-B1", False)])
def test_our_own_references_are_known_by_their_form(reference: str, is_one: bool) -> None:
    assert is_ours(reference) is is_one


def test_messages_of_the_journal_become_orders_and_executions() -> None:
    facts = {"reference": "1-C1-B1:7", "perm_id": 70, "con_id": 42, "status": "Submitted", "client_id": 3, "lots": 5,
             "limit": "100.25", "account": "DU1", "execution_id": "e1.02", "quantity": -2, "at": None}
    order, execution = seen_order(facts, lambda _: None), seen_execution(facts, lambda _: "SP500/20260600")
    assert (order.reference, order.contract, str(order.limit), order.is_working) == (
        "1-C1-B1", "unknown contract/42", "100.25", True)
    assert (execution.fill, execution.contract, execution.quantity) == ("DU1/e1", "SP500/20260600", -2)
