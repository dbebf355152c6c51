"""Incidents in which nobody knew what had become of an order: it was sent again, or given up, without proof."""

import pytest
from incident_scene import Scene

from trading.broker.facts import OrderEvidence
from trading.errors import BrokerUnavailable
from trading.execution.broker_orders import BrokerLifecycle
from trading.execution.error_policy import CodeMeaning, error_policy

pytestmark = pytest.mark.usefixtures("without_log_lines")
WORKING = frozenset({BrokerLifecycle.ACKED, BrokerLifecycle.WORKING})


def test_pst_1580_fifteen_orders() -> None:
    """An information about time in force was taken for a cancel; 15 orders were sent, and filled, for one lot."""
    # given one lot at the broker
    scene = Scene()
    known = scene.sends(1)

    # when codes come that nobody knows, fifteen times, and the handler looks each time
    for code in range(15):
        scene.error(known, 77_000 + code)
        scene.works()
        assert scene.order().may_be_alive

    # then it is one order still, and its fill is the only one
    scene.fills(known, 1)
    scene.works()
    assert scene.received == 1
    assert scene.positions == {"SP500/20260600": 1}


def test_ib_async_191_code_10349() -> None:
    """The library made a working order Cancelled, for it treats every code outside a short list so."""
    # given a working order
    scene = Scene()
    known = scene.sends(1)
    scene.world.broker.works(known)
    scene.reads()

    # when the broker tells that its own preset changed the time in force
    scene.error(known, 10349, "Order TIF was set to DAY based on order preset.")
    scene.reads()

    # then the order is what it was: nothing need even be asked
    assert scene.order().lifecycle is BrokerLifecycle.WORKING


def test_ib_async_217_an_operator_declares_a_code_harmless() -> None:
    policy = error_policy({"version": 3, "codes": {"INFO": [10_999]}}, "codes.yaml")
    assert policy.of(10_999) is CodeMeaning.INFO
    assert policy.of(10_998) is CodeMeaning.AMBIGUOUS


def test_pst_1580_a_word_that_a_library_made_up_ends_nothing() -> None:
    scene = Scene()
    known = scene.sends(1)
    before = scene.order().lifecycle
    for word in ("ValidationError", "Filled", "Error", "cancelled"):
        scene.status(known, word, filled=0.0)
    scene.reads()
    assert scene.order().lifecycle is before
    assert before in WORKING


def test_tastytrade_351_timeout_then_filled() -> None:
    """The answer to a submission timed out, the order was filled all the same, and was sent again."""
    # given a connection that breaks while the order leaves, and a broker that fills it
    scene = Scene()
    scene.decides(3)
    scene.works(1)
    scene.world.store.fails_at = (3, False)  # intent, claim, and then the mark that it was sent
    with pytest.raises(Exception, match="no answer"):
        scene.works(1)
    known = scene.world.broker.live()[0]
    scene.restarts()
    scene.worker.one_pass()  # of a new worker, to which nobody has said anything yet
    scene.disconnects_during(lambda: scene.fills(known, 3))
    assert scene.order().lifecycle is BrokerLifecycle.SENDING

    # when it comes back
    scene.reconnects()
    scene.works(10)

    # then the one order is found filled
    assert scene.received == 1
    assert scene.order().lifecycle is BrokerLifecycle.FILLED
    assert scene.positions == {"SP500/20260600": 3}


def test_openalgo_1991_retry_after_ambiguous_failure() -> None:
    """A failure that may have been a success was retried at once."""
    # given an order that was lost on its way, which nobody here can know
    scene = Scene()
    scene.world.broker.loses_next_order = True
    scene.decides(2)
    scene.works()
    assert (scene.received, len(scene.world.store.broker)) == (0, 1)

    # when it stays silent, and one answer does not know it
    scene.world.clock.advance(5)
    scene.works(1)

    # then it is not sent again yet
    assert len(scene.world.store.broker) == 1
    assert scene.order().may_be_alive

    # but once three answers over a minute and another connection did not, it is, as another order
    scene.works(100)
    assert scene.order(0).lifecycle is BrokerLifecycle.NOT_SENT
    assert scene.received == 1


class CutOff(Scene):
    """A broker that answers no question."""

    def __init__(self) -> None:
        super().__init__()
        self.questions = 0
        self.worker.resolver.broker = self

    def evidence(self, order_id: str) -> OrderEvidence:
        self.questions += 1
        raise BrokerUnavailable("the broker does not answer")


