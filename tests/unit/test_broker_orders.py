"""The life of an order at the broker: which state may follow which, and reports that come twice or late."""

from dataclasses import replace
from decimal import Decimal
from itertools import product

import pytest
from broker_order_samples import NOW, a_broker_order

from trading.execution.broker_orders import MOVES, TERMINAL, BrokerLifecycle, InvalidMove
from trading.execution.order_states import Flag

B = BrokerLifecycle
PAIRS = list(product(BrokerLifecycle, BrokerLifecycle))


def test_the_table_lists_every_state() -> None:
    assert set(MOVES) == set(BrokerLifecycle)


@pytest.mark.parametrize("state", sorted(TERMINAL))
def test_only_a_fill_can_follow_an_ending(state: BrokerLifecycle) -> None:
    assert MOVES[state] <= {B.FILLED}


def test_a_filled_order_is_over() -> None:
    assert MOVES[B.FILLED] == frozenset()


def test_nothing_leads_back_to_an_intent() -> None:
    assert all(B.INTENT not in followers for followers in MOVES.values())


def test_only_a_claim_leads_to_sending() -> None:
    assert [state for state in B if B.SENDING in MOVES[state]] == [B.INTENT]


@pytest.mark.parametrize("state", [B.ACKED, B.WORKING, B.PENDING_CANCEL])
def test_what_the_broker_knew_was_never_not_sent(state: BrokerLifecycle) -> None:
    assert B.NOT_SENT not in MOVES[state]


@pytest.mark.parametrize(("old", "new"), [pair for pair in PAIRS if pair[1] not in MOVES[pair[0]]])
def test_a_move_that_is_not_listed_is_refused_to_the_letter(old: BrokerLifecycle, new: BrokerLifecycle) -> None:
    allowed = ", ".join(sorted(MOVES[old])) or "none"
    with pytest.raises(InvalidMove) as refusal:
        a_broker_order(lifecycle=old).moved(new)
    assert str(refusal.value) == (f"broker order 01J-C1-B1 is {old.value} and cannot become {new.value} (allowed: "
                                  f"{allowed}). See its story: tradectl story 01J-C1-B1")


@pytest.mark.parametrize(("old", "new"), [pair for pair in PAIRS if pair[1] not in MOVES[pair[0]]])
def test_an_overtaken_report_changes_nothing(old: BrokerLifecycle, new: BrokerLifecycle) -> None:
    order = a_broker_order(lifecycle=old, reason="before")
    assert order.advanced(new, "after") is order


@pytest.mark.parametrize("state", sorted(B))
def test_a_repeated_report_changes_nothing(state: BrokerLifecycle) -> None:
    order = a_broker_order(lifecycle=state, reason="before")
    assert order.advanced(state, "again") is order


def test_a_move_keeps_the_reason_when_it_brings_none() -> None:
    order = a_broker_order(lifecycle=B.WORKING, reason="why")
    assert order.moved(B.CANCELLED).reason == "why"
    assert order.moved(B.CANCELLED, "new").reason == "new"


@pytest.mark.parametrize("state", sorted(B))
def test_an_order_may_be_alive_until_it_has_ended(state: BrokerLifecycle) -> None:
    assert a_broker_order(lifecycle=state).may_be_alive == (state not in TERMINAL)


@pytest.mark.parametrize(("touched", "lots", "ended"), [
    (None, 2, True), (None, 1, False), (None, 3, True), (3, 2, False), (3, 3, True), (1, 1, True)])
def test_an_order_is_filled_when_all_is_that_the_broker_has_of_it(touched: int | None, lots: int, ended: bool) -> None:
    """More than all, in one execution or after an edit at the broker, is an end too: else it is asked for for ever."""
    order = replace(a_broker_order(), quantity=2, filled=0, lifecycle=BrokerLifecycle.WORKING, broker_quantity=touched)
    assert (order.update_fill(lots).lifecycle is BrokerLifecycle.FILLED) is ended


def test_a_cancel_that_we_want_does_not_make_an_unknown_order_known() -> None:
    unknown = a_broker_order(lifecycle=BrokerLifecycle.UNKNOWN).with_cancel_wanted(NOW, "halt")
    assert (unknown.lifecycle, unknown.cancel_requested) == (BrokerLifecycle.UNKNOWN, NOW)
    working = a_broker_order(lifecycle=BrokerLifecycle.WORKING).with_cancel_wanted(NOW, "halt")
    assert (working.lifecycle, working.reason) == (BrokerLifecycle.PENDING_CANCEL, "halt")


@pytest.mark.parametrize("lots", [3, 8])
def test_an_order_that_was_edited_at_the_broker_is_filled_when_that_many_have_traded(lots: int) -> None:
    working = a_broker_order(lifecycle=BrokerLifecycle.WORKING)
    edited_first = working.with_terms_told(Decimal(100), lots).update_fill(lots)
    assert edited_first.lifecycle is BrokerLifecycle.FILLED
    assert (Flag.OVERFILL in edited_first.flags) is (lots > 5)
    assert working.with_terms_told(Decimal(100), lots).update_fill(lots - 1).may_be_alive


def test_an_edit_that_is_heard_after_its_fills_ends_the_order_as_well() -> None:
    traded = a_broker_order(lifecycle=BrokerLifecycle.WORKING).update_fill(3)
    assert traded.may_be_alive
    assert traded.with_terms_told(Decimal(100), 3).lifecycle is BrokerLifecycle.FILLED


def test_an_old_echo_does_not_undo_the_end_of_an_edited_order() -> None:
    edited = a_broker_order(lifecycle=BrokerLifecycle.WORKING).with_terms_told(Decimal(100), 8).update_fill(5)
    ended = edited.told("Cancelled", 5)
    assert ended.lifecycle is BrokerLifecycle.CANCELLED
    assert ended.with_terms_told(Decimal(100), 5).lifecycle is BrokerLifecycle.CANCELLED
