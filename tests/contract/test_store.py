"""The store over the wire: schema, versions, claims, leases, series, orders and fills."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from claims import begin, end, save
from embedded_server import start_server
from pymongo.errors import WriteError

from daemon.store.embedded_store import end_server
from trading.control.process_run import Kind, ProcessRun, RunState, WorkerIdentity
from trading.control.process_state import ProcessState
from trading.data.mongo.books import MongoBooks
from trading.data.mongo.broker_journal import MongoBrokerJournal
from trading.data.mongo.connection import MongoStore, StandaloneRefused, connect
from trading.data.mongo.leases import Lease, MongoLeases
from trading.data.mongo.orders import MongoOrders
from trading.data.mongo.processes import MongoProcesses
from trading.data.mongo.schema import set_up_schema
from trading.data.mongo.series import MongoSeries
from trading.data.mongo.settings import MongoSettings
from trading.data.mongo.versioned import replace_version
from trading.errors import ConcurrentUpdate, DataError, StoreError
from trading.execution.broker_messages import BrokerMessage, MessageKind
from trading.execution.broker_orders import BrokerLifecycle, BrokerOrder
from trading.execution.fills import Fill
from trading.execution.order_ids import broker_order_id
from trading.execution.orders import InstrumentOrder, spawn
from trading.risk.order_kind import OrderKind

NOW = datetime(2026, 3, 2, 20, tzinfo=UTC)
WORKER = WorkerIdentity(boot_id="b", pid=7, start_ticks=9)


def test_the_schema_can_be_set_up_again(store: MongoStore) -> None:
    set_up_schema(store)
    assert store.database.settings.find_one({"_id": "schema"})["version"] == 1


def test_a_database_of_a_newer_version_is_refused(store: MongoStore) -> None:
    store.database.settings.update_one({"_id": "schema"}, {"$set": {"version": 99}})
    with pytest.raises(StoreError, match="has schema version 99; this tradingd knows 1"):
        set_up_schema(store)


def test_a_document_without_its_version_is_refused_by_the_server(store: MongoStore) -> None:
    with pytest.raises(WriteError):
        store.database.process_states.insert_one({"_id": "x", "state": "RUNNING"})


def test_a_standalone_server_is_refused_in_one_sentence(tmp_path: Path) -> None:
    process, uri = start_server(tmp_path, "--standalone")
    try:
        with pytest.raises(StandaloneRefused, match=r"is a standalone server; tradingd needs a replica set"):
            connect(uri, "x")
    finally:
        end_server(process)


def test_an_unreachable_server_is_named_without_its_password() -> None:
    with pytest.raises(StoreError) as error:
        connect("mongodb://trader:secret@127.0.0.1:1/", "x", 0.3)
    assert "127.0.0.1:1 does not answer" in str(error.value)
    assert "secret" not in str(error.value)


def test_eight_writers_on_one_document_lose_no_update(store: MongoStore) -> None:
    collection = store.database.roll_calendars
    replace_version(collection, {"_id": "counter", "n": 0}, 0, "counter")

    def add_ten(_: int) -> None:
        done = 0
        while done < 10:
            seen = collection.find_one({"_id": "counter"})
            try:
                replace_version(collection, seen | {"n": seen["n"] + 1}, seen["v"], "counter")
                done += 1
            except ConcurrentUpdate:
                continue  # losing the race is normal

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(add_ten, range(8)))
    assert collection.find_one({"_id": "counter"})["n"] == 80


def a_run(attempt: int = 1) -> ProcessRun:
    return ProcessRun(id=f"run_systems@slot#{attempt}", process="run_systems", slot="slot", attempt=attempt,
                      kind=Kind.SCHEDULED, trading_day="2026-03-02", state=RunState.STARTING, created=NOW, owner="me")


def test_a_slot_is_claimed_once(store: MongoStore) -> None:
    processes = MongoProcesses(store)
    control = processes.control("run_systems")
    begin(processes, control, a_run())
    with pytest.raises(ConcurrentUpdate):
        begin(processes, control, a_run())
    assert processes.control("run_systems").state is ProcessState.RUNNING


def test_a_run_is_taken_by_one_worker_only(store: MongoStore) -> None:
    processes = MongoProcesses(store)
    begin(processes, processes.control("run_systems"), a_run())
    processes.take(a_run().id, "me", WORKER, NOW)
    assert processes.run(a_run().id).state is RunState.RUNNING
    with pytest.raises(ConcurrentUpdate):
        processes.take(a_run().id, "me", replace(WORKER, pid=8), NOW)


def test_a_worker_that_did_not_hear_the_answer_may_ask_again(store: MongoStore) -> None:
    processes = MongoProcesses(store)
    begin(processes, processes.control("run_systems"), a_run())
    processes.take(a_run().id, "me", WORKER, NOW)
    taken = processes.run(a_run().id)
    processes.take(a_run().id, "me", WORKER, NOW)
    assert processes.run(a_run().id) == taken


def test_a_run_that_was_settled_cannot_be_taken(store: MongoStore) -> None:
    processes = MongoProcesses(store)
    control, run = begin(processes, processes.control("run_systems"), a_run())
    lost = replace(run, state=RunState.LOST, ended=NOW)
    end(processes, control, lost)
    with pytest.raises(ConcurrentUpdate):
        processes.take(run.id, "me", WORKER, NOW)
    assert processes.control("run_systems").state is ProcessState.ERROR


def test_each_change_of_state_leaves_an_event(store: MongoStore) -> None:
    processes = MongoProcesses(store)
    control, run = begin(processes, processes.control("run_systems"), a_run())
    done = replace(run, state=RunState.FINISHED, ended=NOW)
    end(processes, control, done)
    assert [(event["from"], event["to"], event["v_before"], event["v_after"]) for event in processes.events()] == [
        ("NO_PROCESS", "RUNNING", 0, 1), ("RUNNING", "FINISHED", 1, 2)]


def test_a_worker_learns_from_its_heartbeat_that_it_should_stop(store: MongoStore) -> None:
    processes = MongoProcesses(store)
    control, run = begin(processes, processes.control("run_systems"), a_run())
    assert processes.beat(run.id, NOW) is False
    save(processes, control, control.stop_process("holiday"))
    assert processes.beat(run.id, NOW) is True


def a_lease(nonce: str) -> Lease:
    return Lease(nonce=nonce, token=0, holder=nonce, boot_id="b", pid=1, start_ticks=1)


def test_a_lease_has_one_holder_and_its_token_rises_with_each(store: MongoStore) -> None:
    leases = MongoLeases(store)
    assert leases.take_or_renew(a_lease("first"), 60_000).token == 1
    assert leases.take_or_renew(a_lease("second"), 60_000).nonce == "first"
    assert leases.take_or_renew(a_lease("first"), 60_000).token == 1
    leases.release("first")
    assert leases.take_or_renew(a_lease("second"), 60_000).token == 2
    assert leases.take_or_renew(a_lease("first"), 60_000).nonce == "second"


def test_a_lease_that_expired_goes_to_whoever_asks(store: MongoStore) -> None:
    leases = MongoLeases(store)
    leases.take_or_renew(a_lease("first"), 0)
    assert leases.take_or_renew(a_lease("second"), 60_000).nonce == "second"


def a_frame(start: str, rows: int) -> pd.DataFrame:
    index = pd.date_range(start, periods=rows, freq="6h", tz="UTC")
    return pd.DataFrame({"PRICE": np.where(np.arange(rows) % 7 == 3, np.nan, np.arange(rows) * 0.1),
                         "LABEL": [f"2021{1 + i % 12:02d}00" for i in range(rows)]}, index=index)


def test_a_series_comes_back_as_it_was_across_years(store: MongoStore) -> None:
    series, frame = MongoSeries(store.database.multiple_prices, ("PRICE", "LABEL")), a_frame("2020-11-01", 1000)
    assert series.append("X", frame) == 1000
    pd.testing.assert_frame_equal(series.load("X"), frame, check_freq=False, check_index_type=False, check_dtype=False)


def test_appending_the_same_rows_again_adds_nothing(store: MongoStore) -> None:
    series, frame = MongoSeries(store.database.multiple_prices, ("PRICE", "LABEL")), a_frame("2020-11-01", 300)
    series.append("X", frame.iloc[:200])
    assert series.append("X", frame) == 100
    assert series.append("X", frame) == 0
    assert len(series.load("X")) == 300


def test_rows_without_a_zone_are_refused(store: MongoStore) -> None:
    series = MongoSeries(store.database.multiple_prices, ("PRICE", "LABEL"))
    with pytest.raises(DataError, match="the rows have no UTC time"):
        series.append("X", a_frame("2020-11-01", 3).tz_localize(None))


def test_a_replaced_series_forgets_its_old_years(store: MongoStore) -> None:
    series = MongoSeries(store.database.multiple_prices, ("PRICE", "LABEL"))
    series.append("X", a_frame("2019-01-01", 3000))
    series.replace("X", a_frame("2021-05-01", 10))
    assert len(series.load("X")) == 10


def a_traded_order(store: MongoStore) -> BrokerOrder:
    """An order of five lots in all three tiers, at the broker."""
    orders = MongoOrders(store)
    parent = InstrumentOrder(id="IO-1", idempotency_key="k", account="DU1", strategy="s", instrument="SP500",
                             kind=OrderKind.STRATEGY, quantity=5, trading_day="2026-03-02", created=NOW)
    stored = orders.add_instrument_order(parent)
    orders.spawned(*spawn(stored, "SP500/20260600", NOW))
    leg = orders.open_contract_orders()[0]
    order = BrokerOrder(
        id=broker_order_id(leg), parent=leg.id, account="DU1", strategy="s", instrument="SP500", contract=leg.contract,
        con_id=42, exchange="CME", kind=leg.kind, quantity=5, order_type="LMT", limit_price=Decimal("10.25"),
        time_in_force="DAY", bid=Decimal("10"), ask=Decimal("10.25"), trading_day="2026-03-02", created=NOW,
        lifecycle=BrokerLifecycle.WORKING, perm_id=77)
    return orders.add_broker_order(replace(leg, next_child=2), order)


def a_fill(order: BrokerOrder, quantity: int, base: str, revision: int = 1) -> Fill:
    return Fill(id=f"DU1/{base}", execution_id=f"{base}.{revision:02d}", revision=revision, broker_order=order.id,
                contract=order.contract, con_id=42, quantity=quantity, price=Decimal("10.25"), at=NOW,
                trading_day="2026-03-02")


def held(store: MongoStore) -> tuple[int, int, list[int]]:
    books, tiers = MongoBooks(store), MongoOrders(store).everything(only_open=False)
    return (sum(books.contract_positions().values()), sum(books.strategy_positions().values()),
            [rows[0]["filled"] for rows in tiers.values()])


def test_the_same_decision_makes_one_order(store: MongoStore) -> None:
    order = a_traded_order(store)
    again = replace(MongoOrders(store).open_instrument_orders()[0], id="IO-2")
    assert MongoOrders(store).add_instrument_order(again) is None
    assert order.version == 1


def test_a_fill_moves_three_orders_and_both_positions_once(store: MongoStore) -> None:
    order, books = a_traded_order(store), MongoBooks(store)
    assert books.apply_fill(a_fill(order, 3, "e1")) is True
    assert books.apply_fill(a_fill(order, 3, "e1")) is False
    assert held(store) == (3, 3, [3, 3, 3])
    books.apply_fill(a_fill(order, 2, "e2"))
    assert held(store) == (5, 5, [5, 5, 5])
    assert MongoOrders(store).broker_order(order.id).lifecycle is BrokerLifecycle.FILLED


def test_a_correction_replaces_what_it_corrects(store: MongoStore) -> None:
    order, books = a_traded_order(store), MongoBooks(store)
    books.apply_fill(a_fill(order, 3, "e1"))
    books.apply_fill(a_fill(order, 2, "e1", revision=2))
    assert books.apply_fill(a_fill(order, 3, "e1", revision=1)) is False
    assert held(store) == (2, 2, [2, 2, 2])


def test_a_commission_is_added_once_and_needs_its_fill(store: MongoStore) -> None:
    order, books = a_traded_order(store), MongoBooks(store)
    assert books.apply_commission("DU1/e1", Decimal("2.05"), "USD") is False
    books.apply_fill(a_fill(order, 5, "e1"))
    assert books.apply_commission("DU1/e1", Decimal("2.05"), "USD") is True
    assert books.apply_commission("DU1/e1", Decimal("2.05"), "USD") is False
    assert MongoOrders(store).broker_order(order.id).commission == Decimal("2.05")


def test_a_fill_of_nobodys_order_is_kept_and_moves_nothing(store: MongoStore) -> None:
    order = a_traded_order(store)
    MongoBooks(store).apply_fill(replace(a_fill(order, 9, "foreign"), broker_order=None, contract=None))
    assert held(store) == (0, 0, [0, 0, 0])
    assert len(MongoBooks(store).fills()) == 1


def test_an_order_written_by_somebody_else_must_be_read_again(store: MongoStore) -> None:
    order, orders = a_traded_order(store), MongoOrders(store)
    orders.save_broker_order(order.advanced(BrokerLifecycle.PENDING_CANCEL))
    with pytest.raises(ConcurrentUpdate):
        orders.save_broker_order(order.advanced(BrokerLifecycle.CANCELLED))


def a_message(sequence: int) -> BrokerMessage:
    return BrokerMessage(sequence=sequence, at=NOW + timedelta(seconds=sequence), epoch="e", kind=MessageKind.ERROR,
                         facts={"code": 202, "text": "x", "request_id": 1})


def test_the_journal_is_read_behind_what_was_applied(store: MongoStore) -> None:
    journal = MongoBrokerJournal(store)
    journal.append([a_message(n) for n in (1, 2, 3)])
    journal.mark_applied(2)
    journal.mark_applied(1)
    assert (journal.last_sequence(), journal.applied()) == (3, 2)
    assert [message.sequence for message in journal.after(journal.applied())] == [3]
    assert journal.drop_applied_before(100) == 1  # what is not in the books stays


def a_connection(sequence: int, epoch: str, next_valid_id: int, client_id: int = 1) -> BrokerMessage:
    return BrokerMessage(sequence=sequence, at=NOW, epoch=epoch, kind=MessageKind.CONNECTED,
                         facts={"next_valid_id": next_valid_id, "client_id": client_id})


def test_the_id_that_tells_of_an_order_is_the_one_that_was_offered_first_after_its_connection(
        store: MongoStore) -> None:
    journal = MongoBrokerJournal(store)
    journal.append([a_connection(1, "before", 3), a_connection(2, "its", 5), a_message(3)])
    assert journal.offered_after("its") is None  # it may still be on its way
    journal.append([a_connection(4, "other client", 1, client_id=2), a_connection(5, "next", 7),
                    a_connection(6, "last", 9)])
    assert journal.offered_after("its") == 7
    assert journal.offered_after("last") is None
    assert journal.offered_after("forgotten") is None


def test_a_database_belongs_to_one_mode_and_account(store: MongoStore) -> None:
    settings = MongoSettings(store)
    settings.stamp_identity("paper", "DU1")
    settings.stamp_identity("paper", "DU1")
    with pytest.raises(StoreError, match="belongs to mode paper, account DU1; this daemon is configured for mode live"):
        settings.stamp_identity("live", "U1")


def test_an_error_of_the_machine_within_a_transaction_is_one_of_the_store(store: MongoStore,
                                                                          monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise OSError(22, "Invalid argument")

    monkeypatch.setattr("pymongo.client_session.ClientSession.with_transaction", broken)
    with pytest.raises(StoreError, match=r"could not be carried on: .*Invalid argument"):
        store.transact(lambda _session: None)
    monkeypatch.undo()
    assert store.transact(lambda _session: 7) == 7
