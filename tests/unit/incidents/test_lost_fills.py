"""Incidents in which a fill was lost, or counted more than once."""

from dataclasses import replace

import pytest
from broker_order_samples import a_broker_order
from incident_scene import PRICE, Scene
from model_broker import Traded

from trading.broker.error_codes import shipped_error_policy
from trading.execution.adjustments import Adjustment, AdjustmentKind, Entry
from trading.execution.broker_messages import MessageKind
from trading.execution.broker_orders import BrokerLifecycle
from trading.execution.fills import EXTERNAL
from trading.execution.order_states import Flag, Lifecycle
from trading.execution.reconciliation.positions import position_breaks
from trading.execution.stack_handler.reports import after_error, after_status

pytestmark = pytest.mark.usefixtures("without_log_lines")
CONTRACT = "SP500/20260600"


def test_lean_249_dropped_executions() -> None:
    """Executions that came while the link was down were dropped, and never asked for again."""
    # given twenty lots, filled one by one, with the connection gone in the middle
    scene = Scene()
    known = scene.sends(20)
    def one_by_one(lots: int) -> None:
        for _ in range(lots):
            scene.fills(known, 1)
    one_by_one(8)
    scene.disconnects_during(lambda: one_by_one(12))

    # when it is back
    scene.reconnects()
    scene.works()

    # then all twenty are booked
    assert len(scene.world.store.fills) == 20
    assert scene.positions == {CONTRACT: 20}
    assert scene.order().lifecycle is BrokerLifecycle.FILLED


def test_lean_189_a_fill_of_an_order_that_nobody_knows_is_booked() -> None:
    """A fill with an unknown order id was ignored, and the books were wrong from then on."""
    scene = Scene()
    scene.world.broker.trade(Traded(base="7.1", revision=1, reference="", perm_id=5, con_id=42, quantity=3,
                                    price=PRICE))
    scene.works()
    assert scene.positions == scene.world.broker.positions == {CONTRACT: 3}
    assert scene.world.store.positions.strategies == {(EXTERNAL, "SP500"): 3}
    assert scene.locks == ["FOREIGN_FILL"]


def test_pst_188_instant_fill_without_status() -> None:
    """A market order filled at once, no status ever came, and the order stayed open for ever."""
    scene = Scene()
    known = scene.sends(2)
    scene.fills(known, 2)
    scene.world.broker.on_the_way = [each for each in scene.world.broker.on_the_way
                                     if each[0] is MessageKind.EXECUTION]
    scene.works()
    assert scene.order().lifecycle is BrokerLifecycle.FILLED
    assert [each.lifecycle for each in scene.world.store.instrument.values()] == [Lifecycle.CLOSED]


def test_lean_a_fill_waits_for_no_commission() -> None:
    """A fill was told only once its commission had come, too; some never did."""
    scene = Scene()
    known = scene.sends(1)
    scene.fills(known, 1)
    scene.works()
    [fill] = scene.world.store.fills.values()
    assert fill.commission is None
    assert scene.positions == {CONTRACT: 1}


def test_nautilus_3833_an_execution_before_any_status() -> None:
    """The execution came first; the status after it made a filled order live again."""
    # given an order of which nothing was heard
    scene = Scene()
    known = scene.sends(1)

    # when it fills first, and the words of before come later
    scene.fills(known, 1)
    scene.reads()
    for word in ("PreSubmitted", "Submitted"):
        scene.status(known, word)
    scene.reads()

    # then it is filled
    assert scene.order().lifecycle is BrokerLifecycle.FILLED


def test_lean_tradestation_53_a_fill_during_a_change() -> None:
    """The fill was lost while a change was under way, and the change was refused without end."""
    # given an order whose change is under way when it fills
    scene = Scene()
    known = scene.sends(1)
    scene.world.broker.works(known)
    scene.reads()
    scene.world.orders.save_broker_order(scene.order().with_terms_wanted(PRICE + 1))
    scene.fills(known, 1)
    scene.reads()

    # when the change is refused
    scene.error(known, 104, "Cannot modify a filled order.")
    scene.works()

    # then it is filled, and nothing is asked for again
    assert scene.order().lifecycle is BrokerLifecycle.FILLED
    assert scene.received == 1


