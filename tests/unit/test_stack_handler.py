"""More stories of the stack handler in its small world: strangers, timing, rolls, and workers killed twice."""

import itertools
from dataclasses import replace
from decimal import Decimal

import pytest
from execution_fakes import Killed, World, a_lock
from moved_clock import START

from trading.errors import BrokerUnavailable
from trading.execution.broker_messages import MessageKind
from trading.execution.broker_orders import BrokerLifecycle
from trading.execution.order_states import CloseReason, Lifecycle
from trading.execution.orders import InstrumentOrder
from trading.execution.rolls.pace import MOST_AT_ONCE
from trading.risk.order_kind import OrderKind

ATTEMPTS = 5  # of a marketable order


def nothing() -> None:
    """A checkpoint that lets go on."""


def traded(quantity: int = 5, **world_is: object) -> World:
    world = World(**world_is)  # type: ignore[arg-type]
    world.wants(quantity)
    world.handler().run(nothing)
    return world


def test_nothing_open_is_nothing_to_do() -> None:
    world = World()
    assert world.handler().run(nothing) == 0
    assert world.calls == 0


def test_a_second_run_adds_nothing() -> None:
    world = traded()
    before = (world.positions, world.received, world.tiers)
    assert world.handler().run(nothing) == 0
    assert (world.positions, world.received, world.tiers) == before


def test_several_instruments_trade_in_one_run() -> None:
    world = World()
    world.wants(5)
    world.wants(-2, "IO-2", "US10")
    assert world.handler().run(nothing) == 2
    assert world.positions == {"SP500/20260600": 5, "US10/20260600": -2}


def test_an_order_that_is_never_filled_is_given_up_after_its_attempts() -> None:
    world = traded(fills_at_once=False)
    assert len(world.received) == ATTEMPTS
    assert {order.lifecycle for order in world.sent} == {BrokerLifecycle.CANCELLED}
    assert (world.order.close_reason, world.order.filled, world.positions) == (CloseReason.EXPIRED, 0, {})


def test_an_order_gets_its_whole_time_before_it_is_cancelled() -> None:
    world = traded(fills_at_once=False)
    assert all(order.cancel_requested is not None and order.sent is not None
               and (order.cancel_requested - order.sent).total_seconds() >= 60 for order in world.sent)


def test_a_new_attempt_waits_for_the_end_of_the_one_before() -> None:
    world = traded(fills_at_once=False)
    sent = sorted(order.sent for order in world.sent if order.sent is not None)
    assert all((later - earlier).total_seconds() >= 60 for earlier, later in itertools.pairwise(sent))


def test_each_attempt_has_its_own_reference() -> None:
    world = traded(7, fills_per_order=2)
    assert world.received == ["1-C1-B1", "1-C1-B2", "1-C1-B3", "1-C1-B4"]


def test_every_message_may_come_twice() -> None:
    # given a day whose every message is repeated after it
    world = traded(7, fills_per_order=2)
    expected = (dict(world.positions), world.order.filled)
    for message in list(world.messages):
        world.messages.append(replace(message, sequence=len(world.messages) + 1))

    # when it is read once more
    world.handler().run(nothing)

    # then nothing has changed
    assert (world.positions, world.order.filled) == expected


def test_a_fill_that_overtakes_the_acknowledgement_counts() -> None:
    world = World(fills_at_once=False)
    world.wants(5)
    handler = world.handler()
    handler.one_pass()  # spawns
    handler.one_pass()  # sends
    world.messages.clear()
    world.fill(world.sent[0], 5)
    handler.reader.apply_new()
    assert world.sent[0].lifecycle is BrokerLifecycle.FILLED
    assert world.positions == {"SP500/20260600": 5}


def test_a_fill_after_the_cancel_is_booked_and_not_ordered_again() -> None:
    # given an order whose cancel was confirmed
    world = World(fills_at_once=False)
    world.wants(5)
    handler = world.handler()
    handler.one_pass()
    handler.one_pass()
    world.say(MessageKind.ORDER_STATUS, status="Cancelled", filled=0.0, reference=world.sent[0].id, perm_id=1001,
              ib_order_id=0, con_id=42)
    handler.reader.apply_new()
    assert world.sent[0].lifecycle is BrokerLifecycle.CANCELLED

    # when its fill arrives after all
    world.fill(world.sent[0], 5)
    handler.run(nothing)

    # then the books follow the fill, and no second order was sent
    assert world.positions == {"SP500/20260600": 5}
    assert len(world.received) == 1
    assert world.order.close_reason is CloseReason.FILLED


