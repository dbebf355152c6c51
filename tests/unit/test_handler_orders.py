"""Orders at the handler: judged before they trade, cut, cancelled for good, and alone in their faults."""

from dataclasses import replace
from decimal import Decimal

import pytest
from execution_fakes import FakeOrders, World, a_lock
from moved_clock import START

from trading.execution.broker_messages import MessageKind
from trading.execution.broker_orders import BrokerLifecycle
from trading.execution.order_states import CloseReason, ExecutionStyle, Hold, Lifecycle
from trading.execution.stack_handler.stack_handler import StackHandler
from trading.risk.check import Outcome
from trading.risk.order_kind import OrderKind


def checkpoint() -> None:
    """Nobody asks the handler to stop."""


def a_pass(world: World, handler: StackHandler) -> None:
    handler.reader.apply_new()
    handler.one_pass()
    world.clock.advance(1)


def test_an_order_that_waits_for_approval_is_not_touched() -> None:
    world = World()
    world.wants(5)
    world.tiers["instrument"]["IO-1"] = replace(world.order, lifecycle=Lifecycle.CREATED,
                                                holds=frozenset({Hold.APPROVAL}))
    world.handler().run(checkpoint)
    assert (world.received, world.order.lifecycle) == ([], Lifecycle.CREATED)


def test_an_order_of_a_person_is_judged_before_it_trades() -> None:
    world = World()
    world.wants(5)
    world.tiers["instrument"]["IO-1"] = replace(world.order, lifecycle=Lifecycle.CREATED, kind=OrderKind.MANUAL)
    world.handler().run(checkpoint)
    assert (world.order.close_reason, world.order.filled) == (CloseReason.FILLED, 5)
    assert world.order.checks


def test_a_cancelled_order_takes_back_what_rests_and_ends_when_that_is_dead() -> None:
    # given an order that rests
    world = World(fills_at_once=False)
    world.wants(5)
    handler = world.handler()
    for _ in range(3):
        a_pass(world, handler)
    assert world.sent[0].may_be_alive

    # when a person cancels it
    [leg] = FakeOrders(world).open_contract_orders()
    world.tiers["instrument"]["IO-1"] = replace(world.order.moved(Lifecycle.CLOSING, CloseReason.CANCELLED))
    world.tiers["contract"][leg.id] = replace(leg.moved(Lifecycle.CLOSING))
    world.handler().run(checkpoint)

    # then nothing is left, and nothing new was sent
    assert world.sent[0].lifecycle is BrokerLifecycle.CANCELLED
    assert len(world.sent) == 1
    assert (world.order.lifecycle, world.order.close_reason) == (Lifecycle.CLOSED, CloseReason.CANCELLED)


@pytest.mark.parametrize("outcome", [Outcome.DENY])
def test_an_order_that_a_control_denies_ends_and_nothing_is_sent(outcome: Outcome) -> None:
    world = World(verdicts=[outcome])
    world.wants(5)
    world.handler().run(checkpoint)
    assert (world.received, world.order.close_reason) == ([], CloseReason.DENIED)


def test_an_order_that_a_control_holds_waits_for_the_next_run_and_keeps_none_waiting() -> None:
    world = World(verdicts=[Outcome.HOLD])
    world.wants(5)
    world.handler().run(checkpoint)
    assert (world.received, world.order.is_open) == ([], True)
    world.handler().run(checkpoint)
    assert world.order.close_reason is CloseReason.FILLED


def test_pst_1580_an_order_that_is_sent_again_and_again_locks_its_instrument() -> None:
    world = World(verdicts=[Outcome.LOCK])
    world.wants(5)
    world.handler().run(checkpoint)
    assert world.received == []
    assert list(world.reasons) == ["SP500"]


def test_what_no_day_needs_raises_the_level() -> None:
    world = World(verdicts=[Outcome.LEVEL])
    world.wants(5)
    world.handler().run(checkpoint)
    assert (world.received, len(world.levels)) == ([], 1)


def test_pst_1260_an_order_that_cannot_be_worked_stops_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    # given two orders, and a contract whose description is broken
    world = World()
    world.wants(5)
    world.wants(2, "IO-2", "US2")
    handler = world.handler()
    tradable = handler.worker.market.tradable

    def broken(contract: str) -> object:
        if contract.startswith("SP500"):
            raise ZeroDivisionError("a tick of nothing")
        return tradable(contract)

    monkeypatch.setattr(handler.worker.market, "tradable", broken)

    # when
    handler.run(checkpoint)

    # then the other one has traded, and the broken one is told
    assert world.positions == {"US2/20260600": 2}
    assert handler.sick == {"IO-1-C1": "ZeroDivisionError: a tick of nothing"}


