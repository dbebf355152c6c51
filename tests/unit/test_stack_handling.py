"""The stack handler in a small world: fills, time-outs, rejections, lost messages, and a worker killed anywhere."""

import contextlib
from dataclasses import replace
from decimal import Decimal

import pytest
from execution_fakes import Killed, World, a_lock
from moved_clock import START

from trading.errors import BrokerUnavailable
from trading.execution.broker_messages import MessageKind
from trading.execution.broker_orders import BrokerLifecycle
from trading.execution.order_states import AdaptivePriority, CloseReason, ExecutionStyle, Flag, Hold
from trading.execution.quotes import Touch

ATTEMPTS = 5  # of a marketable order


class Checkpoint:
    """Lets the handler go on, for a while: a handler that never ends is a bug."""

    def __init__(self) -> None:
        self.passes = 0

    def __call__(self) -> None:
        self.passes += 1
        assert self.passes < 500, "the stack handler does not come to an end"


def test_an_order_is_sent_filled_and_closed() -> None:
    world = World()
    world.wants(5)
    assert world.handler().run(Checkpoint()) == 1
    assert world.positions == {"SP500/20260600": 5}
    assert world.order.close_reason is CloseReason.FILLED
    assert [(order.limit_price, order.quantity) for order in world.sent] == [(Decimal("100.50"), 5)]


def test_a_sale_takes_the_bid() -> None:
    world = World()
    world.wants(-3)
    world.handler().run(Checkpoint())
    assert world.sent[0].limit_price == Decimal("99.25")  # two ticks through the bid
    assert world.positions == {"SP500/20260600": -3}


def test_a_part_that_is_not_filled_in_time_is_cancelled_and_tried_again_a_few_times() -> None:
    # given a market that fills two lots an order
    world = World(fills_per_order=2)
    world.wants(7)

    # when
    world.handler().run(Checkpoint())

    # then each order fills what it can, and the next one is for what is left
    assert [order.quantity for order in world.sent] == [7, 5, 3, 1]
    assert world.positions == {"SP500/20260600": 7}
    assert (world.order.close_reason, world.order.filled) == (CloseReason.FILLED, 7)


def test_what_nobody_fills_is_given_up_after_a_few_orders() -> None:
    world = World(fills_per_order=1)
    world.wants(9)
    world.handler().run(Checkpoint())
    assert [order.lifecycle for order in world.sent] == [BrokerLifecycle.CANCELLED] * ATTEMPTS
    assert (world.order.close_reason, world.order.filled) == (CloseReason.EXPIRED, 5)


def test_a_rejected_order_is_not_sent_again() -> None:
    world = World(rejects=True)
    world.wants(5)
    world.handler().run(Checkpoint())
    assert len(world.received) == 1
    assert world.sent[0].reason == "Order rejected - reason: margin (code 201)"
    assert world.order.close_reason is CloseReason.REJECTED


@pytest.mark.parametrize("code", [109, 163, 382, 383, 451])
def test_o49_an_order_that_the_gateways_limits_refuse_waits_for_a_person_and_goes_on_with_his_word(code: int) -> None:
    # given limits in the gateway that refuse it
    world = World(rejects=True, rejection=code)
    world.wants(5)

    # when it is looked at again and again, by one worker after another
    for _ in range(3):
        world.handler().run(Checkpoint())

    # then it was sent once, and waits, however long that takes
    leg, = world.tiers["contract"].values()
    assert (len(world.received), leg.holds, world.order.is_open) == (1, {Hold.APPROVAL}, True)
    assert (world.sent[0].lifecycle, world.sent[0].awaits_approval) == (BrokerLifecycle.REJECTED, True)

    # when the limits were changed, and a person lets it go
    world.rejects = False
    world.tiers["contract"][leg.id] = leg.approved()
    world.tiers["broker"][world.sent[0].id] = replace(world.sent[0], flags=world.sent[0].flags | {Flag.APPROVED})
    world.handler().run(Checkpoint())

    # then it is traded once
    assert (len(world.received), world.positions) == (2, {"SP500/20260600": 5})
    assert world.order.close_reason is CloseReason.FILLED


