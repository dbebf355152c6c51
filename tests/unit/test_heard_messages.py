"""The same message is stored once however often it arrives, and nothing new is ever taken for an echo."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from trading.execution.broker_messages import BrokerMessage, MessageKind
from trading.execution.heard_messages import REMEMBERED, HeardMessages

FILL: dict[str, Any] = {"execution_id": "1.01", "quantity": 2, "price": "100.5"}
STATUS: dict[str, Any] = {"ib_order_id": 7, "perm_id": 9, "status": "Submitted", "filled": 0.0}


def stored(heard: HeardMessages, *messages: tuple[MessageKind, str, dict[str, Any]]) -> list[bool]:
    return [not heard.is_echo(*message) for message in messages]


def test_a_fill_is_stored_once_on_whatever_connection_it_comes() -> None:
    again = [(MessageKind.EXECUTION, epoch, FILL) for epoch in ("a", "a", "b")]
    assert stored(HeardMessages(), *again) == [True, False, False]


def test_a_fill_that_says_something_else_is_stored() -> None:
    other = FILL | {"quantity": 3}
    kind = MessageKind.EXECUTION
    assert stored(HeardMessages(), (kind, "a", FILL), (kind, "a", other)) == [True, True]


def test_a_state_is_stored_when_it_changes_and_on_each_connection() -> None:
    filled = STATUS | {"status": "Filled"}
    kind = MessageKind.ORDER_STATUS
    assert stored(HeardMessages(), (kind, "a", STATUS), (kind, "a", STATUS), (kind, "a", filled), (kind, "a", STATUS),
                  (kind, "b", STATUS)) == [True, False, True, True, True]


def test_errors_and_connections_are_always_stored() -> None:
    error = (MessageKind.ERROR, "a", {"request_id": 7, "code": 201, "text": "no"})
    assert stored(HeardMessages(), error, error) == [True, True]


def test_what_was_stored_before_a_restart_is_known() -> None:
    heard = HeardMessages()
    heard.remember(BrokerMessage(sequence=1, at=datetime(2026, 3, 2, tzinfo=UTC), epoch="a",
                                 kind=MessageKind.EXECUTION, facts=FILL))
    assert stored(heard, (MessageKind.EXECUTION, "b", FILL)) == [False]


def test_its_memory_is_bounded() -> None:
    heard = HeardMessages()
    for number in range(REMEMBERED + 100):
        heard.is_echo(MessageKind.COMMISSION, "a", {"execution_id": str(number)})
    assert len(heard) == REMEMBERED


def test_a_day_with_many_connections_needs_no_more_memory_than_one_with_a_single_one() -> None:
    heard = HeardMessages()
    for epoch in range(50):
        for order in range(10):
            heard.is_echo(MessageKind.COMPLETED_ORDER, str(epoch), STATUS | {"perm_id": order})
    assert len(heard) == 10


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 3), st.sampled_from(("Submitted", "Filled")))))
def test_no_change_of_a_state_is_lost(said: list[tuple[str, int, str]]) -> None:
    heard, last, kept = HeardMessages(), {}, {}
    for epoch, order, word in said:
        facts = {"ib_order_id": order, "perm_id": order, "status": word}
        if not heard.is_echo(MessageKind.ORDER_STATUS, epoch, facts):
            kept[epoch, order] = word
        last[epoch, order] = word
    assert kept == last
