"""What broker messages make of an order: each word, each code, and any order or repetition of them."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from broker_order_samples import a_broker_order
from hypothesis import given
from hypothesis import strategies as st

from trading.broker.error_codes import shipped_error_policy
from trading.execution.broker_messages import BrokerMessage, MessageKind
from trading.execution.broker_orders import BrokerLifecycle, BrokerOrder
from trading.execution.error_policy import CodeMeaning
from trading.execution.order_states import AdaptivePriority, Flag
from trading.execution.stack_handler.reports import (
    Today,
    after_error,
    after_status,
    fill_of,
    with_perm_id,
)

CANCEL_REFUSED = {135, 136, 161, 10147, 10148}  # the broker could not cancel: the order is what it was

PRECAUTION = sorted(code for code, meaning in shipped_error_policy().meanings.items()
                    if meaning is CodeMeaning.PRECAUTION)

B = BrokerLifecycle
NOW = datetime(2026, 3, 2, 20, tzinfo=UTC)
TODAY = Today(trading_day="2026-03-03", gateway_zone=ZoneInfo("Europe/London"))
REJECTS_NEW = {code for code, meaning in shipped_error_policy().meanings.items()
               if meaning in (CodeMeaning.REJECTS_NEW, CodeMeaning.REJECTS_ALGO, CodeMeaning.PRECAUTION,
                              CodeMeaning.REJECTED)}


_after_error = partial(after_error, policy=shipped_error_policy())


def status(word: str, **facts: object) -> dict[str, Any]:
    return {"status": word, "perm_id": 77, "filled": 0.0, **facts}


def error(code: int, text: str = "text") -> dict[str, Any]:
    return {"code": code, "text": text}


@pytest.mark.parametrize(("word", "state"), [
    ("ApiPending", B.SENT), ("PendingSubmit", B.SENT), ("PreSubmitted", B.ACKED), ("Submitted", B.WORKING),
    ("PendingCancel", B.PENDING_CANCEL), ("Cancelled", B.CANCELLED), ("ApiCancelled", B.CANCELLED),
    ("Inactive", B.UNKNOWN)])
def test_each_status_word_has_its_state(word: str, state: BrokerLifecycle) -> None:
    assert after_status(a_broker_order(lifecycle=B.SENDING), status(word)).lifecycle is state


@pytest.mark.parametrize("word", ["Filled", "SomethingNew", ""])
def test_a_word_that_proves_nothing_changes_no_state(word: str) -> None:
    assert after_status(a_broker_order(lifecycle=B.WORKING), status(word)).lifecycle is B.WORKING


@pytest.mark.parametrize("state", [B.SENT, B.UNKNOWN, B.ACKED, B.WORKING])
def test_a_late_pending_word_does_not_lead_back(state: BrokerLifecycle) -> None:
    assert after_status(a_broker_order(lifecycle=state), status("PendingSubmit")).lifecycle is state


def test_a_cancel_waits_for_fills_that_are_announced_but_not_here() -> None:
    order = a_broker_order(lifecycle=B.WORKING, filled=1)
    assert after_status(order, status("Cancelled", filled=2.0)).lifecycle is B.WORKING
    assert after_status(order, status("Cancelled", filled=1.0)).lifecycle is B.CANCELLED


def test_a_cancel_of_a_sale_compares_lots_without_their_sign() -> None:
    order = a_broker_order(lifecycle=B.WORKING, quantity=-5, filled=-2)
    assert after_status(order, status("Cancelled", filled=2.0)).lifecycle is B.CANCELLED


def test_the_brokers_identity_is_learned_with_the_first_report() -> None:
    assert after_status(a_broker_order(lifecycle=B.SENT), status("Submitted", perm_id=99)).perm_id == 99
    assert with_perm_id(a_broker_order(perm_id=99), 0).perm_id == 99


@pytest.mark.parametrize("code", sorted(REJECTS_NEW))
@pytest.mark.parametrize("state", [B.SENDING, B.SENT, B.UNKNOWN])
def test_a_refusal_of_a_new_order_ends_it(code: int, state: BrokerLifecycle) -> None:
    ended = _after_error(a_broker_order(lifecycle=state), error(code, "no margin"))
    assert (ended.lifecycle, ended.reason) == (B.REJECTED, f"no margin (code {code})")


@pytest.mark.parametrize("code", sorted(REJECTS_NEW - {201}))
def test_the_same_code_for_an_order_that_lives_concerns_something_else(code: int) -> None:
    order = a_broker_order(lifecycle=B.WORKING, perm_id=77)
    assert _after_error(order, error(code)) == order


@pytest.mark.parametrize("code", PRECAUTION)
def test_a_refusal_by_limits_in_the_gateway_is_remembered_with_an_order_that_never_lived(code: int) -> None:
    assert _after_error(a_broker_order(lifecycle=B.SENT), error(code)).awaits_approval
    assert not _after_error(a_broker_order(lifecycle=B.WORKING, perm_id=77), error(code)).awaits_approval
    assert not _after_error(a_broker_order(lifecycle=B.PENDING_REPLACE, perm_id=77), error(code)).awaits_approval
    assert not _after_error(a_broker_order(lifecycle=B.SENT), error(201)).awaits_approval


@pytest.mark.parametrize("code", range(439, 444))
@pytest.mark.parametrize("state", [B.SENT, B.UNKNOWN, B.CANCELLED, B.REJECTED])
def test_a_refusal_of_the_brokers_algo_is_remembered_with_the_order(code: int, state: BrokerLifecycle) -> None:
    order = a_broker_order(lifecycle=state, adaptive=AdaptivePriority.NORMAL)
    assert Flag.ALGO_REFUSED in _after_error(order, error(code)).flags
    assert _after_error(replace(order, adaptive=None), error(code)).flags == frozenset()


@pytest.mark.parametrize("state", [B.ACKED, B.WORKING, B.PENDING_CANCEL, B.PENDING_REPLACE])
def test_a_living_order_has_an_algo_that_was_not_refused(state: BrokerLifecycle) -> None:
    order = a_broker_order(lifecycle=state, perm_id=77, adaptive=AdaptivePriority.NORMAL)
    assert _after_error(order, error(441)).flags == frozenset()


def test_a_rejection_by_the_exchange_ends_even_a_working_order() -> None:
    assert _after_error(a_broker_order(lifecycle=B.WORKING, perm_id=77), error(201)).lifecycle is B.REJECTED


def test_a_rejection_does_not_undo_what_was_filled() -> None:
    ended = _after_error(a_broker_order(lifecycle=B.WORKING, filled=2), error(201))
    assert (ended.lifecycle, ended.filled) == (B.CANCELLED, 2)


def test_code_202_announces_an_end_and_its_status_makes_it_one() -> None:
    announced = _after_error(a_broker_order(lifecycle=B.WORKING), error(202))
    assert announced.lifecycle is B.PENDING_CANCEL
    assert after_status(announced, status("Cancelled")).lifecycle is B.CANCELLED


def test_lean_a_cancel_that_crosses_a_fill_ends_the_order_only_when_the_fill_is_booked() -> None:
    told = after_status(a_broker_order(lifecycle=B.PENDING_CANCEL, quantity=5), status("Cancelled", filled=2.0))
    assert told.lifecycle is B.PENDING_CANCEL
    assert replace(told, filled=2).settled().lifecycle is B.CANCELLED


@pytest.mark.parametrize("code", [99_999, 100])
@pytest.mark.parametrize("state", [B.SENT, B.ACKED, B.WORKING, B.PENDING_REPLACE])
def test_pst_1580_a_code_that_says_nothing_makes_the_order_unknown_and_never_ended(state: BrokerLifecycle,
                                                                                   code: int) -> None:
    order = _after_error(a_broker_order(lifecycle=state, perm_id=77), error(code))
    assert (order.lifecycle, order.may_be_alive) == (B.UNKNOWN, True)


def test_a_refused_change_leaves_the_order_working_under_its_old_terms() -> None:
    order = a_broker_order(lifecycle=B.WORKING, perm_id=77).with_terms_wanted(Decimal("101"))
    for code in (105, 110, 321, 329):
        after = _after_error(order, error(code))
        assert (after.lifecycle, after.limit_price, after.wanted_limit) == (B.WORKING, order.limit_price, None)


def test_an_order_edited_at_the_broker_keeps_its_new_terms_and_is_marked() -> None:
    order = a_broker_order(lifecycle=B.WORKING, perm_id=77, quantity=5)
    touched = after_status(order, status("Submitted", limit="99.5", lots=3))
    assert (touched.limit_price, touched.committed, touched.flags) == (Decimal("99.5"), 3, {Flag.MANUAL_TOUCH})


@pytest.mark.parametrize("code", [*sorted(CANCEL_REFUSED), 399, 2104, 2109, 10349, 1100])
def test_any_other_code_leaves_the_order_what_it_was(code: int) -> None:
    order = a_broker_order(lifecycle=B.PENDING_CANCEL, perm_id=77)
    assert _after_error(order, error(code)) == order


def an_execution(execution_id: str = "0001.02.01") -> BrokerMessage:
    return BrokerMessage(sequence=1, at=NOW, epoch="e", kind=MessageKind.EXECUTION, facts={
        "execution_id": execution_id, "account": "DU1", "con_id": 42, "quantity": -3, "price": "-37.25", "at": None})


def test_a_fill_is_known_by_its_execution_without_the_revision() -> None:
    fill = fill_of(an_execution("0001.02.03"), a_broker_order(), "from con_id", TODAY)
    assert (fill.id, fill.revision, fill.broker_order) == ("DU1/0001.02", 3, "01J-C1-B1")
    assert (fill.contract, fill.trading_day) == ("SP500/20260600", "2026-03-02")  # the order's own
    assert (fill.quantity, fill.price, fill.at) == (-3, Decimal("-37.25"), NOW)


def test_a_fill_of_nobodys_order_is_booked_under_the_contract_and_the_day_of_today() -> None:
    fill = fill_of(an_execution(), None, "SP500/20260900", TODAY)
    assert (fill.broker_order, fill.contract, fill.trading_day) == (None, "SP500/20260900", "2026-03-03")


def folded(messages: list[dict[str, Any]]) -> BrokerOrder:
    order = a_broker_order(lifecycle=B.SENDING)
    for facts in messages:
        order = after_status(order, facts) if "status" in facts else _after_error(order, facts)
    return order


LIVES = {
    "cancelled": ([status("PendingSubmit"), status("PreSubmitted"), status("Submitted"), status("PendingCancel"),
                   status("Cancelled"), error(202, "cancelled")], B.CANCELLED),
    "rejected": ([status("PendingSubmit", perm_id=0), error(201, "margin")], B.REJECTED),
    "working": ([status("PendingSubmit"), status("PreSubmitted"), status("Submitted"), error(399), error(2109)],
                B.WORKING),
}


@pytest.mark.parametrize("life", LIVES.keys())
@given(data=st.data())
def test_any_order_and_repetition_of_a_life_ends_the_same(life: str, data: st.DataObject) -> None:
    messages, end = LIVES[life]
    repeated = messages + data.draw(st.lists(st.sampled_from(messages), max_size=6))
    assert folded(data.draw(st.permutations(repeated))).lifecycle is end


@given(st.lists(st.sampled_from([message for life, _ in LIVES.values() for message in life]), max_size=20))
def test_no_story_makes_an_order_filled_or_an_intent_again(messages: list[dict[str, Any]]) -> None:
    assert folded(messages).lifecycle not in (B.FILLED, B.INTENT, B.NOT_SENT)
