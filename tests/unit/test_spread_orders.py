"""A roll by spread through the stack handler: one order for both months, and what becomes of a month alone."""

from datetime import timedelta

import pytest
from execution_fakes import FAR, NEAR, World
from moved_clock import START

from trading.execution.locks import LockCause
from trading.execution.order_states import CloseReason, Flag
from trading.execution.orders import ContractOrder, InstrumentOrder
from trading.execution.stack_handler.stack_handler import StackHandler
from trading.risk.order_kind import OrderKind

KEY = "SP500/20260600-20260900"


def a_roll(world: World, lots: int = 3) -> None:
    world.tiers["instrument"]["IO-1"] = InstrumentOrder(
        id="IO-1", idempotency_key="r", account="DU1", strategy="s", instrument="SP500", kind=OrderKind.ROLL,
        quantity=0, roll_from=NEAR.contract, roll_to=FAR.contract, roll_quantity=lots, as_spread=True,
        trading_day="2026-03-02", created=START, version=1)


def the_leg(world: World) -> ContractOrder:
    [leg] = world.tiers["contract"].values()
    return leg  # type: ignore[no-any-return]


def passes(handler: StackHandler, world: World) -> None:
    """A minute and a half of looks, in which nothing that the broker says is read."""
    for _ in range(90):
        handler.one_pass()
        world.clock.advance(1.0)


@pytest.mark.parametrize("lots", [3, -2])
def test_both_months_trade_by_one_order(lots: int) -> None:
    world = World()
    a_roll(world, lots)
    world.handler().run(lambda: None)
    assert [(order.contract, order.quantity) for order in world.sent] == [(KEY, lots)]
    assert world.positions == {NEAR.contract: -lots, FAR.contract: lots}
    assert (world.order.close_reason, world.order.filled, the_leg(world).filled) == (CloseReason.FILLED, 0, lots)
    assert world.locked == {}


def test_parts_of_it_go_on_to_the_end() -> None:
    world = World(fills_per_order=1, most_lots=1)
    a_roll(world)
    world.handler().run(lambda: None)
    assert [order.quantity for order in world.sent] == [1, 1, 1]
    assert world.positions == {NEAR.contract: -3, FAR.contract: 3}
    assert world.order.close_reason is CloseReason.FILLED


def test_a_far_month_that_comes_within_half_a_minute_completes_it() -> None:
    world = World(far_trades=False)
    a_roll(world)

    def late() -> None:
        if world.clock.now() >= START + timedelta(seconds=20) and FAR.contract not in world.positions and world.sent:
            world.execute(world.sent[0], 3, FAR)

    world.handler().run(late)
    assert world.positions == {NEAR.contract: -3, FAR.contract: 3}
    assert (world.order.close_reason, world.locked, len(world.sent)) == (CloseReason.FILLED, {}, 1)


def test_a_month_alone_locks_ends_the_order_and_is_told_once() -> None:
    # given a spread of which the far month never trades
    world = World(far_trades=False)
    a_roll(world)
    handler = world.handler()
    handler.run(lambda: None)

    # then it is locked for a person, its order has ended, and the roll is said to be uneven
    [lock] = world.locked.values()
    assert (lock.cause, lock.needs_person) == (LockCause.LEG_IMBALANCE, True)
    assert "has traded -3 SP500/20260600 without the other month" in lock.reason
    assert world.clock.now() >= START + timedelta(seconds=30)
    assert handler.uneven == ["one month of a spread has traded alone: -3 SP500/20260600"]
    assert (the_leg(world).is_open, the_leg(world).flags) == (False, {Flag.LEG_IMBALANCE})

    # when a person has seen to it and opens the lock, then it does not come back, and nothing more is sent
    world.locked.clear()
    world.handler().run(lambda: None)
    assert (world.locked, len(world.sent)) == ({}, 1)


def test_a_lock_that_is_opened_while_the_order_still_ends_does_not_come_back() -> None:
    # given a broker that never says how the order ended
    world = World(far_trades=False)
    a_roll(world)
    handler = world.handler()
    for _ in ("spawned", "sent"):
        handler.one_pass()
    handler.reader.apply_new()
    passes(handler, world)
    [lock] = world.locked
    assert the_leg(world).is_open

    # when a person opens it all the same
    del world.locked[lock]
    passes(handler, world)
    assert world.locked == {}
