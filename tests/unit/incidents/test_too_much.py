"""Incidents in which more was traded than wanted, by us, by others or by the broker; and how it stops, or does not."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from broker_order_samples import NOW, a_broker_order
from incident_scene import PRICE, Scene
from memory_orders import a_decision
from model_broker import Traded

from trading.execution.broker_orders import BrokerLifecycle
from trading.execution.gate import GateFacts, gate_problem
from trading.execution.kill_actions import to_cancel
from trading.execution.order_states import Flag
from trading.execution.orders import ContractOrder, spawn
from trading.risk.kill_level import Command, KillLevel, KillState, consequences, raised
from trading.risk.order_kind import OrderKind

pytestmark = pytest.mark.usefixtures("without_log_lines")
SP500, GOLD = "SP500/20260600", "GOLD/20260600"
ANN = Command(who="ann", why="strange prices", when=NOW, is_person=True)
HALTED = raised(KillState(), KillLevel.K3_HALT, ANN)


def somebody_trades(scene: Scene, lots: int, liquidates: bool = False) -> None:
    scene.world.broker.trade(Traded(base=f"9.{lots}", revision=1, reference="", perm_id=5, con_id=42, quantity=lots,
                                    price=PRICE, liquidation=liquidates))


def test_pst_1260_overfill_stops_nobody() -> None:
    """An over-fill raised out of the loop: no instrument traded any more."""
    # given an order for one lot of which two were filled
    scene = Scene()
    known = scene.sends(1)
    scene.fills(known, 1)
    [trade] = scene.world.broker.trades.values()
    scene.world.broker.trade(replace(trade, base="0001.9999"))

    # when the handler goes on, also after a person has looked at it
    scene.works()
    assert scene.locks == ["OVERFILL"]
    scene.world.store.locks.clear()
    other = scene.sends(1, "GOLD")
    scene.fills(other, 1)
    scene.works(5)

    # then both lots are booked, nothing is traded back, and the others trade
    assert scene.positions == {SP500: 2, GOLD: 1}
    assert scene.received == 2


def test_pst_452_more_filled_than_ordered_is_flagged_and_locked() -> None:
    scene = Scene()
    known = scene.sends(2)
    scene.fills(known, 2)
    [trade] = scene.world.broker.trades.values()
    scene.world.broker.trade(replace(trade, revision=2, quantity=3))
    scene.works()
    assert Flag.OVERFILL in scene.order().flags
    assert scene.locks == ["OVERFILL"]
    assert scene.positions == {SP500: 3}


def test_pst_1474_a_close_by_hand_while_ours_works() -> None:
    """Somebody closed by hand what the system was closing: parent and child no longer matched, and all stopped."""
    # given a position that we are closing
    scene = Scene()
    opening = scene.sends(2)
    scene.fills(opening, 2)
    scene.works()
    closing = scene.sends(-2)

    # when a person closes it as well, and ours fills
    somebody_trades(scene, -2)
    scene.fills(closing, 2)
    scene.works(5)

    # then both are in the books, the instrument is locked, and the others trade
    assert scene.positions == scene.world.broker.positions == {SP500: -2}
    assert scene.locks == ["FOREIGN_FILL"]
    other = scene.sends(1, "GOLD")
    scene.fills(other, 1)
    scene.works()
    assert scene.positions[GOLD] == 1


def test_lean_156_a_forced_liquidation_is_seen_and_said() -> None:
    """The broker liquidated, and the engine ignored it."""
    scene = Scene()
    somebody_trades(scene, -3, liquidates=True)
    scene.works()
    assert scene.positions == {SP500: -3}
    [lock] = scene.world.store.locks.values()
    assert lock.reason.startswith("the broker liquidated -3 SP500/20260600 at 100")


def test_lean_5839_a_trade_by_hand_stops_only_its_instrument() -> None:
    scene = Scene()
    somebody_trades(scene, 1)
    scene.works()
    scene.decides(2)
    other = scene.sends(3, "GOLD")
    scene.fills(other, 3)
    scene.works()
    assert scene.received == 1
    assert scene.positions == {SP500: 1, GOLD: 3}


def facts(leg: ContractOrder, **changes: object) -> GateFacts:
    values: dict[str, object] = {"kill": KillState(), "is_halted_by_flag": False, "unreconciled": None, "locks": {},
                                 "parent": leg, "siblings": (), "others": (), "position": 0,
                                 "now": leg.created}
    return GateFacts(**values | changes)  # type: ignore[arg-type]  # spelled by each test


def test_knight_2012_the_gate_counts_by_itself() -> None:
    """A counter was moved away from the code that relied on it: 212 parents became millions of executions."""
    # given a parent whose lots have all been sent, and a sender that makes one order more
    _, [leg] = spawn(a_decision("IO-1", 5, NOW), SP500, NOW)
    sent = a_broker_order(lifecycle=BrokerLifecycle.WORKING, filled=2)
    more = a_broker_order(id="01J-C1-B2", quantity=1)

    # when it comes to the gate
    problem = gate_problem(more, facts(leg, siblings=(sent, more)))

    # then it is recounted, and stopped
    assert problem == "with 01J-C1-B2, +6 lots of IO-1-C1 could be filled, which is for +5"


def test_nautilus_4761_a_halted_system_can_still_flatten() -> None:
    """HALTED blocked what would have closed the position as well."""
    _, [leg] = spawn(a_decision("IO-1", 5, NOW), SP500, NOW)
    plain, flatten = a_broker_order(), a_broker_order(kind=OrderKind.FLATTEN)
    held = facts(leg, kill=HALTED, position=-5)
    assert gate_problem(flatten, replace(held, siblings=(flatten,))) is None
    assert gate_problem(plain, replace(held, siblings=(plain,))) is not None
    assert gate_problem(flatten, replace(held, siblings=(flatten,), position=0)) is not None  # it would open


def test_go_trader_1462_a_halt_takes_back_orders_that_rest_without_a_position() -> None:
    resting = a_broker_order(lifecycle=BrokerLifecycle.WORKING, ib_order_id=7)
    assert to_cancel(HALTED, [resting], {}, NOW) == [resting]


def test_go_trader_1191_every_level_says_what_it_does() -> None:
    for level in KillLevel:
        assert consequences(level).startswith(f"K{level.value} ")


def test_pst_1660_a_price_with_a_residue_is_not_sent() -> None:
    """0.0010500000000000002 is what floats make of a spread's price; the broker answers with error 110."""
    _, [leg] = spawn(a_decision("IO-1", 5, NOW), SP500, NOW)
    order = a_broker_order(limit_price=Decimal("0.0010500000000000002"), tick=Decimal("0.00005"))
    assert gate_problem(order, facts(leg, siblings=(order,))) == (
        "0.0010500000000000002 is not a multiple of the tick 0.00005")