def test_messages_of_strangers_move_nothing_of_ours() -> None:
    # given an execution of nobody's order and one of another account
    world = World()
    strange = {"reference": "", "perm_id": 9, "ib_order_id": 0, "con_id": 42, "security": "FUT", "quantity": 3,
               "price": "1", "at": None}
    world.say(MessageKind.EXECUTION, execution_id="9.1.01", account="DU1", **strange)
    world.say(MessageKind.EXECUTION, execution_id="9.2.01", account="OTHER", **strange)
    world.say(MessageKind.EXECUTION, execution_id="9.3.01", account="DU1", **strange | {"security": "BAG"})
    world.say(MessageKind.ERROR, request_id=-1, code=2104, text="farm is connected")
    world.wants(5, instrument="GOLD")

    # when
    world.handler().run(nothing)

    # then the stranger's fill moves the position of the account and locks it, and our order elsewhere is filled
    assert world.positions == {"SP500/20260600": 3, "GOLD/20260600": 5}
    assert (list(world.reasons), world.order.filled) == (["SP500"], 5)
    assert [fill.id for fill in world.fills.values() if fill.broker_order is None] == ["DU1/9.1"]


def test_a_commission_that_comes_first_waits_for_its_fill() -> None:
    world = World(fills_at_once=False)
    world.wants(5)
    handler = world.handler()
    handler.one_pass()
    handler.one_pass()
    world.say(MessageKind.COMMISSION, execution_id="0001.0000.01", amount="2.05", currency="USD")
    world.fill(world.sent[0], 5)
    handler.run(nothing)
    assert world.positions == {"SP500/20260600": 5}


def a_rolling_world(lots: int, **world_is: object) -> World:
    """A world that holds `lots` in March and rolls them to June."""
    world = World(**world_is)  # type: ignore[arg-type]
    world.tiers["instrument"]["IO-1"] = InstrumentOrder(
        id="IO-1", idempotency_key="roll", account="DU1", strategy="s", instrument="SP500", kind=OrderKind.ROLL,
        quantity=0, trading_day="2026-03-02", created=START, roll_from="SP500/20260300", roll_to="SP500/20260600",
        roll_quantity=lots, version=1)
    world.positions["SP500/20260300"] = lots
    return world


@pytest.mark.parametrize("lots", [3, -3])
def test_a_roll_trades_both_legs_lot_by_lot_and_closes(lots: int) -> None:
    world, sign = a_rolling_world(lots), lots // abs(lots)
    world.handler().run(nothing)
    assert world.positions == {"SP500/20260300": 0, "SP500/20260600": lots}
    assert world.order.close_reason is CloseReason.FILLED
    sent = [(order.contract, order.quantity) for order in map(world.tiers["broker"].__getitem__, world.received)]
    assert sent == [("SP500/20260300", -sign), ("SP500/20260600", sign)] * 3


def test_a_roll_of_many_lots_is_no_order_that_is_sent_again_and_again() -> None:
    world = a_rolling_world(9)
    world.handler().run(nothing)
    assert world.positions == {"SP500/20260300": 0, "SP500/20260600": 9}
    made = [order.created for order in world.sent if order.contract == "SP500/20260300"]
    assert len(made) == 9
    assert max(sum(0 <= (each - first).total_seconds() < 60 for each in made) for first in made) == MOST_AT_ONCE


def test_chaos_55_a_roll_whose_next_month_is_refused_keeps_the_lower_exposure_and_a_person_is_told() -> None:
    world = a_rolling_world(4, rejects_contract="SP500/20260600")
    handler = world.handler()
    handler.run(nothing)
    assert world.positions == {"SP500/20260300": 3}
    assert len(world.received) == 2, "nothing is tried again"
    assert world.order.close_reason is CloseReason.REJECTED
    assert handler.uneven == ["SP500/20260300 to SP500/20260600 leaves -1 lots, which count as those of s "
                              "(tradectl story IO-1)"]


