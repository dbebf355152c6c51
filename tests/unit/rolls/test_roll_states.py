"""The tables of roll states, both ways, and who may change them when."""

from dataclasses import replace
from itertools import product

import pytest

from trading.execution.rolls.changes import (
    AdjustmentFacts,
    AllowedChange,
    ChangedBy,
    InvalidRollChange,
    RollChange,
    check_transition,
)
from trading.execution.rolls.states import (
    FOR_A_PERSON_ONLY,
    MEANINGS,
    URGENCY,
    RollState,
    following,
    following_by_itself,
    lowers_urgency,
    raises_urgency,
    reason_to_lock,
)

EMPTY = """
NO_ROLL        ROLL_ADJUSTED PASSIVE NO_OPEN
NO_OPEN        ROLL_ADJUSTED PASSIVE NO_ROLL
PASSIVE        ROLL_ADJUSTED NO_OPEN
FORCE_SPREAD   ROLL_ADJUSTED
FORCE_OUTRIGHT ROLL_ADJUSTED
CLOSE          ROLL_ADJUSTED NO_ROLL
ROLL_ADJUSTED  NO_ROLL
EXPIRED_HOLD   NO_ROLL
"""
HELD = """
NO_ROLL        PASSIVE NO_OPEN FORCE_SPREAD FORCE_OUTRIGHT CLOSE
NO_OPEN        PASSIVE FORCE_SPREAD FORCE_OUTRIGHT CLOSE
PASSIVE        FORCE_SPREAD FORCE_OUTRIGHT NO_OPEN CLOSE
FORCE_SPREAD   FORCE_OUTRIGHT CLOSE PASSIVE
FORCE_OUTRIGHT CLOSE
CLOSE          EXPIRED_HOLD
ROLL_ADJUSTED
EXPIRED_HOLD
"""
PAIRS = list(product(RollState, RollState))
READY = AdjustmentFacts(front_at_broker=0, live_orders_in_front=0, series_checked=True)


def listed(table: str) -> set[tuple[RollState, RollState]]:
    rows = [line.split() for line in table.strip().splitlines()]
    return {(RollState(row[0]), RollState(new)) for row in rows for new in row[1:]}


def a_change(old: RollState, new: RollState, front: int, by: ChangedBy = ChangedBy.PERSON) -> RollChange:
    return RollChange(instrument="SP500", old=old, new=new, front=front, live_orders=0, by=by, reason="market is thin",
                      adjustment=READY, settlement_booked=True)


def is_allowed(change: RollChange) -> bool:
    try:
        return check_transition(change).new is change.new
    except InvalidRollChange:
        return False


@pytest.mark.parametrize(("table", "front"), [(EMPTY, 0), (HELD, 3), (HELD, -1)])
@pytest.mark.parametrize(("old", "new"), PAIRS)
def test_a_person_may_do_what_the_table_lists_and_nothing_else(table: str, front: int, old: RollState,
                                                               new: RollState) -> None:
    assert is_allowed(a_change(old, new, front)) == ((old, new) in listed(table))


@pytest.mark.parametrize(("old", "new"), PAIRS)
def test_by_itself_a_roll_with_lots_in_front_only_becomes_more_urgent(old: RollState, new: RollState) -> None:
    allowed = is_allowed(a_change(old, new, 2, ChangedBy.RULE))
    assert allowed == ((old, new) in listed(HELD) and URGENCY.index(new) > URGENCY.index(old))


@pytest.mark.parametrize(("old", "new"), PAIRS)
def test_by_itself_an_empty_front_follows_the_table_but_never_leaves_close_for_trading(old: RollState,
                                                                                       new: RollState) -> None:
    allowed = is_allowed(a_change(old, new, 0, ChangedBy.RULE))
    assert allowed == ((old, new) in listed(EMPTY) - {(RollState.CLOSE, RollState.NO_ROLL)})


@pytest.mark.parametrize(("old", "new"), sorted(listed(HELD) | listed(EMPTY)))
def test_live_orders_hold_up_every_change_but_an_urgent_one(old: RollState, new: RollState) -> None:
    front = 2 if (old, new) in listed(HELD) else 0
    change = replace(a_change(old, new, front), live_orders=1)
    if raises_urgency(old, new):
        assert check_transition(change) == AllowedChange(new=new, needs_cancel_first=True)
    else:
        with pytest.raises(InvalidRollChange, match="1 of its orders are live; cancel them, or wait until they end"):
            check_transition(change)


def test_without_live_orders_nothing_needs_to_be_cancelled() -> None:
    change = a_change(RollState.PASSIVE, RollState.FORCE_SPREAD, 3)
    assert not check_transition(change).needs_cancel_first


