"""Orders that are held until their exchange opens, that the broker has forgotten, or that live there twice."""

from collections.abc import Callable

import pytest
from execution_fakes import World

from trading.execution.broker_messages import MessageKind
from trading.execution.broker_orders import BrokerLifecycle
from trading.execution.locks import LockCause
from trading.execution.order_states import Lifecycle

HELD = ("Order Message:\nBUY 5 ES\nWarning: your order will not be placed at the exchange until "
        "2026-03-03 01:00:00 Europe/London")


def checkpoint() -> None:
    """Nobody asks the handler to stop."""


def resting() -> World:
    """Five lots at the broker, accepted, not filled."""
    world = World(fills_at_once=False)
    world.wants(5)
    handler = world.handler()
    for _ in range(2):
        handler.one_pass()
    world.messages.pop()  # not at the exchange yet
    handler.reader.apply_new()
    return world


def held() -> World:
    world = resting()
    world.say(MessageKind.ERROR, request_id=world.sent[0].ib_order_id, code=399, text=HELD)
    return world


def of(world: World, **facts: object) -> dict[str, object]:
    """What a message about the first order says."""
    return {"ib_order_id": 0, "reference": world.sent[0].id, "perm_id": world.sent[0].perm_id, "con_id": 42, **facts}


def executed(world: World, number: int, perm_id: int) -> None:
    world.say(MessageKind.EXECUTION, **of(world, perm_id=perm_id, execution_id=f"0009.{number:04d}.01", quantity=5,
                                          security="FUT", price="100", at=None, account="DU1"))


def test_an_order_that_is_held_until_the_opening_is_neither_waited_for_nor_cancelled() -> None:
    world = held()
    world.handler().run(checkpoint)
    world.clock.advance(12 * 3600)
    world.handler().run(checkpoint)
    assert world.sent[0].lifecycle is BrokerLifecycle.ACKED
    assert world.order.lifecycle is Lifecycle.WORKING
    assert (len(world.received), world.locked) == (1, {})


def test_it_fills_when_the_exchange_opens() -> None:
    world = held()
    world.handler().run(checkpoint)
    world.say(MessageKind.ORDER_STATUS, **of(world, status="Submitted", filled=0.0))
    world.fill(world.sent[0], 5)
    world.handler().run(checkpoint)
    assert world.positions == {"SP500/20260600": 5}
    assert world.order.lifecycle is Lifecycle.CLOSED
    assert len(world.received) == 1


def test_once_its_exchange_is_open_it_has_its_time_like_every_other() -> None:
    world = held()
    world.handler().run(checkpoint)
    world.say(MessageKind.ORDER_STATUS, **of(world, status="Submitted", filled=0.0))
    world.handler().run(checkpoint)
    assert world.sent[0].lifecycle is BrokerLifecycle.CANCELLED


def test_another_warning_with_the_same_code_holds_nothing() -> None:
    world = resting()
    world.say(MessageKind.ERROR, request_id=world.sent[0].ib_order_id, code=399, text="Warning: an odd lot order.")
    world.handler().run(checkpoint)
    assert not world.sent[0].held
    assert world.sent[0].lifecycle is BrokerLifecycle.CANCELLED


@pytest.mark.parametrize("begin", [resting, held])
def test_an_order_that_the_broker_has_forgotten_locks_its_instrument_and_is_not_replaced(
        begin: Callable[[], World]) -> None:
    world = begin()
    world.handler().reader.apply_new()
    world.forgotten.add(world.sent[0].id)
    world.handler().run(checkpoint)
    assert world.sent[0].lifecycle is BrokerLifecycle.UNKNOWN
    assert world.reasons == {"SP500": f"nobody knows the fate of broker order {world.sent[0].id}"}
    assert len(world.received) == 1


def test_a_second_life_of_an_order_locks_its_instrument_and_moves_nothing() -> None:
    world = resting()
    world.say(MessageKind.OPEN_ORDER, **of(world, status="Submitted", perm_id=7777))
    before = world.sent[0]
    world.handler().reader.apply_new()
    assert world.sent[0] == before
    assert world.reasons == {"SP500": f"broker order {before.id} lives twice, as 1001 and as 7777; cancel the second "
                                      f"one at the broker"}


def test_what_the_second_life_trades_is_nobodys_and_locks_until_it_is_assigned() -> None:
    world = resting()
    world.say(MessageKind.OPEN_ORDER, **of(world, status="Submitted", perm_id=7777))
    executed(world, 1, 1001)
    executed(world, 2, 7777)
    world.say(MessageKind.ORDER_STATUS, **of(world, status="Filled", filled=5.0, perm_id=7777, reference=""))
    world.handler().run(checkpoint)
    assert world.positions == {"SP500/20260600": 10}
    assert [fill.broker_order for fill in world.fills.values()] == [world.sent[0].id, None]
    assert [lock.cause for lock in world.locked.values()] == [LockCause.FOREIGN_FILL]
    assert world.order.filled == 5


def test_a_second_life_that_ends_without_a_trade_frees_the_instrument() -> None:
    world = resting()
    world.say(MessageKind.OPEN_ORDER, **of(world, status="Submitted", perm_id=7777))
    world.say(MessageKind.ORDER_STATUS, **of(world, status="Cancelled", filled=0.0, perm_id=7777, reference=""))
    world.handler().reader.apply_new()
    assert world.locked == {}
    assert world.sent[0].lifecycle is BrokerLifecycle.ACKED