def test_hummingbot_8457_a_failed_query_is_no_answer() -> None:
    """Any error of the network counted as "not found", and after four of them a living order was lost."""
    # given an order of which nothing was heard, and a broker that cannot be asked
    scene = CutOff()
    scene.decides(1)
    scene.works(1)
    scene.worker.one_pass()
    scene.world.broker.on_the_way = []
    scene.world.clock.advance(5)
    before = scene.order()

    # when it is asked again and again
    scene.works(10, seconds=3)

    # then the questions were asked, and nothing follows from them
    assert scene.questions == 10
    assert scene.order() == before
    assert before.lifecycle is BrokerLifecycle.SENT


def test_lean_242_order_ids_issued_again() -> None:
    """After a restart of the gateway ids came again, and each message met two orders."""
    # given an order with the first id, and a gateway that begins with this id again
    scene = Scene()
    first = scene.sends(1)
    scene.fills(first, 1)
    scene.reads()
    scene.world.broker.disconnects()
    scene.reconnects(offered=first.ib_order_id)

    # when another order is sent, and an error names its id
    second = scene.sends(1, "GOLD")
    scene.error(second, 9999)
    scene.reads()

    # then the ids differ, and the message meets this order and no other
    assert second.ib_order_id > first.ib_order_id
    assert scene.order(0).lifecycle is BrokerLifecycle.FILLED
    assert scene.order().lifecycle is BrokerLifecycle.UNKNOWN


def test_lean_242_a_handle_names_an_order_of_its_own_connection_only() -> None:
    scene = Scene()
    known = scene.sends(1)
    before = scene.order()
    scene.world.broker.disconnects()
    scene.reconnects()
    scene.error(known, 201, "Order rejected")
    scene.reads()
    assert scene.order().lifecycle is before.lifecycle


def test_nautilus_3176_restarts_with_a_kept_store_duplicate_nothing() -> None:
    """Each start with the stored orders submitted them once more."""
    scene = Scene()
    known = scene.sends(2)
    for _ in range(5):
        scene.restarts()
        scene.works()
    scene.fills(known, 2)
    scene.works()
    assert scene.received == 1
    assert scene.positions == {"SP500/20260600": 2}


def test_nautilus_5057_a_restarted_worker_goes_on_with_its_orders() -> None:
    """After a restart nobody managed the orders that were still at work."""
    # given a working order whose worker is gone
    scene = Scene()
    known = scene.sends(2)
    scene.fills(known, 1)
    scene.restarts()

    # when its time is over
    scene.works(2, seconds=61)
    scene.works(1)

    # then the new worker has ended it and tries the rest
    assert not scene.now(known).is_live
    assert scene.order(0).lifecycle is BrokerLifecycle.CANCELLED
    assert scene.order().quantity == 1


def test_nautilus_4970_a_callback_without_our_reference_finds_its_order() -> None:
    """A message lacked the client's id, and a second order was made of it."""
    # given an order that the broker has acknowledged
    scene = Scene()
    known = scene.sends(2)

    # when its fill comes without our reference
    scene.fills(known, 2)
    for _, facts in scene.world.broker.on_the_way:
        facts["reference"] = ""
    scene.works()

    # then it is the fill of this order by the broker's own number
    assert scene.order().lifecycle is BrokerLifecycle.FILLED
    assert [each.is_foreign for each in scene.world.store.fills.values()] == [False]


def test_pst_949_an_order_that_never_moves_ends_the_run_and_not_the_day() -> None:
    """1.8 million lines of "cannot modify"; the process lived, and nothing moved."""
    # given an order of unknown fate
    scene = Scene()
    known = scene.sends(1)
    del scene.world.broker.orders[known.perm_id]  # it is gone, and was never seen to end
    scene.error(known, 9999)
    scene.reads()
    looks = []

    # when the handler works as long as it thinks that it helps
    def checkpoint() -> None:
        looks.append(1)
        assert len(looks) < 400
    scene.worker.run(checkpoint)

    # then it has given up soon, and said so
    assert scene.locks == ["UNKNOWN_ORDER"]


def test_freqtrade_12360_a_cancel_of_an_order_that_is_gone() -> None:
    """The cancel was refused, the refusal raised, the loop began anew, for hours."""
    # given an order that is gone without a word, and another one
    scene = Scene()
    known = scene.sends(1)
    del scene.world.broker.orders[known.perm_id]
    other = scene.sends(1, "GOLD")

    # when its time is over and each cancel is refused: not found
    scene.works(30, seconds=7)

    # then the loop goes on, a person is told, and the other instrument trades
    assert scene.order(0).lifecycle is BrokerLifecycle.UNKNOWN
    assert "UNKNOWN_ORDER" in scene.locks
    assert not scene.now(other).is_live
    assert scene.world.store.contract[scene.order(0).parent].is_open