def test_o49_an_order_that_waits_for_a_person_ends_with_its_day() -> None:
    world = World(rejects=True, rejection=383)
    world.wants(5)
    world.handler().run(Checkpoint())
    world.trading_day = "2026-03-03"
    world.handler().run(Checkpoint())
    assert (len(world.received), world.order.close_reason) == (1, CloseReason.EXPIRED)


@pytest.mark.parametrize("quote", [None, Touch(bid=Decimal("101"), ask=Decimal("100"), at=START),
                                   Touch(bid=Decimal("NaN"), ask=Decimal("100"), at=START)])
def test_nothing_is_sent_without_a_sane_quote(quote: Touch | None) -> None:
    world = World(quote=quote)
    world.wants(5)
    world.handler().run(Checkpoint())
    assert world.received == []
    assert world.order.is_open  # it waits for one, and keeps no run waiting

    # when its day is over
    handler = world.handler()
    handler.reader.today = replace(handler.reader.today, trading_day="2026-03-03")
    handler.run(Checkpoint())
    assert world.order.close_reason is CloseReason.EXPIRED


def test_a_negative_price_is_a_price() -> None:
    world = World(quote=Touch(bid=Decimal("-37.63"), ask=Decimal("-37.60"), at=START))
    world.wants(5)
    world.handler().run(Checkpoint())
    assert world.sent[0].limit_price == Decimal("-37.00")  # two ticks through, up to the grid, so that it does not miss
    assert world.order.close_reason is CloseReason.FILLED


def test_a_lost_acknowledgement_is_asked_for_and_never_answered_by_another_order() -> None:
    world = World(loses_acknowledgements=True)
    world.wants(5)
    world.handler().run(Checkpoint())
    assert len(world.received) == 1
    assert world.positions == {"SP500/20260600": 5}
    assert world.locked == {}


def test_an_order_that_never_arrived_is_proven_so_before_another_is_sent() -> None:
    # given a connection that swallows the first order
    world = World(first_orders_lost=1)
    world.wants(5)

    # when
    world.handler().run(Checkpoint())

    # then
    assert world.sent[0].lifecycle is BrokerLifecycle.NOT_SENT
    assert world.received == [world.sent[1].id]
    assert world.positions == {"SP500/20260600": 5}
    assert world.locked == {}


def test_without_a_broker_the_intent_waits() -> None:
    world = World(reachable=False)
    world.wants(5)
    with pytest.raises(BrokerUnavailable):
        world.handler().run(Checkpoint())
    assert world.sent[0].lifecycle is BrokerLifecycle.INTENT

    world.reachable = True
    world.handler().run(Checkpoint())
    assert world.received == [world.sent[0].id]
    assert world.positions == {"SP500/20260600": 5}


def test_a_locked_instrument_is_left_alone_while_others_trade() -> None:
    world = World()
    world.locked["x"] = a_lock()
    world.wants(5)
    world.wants(2, "IO-2", "US2")
    world.handler().run(Checkpoint())
    assert world.positions == {"US2/20260600": 2}
    assert world.order.is_open


def calls_of_a_whole_run(**world_is: object) -> int:
    world = World(**world_is)
    world.wants(5)
    world.handler().run(Checkpoint())
    return world.calls


def test_an_algo_that_the_broker_refuses_leaves_the_order_to_our_own() -> None:
    # given a broker that works no such order by its own algo
    world = World(rejects_algos=True, style=ExecutionStyle.ADAPTIVE)
    world.wants(5)

    # when
    assert world.handler().run(Checkpoint()) == 1

    # then nothing is lost or locked: the order is traded as if it had been of style BEST from the beginning
    first, second = world.sent
    assert (first.lifecycle, first.adaptive, first.limit_price) == (
        BrokerLifecycle.REJECTED, AdaptivePriority.NORMAL, Decimal("100.75"))
    assert (second.lifecycle, second.adaptive, second.limit_price) == (
        BrokerLifecycle.FILLED, None, Decimal("99.75"))
    assert (world.order.close_reason, world.positions) == (CloseReason.FILLED, {"SP500/20260600": 5})
    assert world.reasons == {}