def test_what_rests_of_an_order_that_cannot_be_worked_is_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(fills_at_once=False)
    world.wants(5)
    handler = world.handler()
    for _ in range(3):
        a_pass(world, handler)

    def broken(*_: object) -> object:
        raise ZeroDivisionError("a bug in an algo")

    monkeypatch.setattr(handler.worker, "work", broken)
    a_pass(world, handler)
    handler.reader.apply_new()
    assert world.sent[0].lifecycle is BrokerLifecycle.CANCELLED


def test_what_an_edit_at_the_broker_took_away_is_ordered_anew() -> None:
    world = World(fills_at_once=False)
    world.wants(5)
    handler = world.handler()
    for _ in range(3):
        a_pass(world, handler)
    order = world.sent[0]
    world.say(MessageKind.OPEN_ORDER, status="Submitted", limit=str(order.limit_price), lots=3,
              ib_order_id=order.ib_order_id, reference=order.id, perm_id=order.perm_id, con_id=42)
    world.fill(order, 3)
    world.fills_at_once = True
    world.handler().run(checkpoint)
    assert [(each.lifecycle, each.quantity) for each in world.sent] == [(BrokerLifecycle.FILLED, 5),
                                                                        (BrokerLifecycle.FILLED, 2)]
    assert (world.order.close_reason, world.order.filled) == (CloseReason.FILLED, 5)


def test_a_cancel_that_the_broker_refuses_is_repeated_only_after_a_while() -> None:
    world = World(fills_at_once=False)
    world.wants(5)
    handler = world.handler()
    for _ in range(3):
        a_pass(world, handler)
    world.forgotten.add(world.sent[0].id)
    world.clock.advance(61)  # longer than it may rest
    assert world.quote is not None
    world.quote = replace(world.quote, at=world.clock.now())
    refusals = len(world.messages)
    for _ in range(4):  # a second each
        a_pass(world, handler)
    assert len(world.messages) - refusals == 1


def test_a_locked_instrument_takes_back_what_rests_and_its_order_waits() -> None:
    world = World(fills_at_once=False)
    world.wants(5)
    handler = world.handler()
    for _ in range(3):
        a_pass(world, handler)
    world.locked["x"] = a_lock()
    world.handler().run(checkpoint)
    assert world.sent[0].lifecycle is BrokerLifecycle.CANCELLED
    assert world.order.is_open


def test_a_large_order_is_sent_in_parts_one_after_the_other() -> None:
    world = World(most_lots=2)
    world.wants(5)
    world.handler().run(checkpoint)
    assert [order.quantity for order in world.sent] == [2, 2, 1]
    assert world.positions == {"SP500/20260600": 5}


def test_the_tenth_child_comes_after_the_second() -> None:
    world = World(most_lots=1, style=ExecutionStyle.BEST, fills_per_order=1)
    world.wants(12)
    world.handler().run(checkpoint)
    assert world.received == [f"1-C1-B{number}" for number in range(1, 13)]


def test_a_price_that_is_followed_is_changed_and_not_sent_anew() -> None:
    # given an order at our own side, and a market that goes away
    world = World(style=ExecutionStyle.BEST, fills_at_once=False)
    world.wants(3)
    handler = world.handler()
    for _ in range(4):
        a_pass(world, handler)
    assert world.quote is not None
    world.quote = replace(world.quote, bid=world.quote.bid + 1, ask=world.quote.ask + 1)
    for _ in range(6):
        a_pass(world, handler)

    # then the one order stands at another price
    assert len(world.received) == 1
    [order] = world.sent
    assert (order.changes, order.limit_price) == (1, Decimal("100.75"))  # the chase ends three ticks behind the ask
    assert order.lifecycle is BrokerLifecycle.WORKING


def test_an_order_edited_at_the_broker_keeps_its_terms_and_counts_with_them() -> None:
    world = World(fills_at_once=False)
    world.wants(5)
    handler = world.handler()
    for _ in range(3):
        a_pass(world, handler)
    order = world.sent[0]
    world.say(MessageKind.OPEN_ORDER, status="Submitted", limit="99.5", lots=3, ib_order_id=order.ib_order_id,
              reference=order.id, perm_id=order.perm_id, con_id=42)
    handler.reader.apply_new()
    assert world.sent[0].committed == 3
    assert world.order.created == START
