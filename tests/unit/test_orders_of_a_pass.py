"""Many orders in one pass of the stack handler: killed anywhere, with one that is not well, and more than may fly."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from execution_fakes import FakeMarket, FakeOrders, Killed, World

from trading.errors import ConcurrentUpdate
from trading.execution.broker_orders import BrokerOrder
from trading.execution.order_states import CloseReason
from trading.execution.ports import Intent
from trading.execution.quotes import Touch
from trading.execution.stack_handler.stack_handler import AT_ONCE

MANY = 12  # more than are stored at once


def nothing() -> None:
    """A checkpoint that lets go on."""


def a_world(count: int = MANY) -> World:
    world = World()
    for number in range(1, count + 1):
        world.wants(number, f"IO-{number:02}", f"M{number:02}")
    return world


def all_filled(world: World) -> bool:
    return world.positions == {f"M{number:02}/20260600": number for number in range(1, MANY + 1)} and all(
        order.close_reason is CloseReason.FILLED for order in world.tiers["instrument"].values())


@dataclass
class CountingOrders(FakeOrders):
    """Notes how many intents were stored at a time; the first one of `refused` is, and only once."""

    sizes: list[int]
    refused: str = ""

    def add_broker_orders(self, intents: Sequence[Intent]) -> list[BrokerOrder | Exception]:
        self.sizes.append(len(intents))
        found = list[BrokerOrder | Exception]()
        for intent in intents:
            if intent.parent.id == self.refused:
                self.refused = ""
                found.append(ConcurrentUpdate(intent.parent.id, 1))
            else:
                found += super().add_broker_orders([intent])
        return found


def run(world: World, refused: str = "") -> list[int]:
    """How many intents were stored at a time."""
    handler = world.handler()
    orders = CountingOrders(world, [], refused)
    handler.worker.orders = handler.orders = orders
    handler.run(nothing)
    return orders.sizes


def test_as_many_are_stored_at_once_as_may_be_in_flight() -> None:
    world = a_world()
    assert run(world) == [AT_ONCE, MANY - AT_ONCE]
    assert all_filled(world)


def test_what_must_wait_for_the_others_to_be_heard_is_not_judged_before() -> None:
    world = a_world()
    world.in_flight = 3
    assert max(run(world)) <= 3
    assert all_filled(world)
    assert world.judged == MANY


def test_one_that_somebody_changed_is_looked_at_again_and_hinders_no_other() -> None:
    world = a_world()
    assert run(world, refused="IO-03-C1") == [AT_ONCE, MANY - AT_ONCE, 1]
    assert world.received[-1] == "03-C1-B1"
    assert all_filled(world)


@pytest.mark.parametrize("with_effect", [True, False])
def test_a_worker_killed_anywhere_loses_and_repeats_nothing_of_many(with_effect: bool) -> None:
    undisturbed = a_world()
    undisturbed.handler().run(nothing)
    for call in range(1, undisturbed.calls + 1):
        # when a worker is killed at this call, and another one goes on
        world = a_world()
        world.crash_at = (call, with_effect)
        with pytest.raises(Killed):
            world.handler().run(nothing)
        world.handler().run(nothing)

        # then every order was sent once, and filled
        assert len(world.received) == len(set(world.received)) == MANY
        assert all_filled(world)


def test_one_that_may_not_be_traded_stops_no_other_of_its_pass() -> None:
    world = a_world()
    handler = world.handler()
    handler.lots_by_contract = lambda code, lots: {"M05": {}}.get(code, {f"{code}/20260600": lots})
    handler.run(nothing)
    assert world.tiers["instrument"]["IO-05"].close_reason is CloseReason.DENIED
    assert set(world.positions) == {f"M{number:02}/20260600" for number in range(1, MANY + 1)} - {"M05/20260600"}


@dataclass
class StumblingMarket(FakeMarket):
    """A contract whose quote is what nobody thought of."""

    stumbles_at: str = "M05/20260600"

    def touch(self, contract: str) -> Touch | None:
        if contract == self.stumbles_at:
            raise ZeroDivisionError(contract)
        return super().touch(contract)


def test_one_that_makes_the_worker_stumble_stops_no_other_of_its_pass() -> None:
    world = a_world()
    handler = world.handler()
    handler.worker.market = StumblingMarket(world)
    handler.run(nothing)
    assert list(handler.sick) == ["IO-05-C1"]
    assert len(world.received) == MANY - 1
    assert world.tiers["instrument"]["IO-05"].filled == 0
