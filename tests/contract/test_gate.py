"""The last look before a message leaves, over the wire: what is refused never reaches the gateway, and says why."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from broker_link_scene import ACCOUNT, BrokerScene
from recorded_gateway import GatewayProcess

from daemon.broker_service import Link
from trading.broker.facts import ContractDetails
from trading.data.mongo.books import MongoBooks
from trading.data.mongo.connection import MongoStore
from trading.data.mongo.controls import MongoKillState
from trading.data.mongo.locks import MongoInstrumentLocks
from trading.data.mongo.orders import MongoOrders
from trading.data.mongo.reconciliation_runs import MongoReconciliationRuns
from trading.errors import BrokerError, BrokerUnavailable
from trading.execution.adjustments import Adjustment, AdjustmentKind, Entry
from trading.execution.broker_orders import BrokerLifecycle, BrokerOrder
from trading.execution.locks import Lock, LockCause
from trading.execution.order_ids import broker_order_id
from trading.execution.order_states import AdaptivePriority
from trading.execution.orders import ContractOrder, InstrumentOrder, spawn
from trading.execution.reconciliation.run import ReconciliationRun, RunVerdict
from trading.execution.reconciliation.run_kind import RunKind
from trading.execution.stack_handler.reports import after_status
from trading.objects.instruments import BrokerInstrument
from trading.risk.kill_level import Command, KillLevel, KillState, Scope, raised
from trading.risk.order_kind import OrderKind

ES = BrokerInstrument(code="SP500", symbol="ES", exchange="CME", currency="USD", multiplier="50")
NOW = datetime(2021, 10, 13, 12, tzinfo=UTC)
ANN = Command(who="ann", why="strange prices", when=NOW, is_person=True)
IO = "IO-01J00000000000000000000000"
RESTS = Decimal("4300")  # far below the market


@pytest.fixture
def scene(tmp_path: Path, gateway: GatewayProcess, store: MongoStore) -> Iterator[BrokerScene]:
    with BrokerScene(tmp_path, gateway, store) as opened:
        yield opened


def contract(scene: BrokerScene) -> ContractDetails:
    async def asked(service: Any) -> ContractDetails:
        return (await (await service.library()).contracts(ES))[0]  # type: ignore[no-any-return]

    return scene.awaited(asked)  # type: ignore[no-any-return]


def intent(scene: BrokerScene, store: MongoStore, quantity: int = 2, **changes: Any) -> BrokerOrder:
    """A stored intent with its parents."""
    orders, details = MongoOrders(store), contract(scene)
    reconcile(scene, store)
    parent = orders.add_instrument_order(InstrumentOrder(
        id=IO, idempotency_key="k", account=ACCOUNT, strategy="s", instrument="SP500", kind=OrderKind.STRATEGY,
        quantity=quantity, trading_day="2021-10-13", created=NOW))
    assert parent is not None
    orders.spawned(*spawn(parent, "SP500/20211200", NOW))
    [leg] = orders.contract_orders_of(IO)
    return orders.add_broker_order(replace(leg, next_child=2), an_order(leg, details, **changes))


def reconcile(scene: BrokerScene, store: MongoStore, verdict: RunVerdict = RunVerdict.PASS, number: int = 1) -> None:
    """The record of a comparison over the connection of now."""
    run = ReconciliationRun(id=f"R-{verdict}-{number}", kind=RunKind.START_OF_DAY, epoch=scene.link.book().epoch,
                            trading_day="2021-10-13", begun=NOW, ended=NOW, verdict=verdict, problem="positions differ")
    MongoReconciliationRuns(store).save(run)


def an_order(leg: ContractOrder, details: ContractDetails, **changes: Any) -> BrokerOrder:
    return BrokerOrder(**{  # type: ignore[arg-type]
        "id": broker_order_id(leg), "parent": leg.id, "account": ACCOUNT, "strategy": "s", "instrument": "SP500",
        "contract": leg.contract, "con_id": details.con_id, "exchange": details.exchange, "kind": leg.kind,
        "quantity": leg.quantity, "order_type": "LMT", "limit_price": RESTS, "time_in_force": "DAY",
        "bid": Decimal(4349), "ask": Decimal(4351), "trading_day": "2021-10-13", "created": NOW,
        "tick": Decimal("0.25"), "collar": (Decimal(4250), Decimal(4450))} | changes)


def at_gateway(scene: BrokerScene) -> list[dict[str, Any]]:
    return list(scene.control.state_of()["orders"])


def refusal(scene: BrokerScene, store: MongoStore, order: BrokerOrder) -> str:
    """Why the order was not sent; it has ended, and nothing arrived."""
    assert scene.link.submit(order.id) == BrokerLifecycle.NOT_SENT
    assert at_gateway(scene) == []
    return MongoOrders(store).broker_order(order.id).reason


def delay(scene: BrokerScene, store: MongoStore, order: BrokerOrder) -> str:
    """Why the order is not sent yet; it is still an intent, and nothing arrived."""
    with pytest.raises(BrokerError) as told:
        scene.link.submit(order.id)
    assert at_gateway(scene) == []
    assert MongoOrders(store).broker_order(order.id).lifecycle is BrokerLifecycle.INTENT
    return str(told.value)


def test_an_order_for_the_brokers_own_algo_leaves_with_its_priority_and_keeps_it(scene: BrokerScene,
                                                                                store: MongoStore) -> None:
    order = intent(scene, store, adaptive=AdaptivePriority.PATIENT)
    assert scene.link.submit(order.id) == BrokerLifecycle.SENT
    [arrived] = at_gateway(scene)
    assert (arrived["algo"], arrived["algo_params"]) == ("Adaptive", '[["adaptivePriority", "Patient"]]')
    assert MongoOrders(store).broker_order(order.id).adaptive is AdaptivePriority.PATIENT


def test_what_nothing_forbids_leaves_once(scene: BrokerScene, store: MongoStore) -> None:
    order = intent(scene, store)
    assert scene.link.submit(order.id) == BrokerLifecycle.SENT
    assert scene.link.submit(order.id) == BrokerLifecycle.SENT
    assert len(at_gateway(scene)) == 1


def test_nothing_is_sent_after_a_comparison_that_failed(scene: BrokerScene, store: MongoStore) -> None:
    order = intent(scene, store)
    reconcile(scene, store, RunVerdict.FAIL)
    assert "The comparison with the broker has failed: positions differ" in delay(scene, store, order)


def test_lean_242_nothing_is_sent_over_a_new_connection_before_it_was_compared(scene: BrokerScene,
                                                                              store: MongoStore) -> None:
    order = intent(scene, store)
    scene.control.fault("close")
    scene.wait_for(Link.DOWN)
    scene.wait_for(Link.READY)
    assert "The connection to the broker is new" in delay(scene, store, order)
    reconcile(scene, store, number=2)
    assert scene.link.submit(order.id) == BrokerLifecycle.SENT


def test_a_halt_stops_what_was_decided_before_it(scene: BrokerScene, store: MongoStore) -> None:
    order = intent(scene, store)
    MongoKillState(store).save(raised(KillState(), KillLevel.K3_HALT, ANN))
    assert refusal(scene, store, order) == (
        "refused at the gate: K3_HALT by ann (strange prices): only FLATTEN orders of an operator that reduce risk "
        "are sent.")


def test_the_halt_flag_works_without_a_stored_level(scene: BrokerScene, store: MongoStore) -> None:
    scene.halt_flag.touch()
    assert "the halt flag lies in the state directory" in refusal(scene, store, intent(scene, store))


def while_claiming(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """Let something happen while the store takes the claim of an order."""
    save = MongoOrders.save_broker_order

    def slowly(self: MongoOrders, order: BrokerOrder) -> BrokerOrder:
        if order.lifecycle is BrokerLifecycle.SENDING:
            happens()
        return save(self, order)

    monkeypatch.setattr(MongoOrders, "save_broker_order", slowly)


def test_the_halt_flag_stops_what_is_being_claimed(scene: BrokerScene, store: MongoStore,
                                                   monkeypatch: pytest.MonkeyPatch) -> None:
    order = intent(scene, store)
    while_claiming(monkeypatch, scene.halt_flag.touch)
    assert refusal(scene, store, order) == "the halt flag was laid in the state directory before it was sent"


def test_what_the_store_was_long_in_claiming_is_not_sent_at_its_old_price(scene: BrokerScene, store: MongoStore,
                                                                          monkeypatch: pytest.MonkeyPatch) -> None:
    order = intent(scene, store)
    monkeypatch.setattr("daemon.order_sender.CLAIM_WITHIN_S", 0.2)
    while_claiming(monkeypatch, lambda: time.sleep(0.3))
    assert refusal(scene, store, order) == "the store took 0 s to confirm its claim, and its price is as old"


def test_an_order_was_sent_when_it_was_handed_over(scene: BrokerScene, store: MongoStore,
                                                   monkeypatch: pytest.MonkeyPatch) -> None:
    order, claimed = intent(scene, store), []
    while_claiming(monkeypatch, lambda: claimed.append(datetime.now(UTC)))
    scene.link.submit(order.id)
    sent = MongoOrders(store).broker_order(order.id).sent
    assert sent is not None
    assert sent > claimed[0]


def test_a_paused_instrument_sends_nothing_that_adds(scene: BrokerScene, store: MongoStore) -> None:
    state = raised(KillState(), KillLevel.K1_PAUSE_SCOPE, ANN, Scope(instrument="SP500"))
    MongoKillState(store).save(state)
    assert "instrument SP500 is paused by ann" in refusal(scene, store, intent(scene, store))


def test_at_no_new_risk_only_what_closes_is_sent(scene: BrokerScene, store: MongoStore) -> None:
    # given four lots long
    held = Entry(strategy="s", instrument="SP500", contract="SP500/20211200", con_id=1, lots=4)
    MongoBooks(store).adjust(Adjustment(id="A-1", kind=AdjustmentKind.OPENING, entries=(held,), reason="from before",
                                        who="ann", at=NOW))
    MongoKillState(store).save(raised(KillState(), KillLevel.K2_NO_NEW_RISK, ANN))

    # then a sale of two leaves
    order = intent(scene, store, -2, limit_price=Decimal(4400))
    assert scene.link.submit(order.id) == BrokerLifecycle.SENT
    assert len(at_gateway(scene)) == 1


def test_at_no_new_risk_what_adds_is_not_sent(scene: BrokerScene, store: MongoStore) -> None:
    MongoKillState(store).save(raised(KillState(), KillLevel.K2_NO_NEW_RISK, ANN))
    assert "K2_NO_NEW_RISK" in refusal(scene, store, intent(scene, store))


def test_a_locked_instrument_sends_nothing(scene: BrokerScene, store: MongoStore) -> None:
    order = intent(scene, store)
    MongoInstrumentLocks(store).lock(Lock(instrument="SP500", cause=LockCause.OPERATOR, subject="SP500",
                                          reason="looking into it", opened_at=NOW))
    assert refusal(scene, store, order) == "refused at the gate: SP500 is locked: looking into it"


def test_knight_the_gate_recounts_the_lots_of_a_parent_by_itself(scene: BrokerScene, store: MongoStore) -> None:
    # given a second intent that got past every earlier check
    first = intent(scene, store)
    second = first.as_dict() | {"_id": f"{IO[3:]}-C1-B9", "v": 1}
    del second["id"], second["version"]
    store.database.broker_orders.insert_one(second)
    assert refusal(scene, store, MongoOrders(store).broker_order(f"{IO[3:]}-C1-B9")) == (
        f"refused at the gate: with {IO[3:]}-C1-B9, +4 lots of {IO}-C1 could be filled, which is for +2")


@pytest.mark.parametrize(("changes", "words"), [
    ({"limit_price": None}, "has no limit, and market orders are never sent"),
    ({"limit_price": Decimal("4300.1")}, "4300.1 is not a multiple of the tick 0.25"),
    ({"limit_price": Decimal(4450) + Decimal("0.25")}, "4450.25 lies outside 4250 to 4450")])
def test_a_price_that_is_none_is_not_sent(scene: BrokerScene, store: MongoStore, changes: dict[str, Any],
                                          words: str) -> None:
    assert words in refusal(scene, store, intent(scene, store, **changes))


def confirmed(scene: BrokerScene, store: MongoStore, order_id: str) -> BrokerOrder:
    """The order after everything that was journaled of it."""
    orders, after = MongoOrders(store), 0
    for _ in range(20):
        for message in scene.link.messages(after, 0.5):
            after = message.sequence
            if message.facts.get("reference") == order_id and "status" in message.facts:
                order = orders.broker_order(order_id)
                newer = after_status(order, message.facts)
                if newer != order:
                    orders.save_broker_order(newer)
        order = orders.broker_order(order_id)
        if order.perm_id is not None and order.lifecycle is BrokerLifecycle.WORKING:
            return order
    raise AssertionError(order)


def test_a_price_is_changed_and_confirmed_by_the_brokers_echo(scene: BrokerScene, store: MongoStore) -> None:
    order = intent(scene, store)
    scene.link.submit(order.id)
    confirmed(scene, store, order.id)
    assert scene.link.change(order.id, Decimal("4310.50")) == BrokerLifecycle.PENDING_REPLACE
    after = confirmed(scene, store, order.id)
    assert (after.limit_price, after.wanted_limit, after.changes) == (Decimal("4310.5"), None, 1)
    assert [row["limit_price"] for row in at_gateway(scene)] == ["4310.5"]


def test_an_order_that_nobody_confirmed_is_not_changed_into_a_second_one(scene: BrokerScene, store: MongoStore) -> None:
    order = intent(scene, store)
    scene.link.submit(order.id)
    with pytest.raises(BrokerError, match="is SENT and not known to live on this connection"):
        scene.link.change(order.id, RESTS)
    assert len(at_gateway(scene)) == 1


def test_a_change_out_of_the_collar_or_in_a_halt_is_refused(scene: BrokerScene, store: MongoStore) -> None:
    order = intent(scene, store)
    scene.link.submit(order.id)
    confirmed(scene, store, order.id)
    with pytest.raises(BrokerError, match=r"The price of .* was not changed: 5000 lies outside"):
        scene.link.change(order.id, Decimal(5000))
    MongoKillState(store).save(raised(KillState(), KillLevel.K3_HALT, ANN))
    with pytest.raises(BrokerError, match="K3_HALT by ann"):
        scene.link.change(order.id, RESTS)


@pytest.mark.parametrize("limit", ["x", "NaN", None, 1e400])
def test_a_change_to_no_price_is_refused_in_a_sentence(scene: BrokerScene, store: MongoStore, limit: object) -> None:
    order = intent(scene, store)
    with pytest.raises((BrokerError, ValueError)):
        scene.link._ask("POST", f"orders/{order.id}/change", {"limit": limit})


def test_lean_242_an_order_id_of_an_earlier_connection_is_not_used_again(scene: BrokerScene, store: MongoStore) -> None:
    # given a gateway that offers ids from the beginning, though an order of ours once had a high one
    orders, order = MongoOrders(store), intent(scene, store)
    leg = orders.contract_order(order.parent)
    earlier = replace(an_order(leg, contract(scene)), id=f"{order.id}x", parent="IO-of-yesterday", ib_order_id=70_000,
                      lifecycle=BrokerLifecycle.CANCELLED)
    orders.save_broker_order(earlier)

    # when the next one is sent
    scene.link.submit(order.id)

    # then its id is new
    sent = orders.broker_order(order.id).ib_order_id
    assert sent is not None
    assert sent > 70_000


def test_nothing_is_sent_beside_an_order_of_unknown_fate(scene: BrokerScene, store: MongoStore) -> None:
    orders, order = MongoOrders(store), intent(scene, store)
    doubtful = replace(an_order(orders.contract_order(order.parent), contract(scene)), id=f"{order.id}x",
                       parent="IO-of-another", lifecycle=BrokerLifecycle.UNKNOWN)
    orders.save_broker_order(doubtful)
    assert refusal(scene, store, order) == (
        f"refused at the gate: nobody knows the fate of {doubtful.id}, also of SP500/20211200")


class SlowToAnswer(MongoOrders):
    """A store that has written a claim long before it says so."""

    def __init__(self, store: MongoStore) -> None:
        super().__init__(store)
        self.has_written, self.may_answer = threading.Event(), threading.Event()

    def save_broker_order(self, order: BrokerOrder) -> BrokerOrder:
        saved = super().save_broker_order(order)
        if order.lifecycle is BrokerLifecycle.SENDING:
            self.has_written.set()
            assert self.may_answer.wait(20)
        return saved


def test_an_order_in_the_middle_of_its_send_is_not_proven_lost(scene: BrokerScene, store: MongoStore) -> None:
    # given a claim that is stored and whose order has not left yet
    order, orders = intent(scene, store), SlowToAnswer(store)
    scene.on_the_loop(lambda service: setattr(service._parts.store, "orders", orders))
    sending = threading.Thread(target=scene.link.submit, args=(order.id,))
    sending.start()
    assert orders.has_written.wait(20)

    # when somebody asks what the broker knows of it
    # then there is no answer: an empty one would look like a proof
    with pytest.raises(BrokerUnavailable, match="being sent at this moment"):
        scene.link.evidence(order.id)
    orders.may_answer.set()
    sending.join(20)
    assert scene.link.evidence(order.id).found_open


def test_a_daemon_that_does_not_lead_sends_nothing(scene: BrokerScene, store: MongoStore) -> None:
    # given a daemon that has lost its lease to another one
    order = intent(scene, store)
    scene.on_the_loop(lambda service: setattr(service._parts.leadership, "is_leader", False))

    # when it is asked to send
    with pytest.raises(BrokerUnavailable, match="does not lead"):
        scene.link.submit(order.id)

    # then not a byte has left, and the leader may still send it
    assert at_gateway(scene) == []
    assert MongoOrders(store).broker_order(order.id).lifecycle is BrokerLifecycle.INTENT