def test_a_locked_instrument_is_traded_when_it_is_unlocked() -> None:
    world = World()
    world.locked["x"] = a_lock()
    world.wants(5)
    world.handler().run(nothing)
    assert world.received == []
    del world.locked["x"]
    world.handler().run(nothing)
    assert world.positions == {"SP500/20260600": 5}


def test_an_unknown_order_locks_its_instrument_until_it_is_known() -> None:
    # given an order of which nothing is heard
    world = World(loses_acknowledgements=True, fills_at_once=False)
    world.wants(5)
    handler = world.handler()
    handler.one_pass()
    handler.one_pass()
    world.received.clear()  # and of which the broker says nothing either
    world.clock.advance(6)

    # when it is looked at
    handler.one_pass()

    # then it is unknown and the instrument is locked
    assert world.sent[0].lifecycle is BrokerLifecycle.UNKNOWN
    assert world.reasons == {"SP500": f"nobody knows the fate of broker order {world.sent[0].id}"}


def test_an_outage_in_the_middle_is_told_and_the_rest_waits() -> None:
    world = World(reachable=False)
    world.wants(5)
    world.wants(2, "IO-2", "US10")
    with pytest.raises(BrokerUnavailable):
        world.handler().run(nothing)
    world.reachable = True
    world.handler().run(nothing)
    assert world.positions == {"SP500/20260600": 5, "US10/20260600": 2}
    assert len(world.received) == len(set(world.received)) == 2


def test_a_decision_of_an_earlier_day_is_not_tried_again() -> None:
    # given an order of the day before of which nothing was filled
    world = World(fills_at_once=False)
    world.wants(5)
    world.tiers["instrument"]["IO-1"] = replace(world.order, trading_day="2026-02-27")

    # when
    world.handler().run(nothing)

    # then it is tried at most once, and ends
    assert len(world.received) <= 1
    assert world.order.lifecycle is Lifecycle.CLOSED


WORLDS: tuple[dict[str, object], ...] = ({}, {"fills_per_order": 2}, {"rejects": True}, {"fills_at_once": False},
                                         {"loses_acknowledgements": True})


@pytest.mark.parametrize("world_is", WORLDS, ids=str)
def test_workers_killed_again_and_again_come_to_the_same(world_is: dict[str, object]) -> None:
    # given what an undisturbed run comes to
    undisturbed = traded(5, **world_is)

    for second in range(1, undisturbed.calls + 1, 3):
        for first in range(1, undisturbed.calls + 1, 2):
            # when one worker is killed after an effect, and the next one before one
            world = World(**world_is, crash_at=(first, True))  # type: ignore[arg-type]
            world.wants(5)
            with pytest.raises(Killed):
                world.handler().run(nothing)
            world.crash_at = (world.calls + second, False)
            try:
                world.handler().run(nothing)
            except Killed:
                world.handler().run(nothing)

            # then
            assert len(world.received) == len(set(world.received))
            assert world.positions == undisturbed.positions
            assert world.order.close_reason is undisturbed.order.close_reason


def test_a_limit_is_a_decimal_on_the_grid_of_the_contract() -> None:
    assert [order.limit_price for order in traded().sent] == [Decimal("100.50")]


def test_a_roll_that_is_never_filled_is_given_up_before_it_looks_like_a_loop() -> None:
    world = a_rolling_world(3, fills_at_once=False)
    world.handler().run(nothing)
    assert len(world.received) == ATTEMPTS
    assert world.order.close_reason is CloseReason.EXPIRED
    assert world.positions == {"SP500/20260300": 3}


def test_an_order_whose_margin_the_broker_is_asked_for_leaves_as_soon_as_it_has_answered() -> None:
    world = World(margin_takes_s=3.1)
    world.wants(5)
    world.handler().run(lambda: None)
    [order] = world.sent
    assert (world.positions, world.judged) == ({"SP500/20260600": 5}, 1)
    [asked] = world.margins_asked.values()
    assert 3.1 <= (order.created - asked).total_seconds() < 3.4


def test_an_order_whose_margin_is_asked_for_keeps_the_run_going_and_is_not_told_as_a_failure() -> None:
    world = World(margin_takes_s=4.9)
    world.wants(5)
    handler = world.handler()
    assert handler.run(lambda: None) == 1
    assert (handler.worker.waits, handler.worker.told) == ({}, {})