def test_an_order_whose_time_is_over_is_not_sent() -> None:
    _, [leg] = spawn(a_decision("IO-1", 5, NOW), SP500, NOW)
    order = a_broker_order(good_till=NOW, time_in_force="GTD")
    assert gate_problem(order, facts(leg, siblings=(order,), now=NOW - timedelta(seconds=1))) is None
    assert gate_problem(order, facts(leg, siblings=(order,), now=NOW)) == (
        f"{order.id} was to end at {NOW:%Y-%m-%d %H:%M:%S} UTC, which is over")


def test_tradestation_94_a_cancel_and_a_fill_cross() -> None:
    """The cancel was confirmed, a fill of before it came later, and the rest was ordered once more."""
    # given an order of which one lot is filled while its cancel is under way
    scene = Scene()
    known = scene.sends(2)
    scene.world.broker.loses_next_cancel = True  # the broker ends it by itself
    scene.works(2, seconds=61)
    assert scene.order().lifecycle is BrokerLifecycle.PENDING_CANCEL
    scene.world.broker.ends(replace(known, filled=1), "Cancelled")

    # when the cancel is heard before the fill
    scene.works(3)

    # then nothing is concluded until the fill that it counts is here
    assert scene.order(0).may_be_alive
    assert scene.received == 1
    scene.world.broker.trade(Traded(base="1.1", revision=1, reference=known.reference, perm_id=known.perm_id,
                                    con_id=42, quantity=1, price=PRICE))
    scene.works(3)
    assert scene.order(0).lifecycle is BrokerLifecycle.CANCELLED
    assert scene.order().quantity == 1


def test_pst_1580_late_fills_of_orders_that_seemed_dead_stop_the_next() -> None:
    """Each "cancelled" order had been filled; the next was sent as if it had not."""
    # given an order that is cancelled, sent again, and both are filled
    scene = Scene()
    first = scene.sends(1)
    scene.world.broker.ends(first, "Cancelled")
    scene.works()
    second = scene.world.broker.live()[0]
    scene.fills(first, 1)
    scene.fills(second, 1)
    scene.works()

    # then it is booked, and nothing more is sent in the instrument
    assert scene.positions == {SP500: 2}
    assert scene.locks == ["OVERFILL"]
    scene.decides(1)
    scene.works(5)
    assert scene.received == 2