def test_a_refused_change_leaves_the_order_alive() -> None:
    """pst #1660: a price off its grid made error 110 on a living order."""
    changing = a_broker_order(lifecycle=BrokerLifecycle.PENDING_REPLACE, perm_id=7, wanted_limit=PRICE)
    after = after_error(changing, {"code": 110, "text": "no such price"}, shipped_error_policy())
    assert after.lifecycle is BrokerLifecycle.WORKING
    assert after.committed == 5


def test_ibx_361_book_on_cumulative_quantity() -> None:
    """Each status was booked with the quantity filled so far: 1 and 2 and 3 made 6."""
    # given three lots filled one by one, each told by a status that counts them all
    scene = Scene()
    known = scene.sends(3)
    for _ in range(3):
        scene.fills(known, 1)
        scene.status(scene.now(known), "Submitted")
    scene.works()

    # then they are three
    assert scene.positions == {CONTRACT: 3}
    assert scene.order().filled == 3


def test_ibx_361_a_status_alone_books_nothing() -> None:
    order = a_broker_order(lifecycle=BrokerLifecycle.WORKING)
    assert after_status(order, {"status": "Submitted", "filled": 3.0, "perm_id": 0}).filled == 0


def test_alpaca_61_replay_counts_nothing_twice() -> None:
    """After each reconnect the day was told again, and counted again."""
    scene = Scene()
    known = scene.sends(4)
    for _ in range(4):
        scene.fills(known, 1)
    scene.works()
    for _ in range(3):
        scene.says_everything_again()
        scene.works(1)
    assert scene.positions == {CONTRACT: 4}
    assert len(scene.world.store.fills) == 4


def test_nautilus_4991_a_correction_survives_every_replay() -> None:
    """Four replays, each wrong in another way; one took the first version of a corrected fill for news."""
    # given two lots that were corrected to one
    scene = Scene()
    known = scene.sends(2)
    scene.fills(known, 2)
    [first] = scene.world.broker.trades.values()
    scene.reads()
    scene.world.broker.trade(replace(first, revision=2, quantity=1))
    scene.reads()

    # when the first version comes once more
    for trade in (first, replace(first, revision=2, quantity=1), first):
        scene.world.broker.trade(trade)
        kind, facts = scene.world.broker.on_the_way.pop()
        scene.world.broker.hears(kind, facts, scene.world.clock.now())
        scene.reads()

    # then the correction counts
    assert scene.positions == {CONTRACT: 1}
    assert Flag.CORRECTED in scene.order().flags


def test_ib4m_80_same_fill_other_exec_ids() -> None:
    """One partial fill came under several execution ids, which differed behind the last dot."""
    scene = Scene()
    known = scene.sends(3)
    scene.fills(known, 1)
    [trade] = scene.world.broker.trades.values()
    for revision in (2, 3):
        scene.world.broker.trade(replace(trade, revision=revision))
    scene.works()
    assert len(scene.world.store.fills) == 1
    assert scene.positions == {CONTRACT: 1}


def test_nautilus_3476_a_position_is_compared_and_never_booked() -> None:
    """At the start the net position was booked, and then the fills of open orders that it consisted of."""
    # given an order that is partly filled while nobody listens
    scene = Scene()
    known = scene.sends(5)
    scene.disconnects_during(lambda: scene.fills(known, 2))
    assert [str(each) for each in position_breaks(scene.positions, scene.world.broker.positions)] == [
        f"{CONTRACT}: our books hold +0, the broker +2"]

    # when the day is told
    scene.restarts()
    scene.reconnects()
    scene.reads()
    scene.says_everything_again()
    scene.reads()

    # then the books hold it once, and agree
    assert scene.positions == {CONTRACT: 2}
    assert position_breaks(scene.positions, scene.world.broker.positions) == []


def test_pst_958_an_entry_that_balances_the_books_moves_both_of_them() -> None:
    """A balance trade was entered, and moved only one of the two views: the break stayed."""
    scene = Scene()
    scene.world.books.adjust(Adjustment(
        id="A-1", kind=AdjustmentKind.BALANCE, reason="a fill that was missed", who="ann", at=scene.world.clock.now(),
        price=PRICE, entries=(Entry(strategy="s", instrument="SP500", contract=CONTRACT, con_id=42, lots=2),)))
    assert scene.world.store.positions.contracts == {CONTRACT: 2}
    assert scene.world.store.positions.strategies == {("s", "SP500"): 2}
    assert scene.world.store.positions.uneven() == {}