def test_orders_that_are_not_known_hold_up_a_change() -> None:
    change = replace(a_change(RollState.NO_OPEN, RollState.NO_ROLL, 0), live_orders=None)
    with pytest.raises(InvalidRollChange, match="whether orders of it are live is not known"):
        check_transition(change)


def test_orders_that_are_not_known_are_cancelled_before_an_urgent_change() -> None:
    change = replace(a_change(RollState.PASSIVE, RollState.CLOSE, 1), live_orders=None)
    assert check_transition(change).needs_cancel_first


@pytest.mark.parametrize("reason", ["", "   "])
def test_a_less_urgent_state_needs_a_reason(reason: str) -> None:
    change = replace(a_change(RollState.FORCE_SPREAD, RollState.PASSIVE, 4), reason=reason)
    with pytest.raises(InvalidRollChange, match="a less urgent state needs a reason"):
        check_transition(change)


@pytest.mark.parametrize(("facts", "why"), [
    (replace(READY, front_at_broker=1), r"the broker holds \+1 lots in front"),
    (replace(READY, front_at_broker=None), "what the broker holds in front is not known"),
    (replace(READY, live_orders_in_front=1), "orders in the front contract are live, or it is not known that none is"),
    (replace(READY, live_orders_in_front=None), "or it is not known that none is"),
    (replace(READY, series_checked=False), "the new adjusted series is not checked"),
    (replace(READY, series_checked=None), "the new adjusted series is not checked")])
def test_prices_are_switched_only_when_all_is_known_to_be_ready(facts: AdjustmentFacts, why: str) -> None:
    change = replace(a_change(RollState.PASSIVE, RollState.ROLL_ADJUSTED, 0), adjustment=facts)
    with pytest.raises(InvalidRollChange, match=why):
        check_transition(change)


def test_lots_in_front_in_our_own_books_keep_prices_from_being_switched() -> None:
    assert not is_allowed(a_change(RollState.PASSIVE, RollState.ROLL_ADJUSTED, 1))


@pytest.mark.parametrize("booked", [None, False])
def test_an_ended_contract_is_left_only_after_its_settlement_is_booked(booked: bool | None) -> None:
    change = replace(a_change(RollState.EXPIRED_HOLD, RollState.NO_ROLL, 0), settlement_booked=booked)
    with pytest.raises(InvalidRollChange, match="the settlement of the ended contract is not booked"):
        check_transition(change)


def test_a_refusal_says_what_is_allowed_and_how() -> None:
    with pytest.raises(InvalidRollChange) as refused:
        check_transition(a_change(RollState.FORCE_OUTRIGHT, RollState.NO_ROLL, 3))
    assert str(refused.value) == (
        "SP500 is FORCE_OUTRIGHT with +3 lots in front and cannot become NO_ROLL: these two do not follow each other "
        "(allowed: CLOSE). To change it: tradectl rolls set SP500 STATE --reason \"...\"")


def test_a_rule_that_wants_what_only_a_person_may_is_told_so() -> None:
    with pytest.raises(InvalidRollChange, match="only a person may do that"):
        check_transition(a_change(RollState.FORCE_SPREAD, RollState.PASSIVE, 3, ChangedBy.RULE))


def test_a_fill_that_arrives_after_the_roll_locks_the_instrument() -> None:
    reason = reason_to_lock("SP500", RollState.ROLL_ADJUSTED, 2)
    assert reason is not None
    assert "+2 lots are held in its front contract: a fill arrived late" in reason
    assert reason_to_lock("SP500", RollState.ROLL_ADJUSTED, 0) is None


def test_a_contract_that_ended_while_held_is_for_a_person() -> None:
    assert "the broker acts" in (reason_to_lock("SP500", RollState.EXPIRED_HOLD, -1) or "")
    assert reason_to_lock("SP500", RollState.CLOSE, -1) is None


def test_every_state_has_a_meaning_and_all_but_the_end_of_a_roll_an_urgency() -> None:
    assert set(MEANINGS) == set(RollState)
    assert set(URGENCY) == set(RollState) - {RollState.ROLL_ADJUSTED}
    assert {state.meaning for state in RollState} == set(MEANINGS.values())


def test_urgency_rises_from_trading_on_to_the_broker_acting() -> None:
    for less, more in product(URGENCY, URGENCY):
        assert raises_urgency(less, more) == (URGENCY.index(less) < URGENCY.index(more)) == lowers_urgency(more, less)


@pytest.mark.parametrize("front", [0, 1])
@pytest.mark.parametrize("state", RollState)
def test_a_rule_may_never_more_than_a_person(state: RollState, front: int) -> None:
    assert following_by_itself(state, front) <= following(state, front)
    assert all((state, new) not in FOR_A_PERSON_ONLY for new in following_by_itself(state, front))
