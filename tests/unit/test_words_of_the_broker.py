"""What the broker says of an order in words that nobody knows."""

import pytest
from broker_order_samples import NOW, a_broker_order

from trading.clock import from_milliseconds
from trading.execution.broker_orders import TERMINAL, BrokerLifecycle
from trading.execution.stack_handler.reports import after_status
from trading.execution.stack_handler.resolver import needs_resolving


@pytest.mark.parametrize("state", [state for state in BrokerLifecycle if state not in TERMINAL])
def test_an_unknown_status_changes_nothing(state: BrokerLifecycle) -> None:
    order = a_broker_order(lifecycle=state, perm_id=7)
    assert after_status(order, {"status": "Dreaming", "filled": 5, "perm_id": 7}) == order


def test_an_order_of_which_only_unknown_words_are_heard_is_asked_for() -> None:
    sent = a_broker_order(lifecycle=BrokerLifecycle.SENT, perm_id=7, sent=from_milliseconds(0))
    heard = after_status(sent, {"status": "Dreaming", "perm_id": 7})
    assert needs_resolving(heard, NOW, NOW - from_milliseconds(0))