def test_an_order_whose_algo_was_refused_goes_on_where_a_killed_worker_was() -> None:
    """Killed before, and behind, every write and message of the whole course."""
    whole = World(style=ExecutionStyle.ADAPTIVE, rejects_algos=True)
    whole.wants(3)
    whole.handler().run(Checkpoint())
    for number in range(1, whole.calls + 1):
        for happens in (False, True):
            world = World(style=ExecutionStyle.ADAPTIVE, rejects_algos=True, crash_at=(number, happens))
            world.wants(3)
            with contextlib.suppress(Killed):
                world.handler().run(Checkpoint())
            world.crash_at = None
            world.handler().run(Checkpoint())
            assert world.positions == {"SP500/20260600": 3}, (number, happens)
            assert len(world.received) == len(set(world.received))


WORLDS = ({}, {"fills_per_order": 1}, {"rejects": True}, {"loses_acknowledgements": True})
CRASHES = [(world_is, call, effect) for world_is in WORLDS for call in range(1, calls_of_a_whole_run(**world_is) + 1)
           for effect in (False, True)]


@pytest.mark.parametrize(("world_is", "call", "effect"), CRASHES)
def test_a_worker_killed_at_any_call_loses_nothing_and_sends_nothing_twice(world_is: dict[str, object], call: int,
                                                                           effect: bool) -> None:
    # given what an undisturbed run comes to
    undisturbed = World(**world_is)
    undisturbed.wants(5)
    undisturbed.handler().run(Checkpoint())

    # when the worker is killed at one call of the outside world, and another one takes over
    world = World(**world_is, crash_at=(call, effect))
    world.wants(5)
    with pytest.raises(Killed):
        world.handler().run(Checkpoint())
    world.handler().run(Checkpoint())

    # then it comes to the same
    assert len(world.received) == len(set(world.received))
    assert world.positions == undisturbed.positions
    assert world.order.close_reason is undisturbed.order.close_reason
    assert sum(world.exchange_filled.values()) == sum(world.positions.values())


def said_inactive(world: World) -> None:
    """The broker calls our order Inactive, and says no more."""
    handler = world.handler()
    handler.one_pass()
    handler.one_pass()
    world.messages.clear()
    world.say(MessageKind.ORDER_STATUS, status="Inactive", filled=0.0, reference=world.sent[0].id, perm_id=1001,
              ib_order_id=0, con_id=42)


def test_an_order_that_the_broker_holds_back_locks_its_instrument_and_lets_the_handler_end() -> None:
    world = World(fills_at_once=False)
    world.wants(5)
    said_inactive(world)
    world.handler().run(Checkpoint())
    assert world.sent[0].lifecycle is BrokerLifecycle.UNKNOWN
    assert world.reasons == {"SP500": f"nobody knows the fate of broker order {world.sent[0].id}"}
    assert world.received == [world.sent[0].id]


def test_a_rejection_of_the_rest_keeps_what_was_filled() -> None:
    world = World(fills_per_order=2)
    world.wants(5)
    handler = world.handler()
    for _ in range(2):
        handler.one_pass()
    handler.reader.apply_new()
    world.say(MessageKind.ERROR, request_id=world.sent[0].ib_order_id, code=201, text="Order rejected - reason: margin")
    handler.reader.apply_new()
    assert (world.sent[0].lifecycle, world.sent[0].filled) == (BrokerLifecycle.CANCELLED, 2)


def test_a_cancel_that_somebody_else_asked_for_comes_to_an_end() -> None:
    world = World(fills_at_once=False)
    world.wants(5)
    handler = world.handler()
    for _ in range(2):
        handler.one_pass()
    handler.reader.apply_new()
    world.say(MessageKind.ORDER_STATUS, status="PendingCancel", filled=0.0, reference=world.sent[0].id, perm_id=1001,
              ib_order_id=0, con_id=42)
    world.handler().run(Checkpoint())
    assert world.sent[0].lifecycle is BrokerLifecycle.CANCELLED
