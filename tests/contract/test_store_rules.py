"""Rules that the server itself keeps, and races that only a real server can lose: schema, claims, leases."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from claims import CAUSE, begin, end, save
from pymongo.errors import DuplicateKeyError, WriteError

from trading.control.process_control import Desired
from trading.control.process_run import Kind, ProcessRun, RunState, WorkerIdentity
from trading.control.process_state import ProcessState
from trading.data.mongo.broker_journal import MongoBrokerJournal
from trading.data.mongo.connection import MongoStore
from trading.data.mongo.events import MongoEvents
from trading.data.mongo.leases import Lease, MongoLeases
from trading.data.mongo.locks import MongoInstrumentLocks
from trading.data.mongo.processes import MongoProcesses
from trading.data.mongo.schema import COLLECTIONS, set_up_schema
from trading.data.mongo.settings import MongoSettings, Playback
from trading.data.mongo.versioned import replace_version
from trading.errors import ConcurrentUpdate, NotFound
from trading.execution.broker_messages import BrokerMessage, MessageKind
from trading.execution.locks import Lock, LockCause

NOW = datetime(2026, 3, 2, 20, tzinfo=UTC)
WORKER = WorkerIdentity(boot_id="b", pid=7, start_ticks=9)


def indexes(store: MongoStore) -> dict[str, Any]:
    return {name: store.database[name].index_information() for name in sorted(COLLECTIONS)}


def test_setting_up_again_changes_no_index(store: MongoStore) -> None:
    before = indexes(store)
    set_up_schema(store)
    assert indexes(store) == before
    assert set(store.database.list_collection_names()) >= set(COLLECTIONS)


WITH_RULES = sorted(name for name, collection in COLLECTIONS.items() if collection.required)


@pytest.mark.parametrize("name", WITH_RULES)
def test_a_document_without_its_required_fields_is_refused(name: str, store: MongoStore) -> None:
    with pytest.raises(WriteError):
        store.database[name].insert_one({"_id": "empty"})


@pytest.mark.parametrize("name", WITH_RULES)
def test_a_field_of_the_wrong_type_is_refused(name: str, store: MongoStore) -> None:
    with pytest.raises(WriteError):
        store.database[name].insert_one({"_id": "wrong", **dict.fromkeys(COLLECTIONS[name].required, 1.5)})


def a_row(collection: str, key: str) -> dict[str, Any]:
    rows: dict[str, dict[str, Any]] = {
        "instrument_orders": {"v": 1, "lifecycle": "OPEN", "account": "DU1", "idempotency_key": "same"},
        "multiple_prices": {"v": 1, "key": "SP500", "year": 2021, "digest": "d"},
        "capital": {"owner": "total", "day": "2026-03-02"},
        "optimal_positions": {"strategy": "s", "instrument": "SP500", "day": "2026-03-02"},
        "process_runs": {"v": 1, "process": "p", "state": "RUNNING", "active": True}}
    return {"_id": key, **rows[collection]}


@pytest.mark.parametrize("name", ["instrument_orders", "multiple_prices", "capital", "optimal_positions",
                                  "process_runs"])
def test_what_must_be_unique_cannot_stand_twice(name: str, store: MongoStore) -> None:
    store.database[name].insert_one(a_row(name, "first"))
    with pytest.raises(DuplicateKeyError):
        store.database[name].insert_one(a_row(name, "second"))


def test_any_number_of_ended_runs_of_a_process_may_stand(store: MongoStore) -> None:
    for key in ("first", "second"):
        store.database.process_runs.insert_one(a_row("process_runs", key) | {"active": False})


def test_of_eight_who_create_a_document_one_succeeds(store: MongoStore) -> None:
    barrier = threading.Barrier(8)

    def create(writer: int) -> bool:
        barrier.wait()
        try:
            replace_version(store.database.roll_calendars, {"_id": "x", "writer": writer}, 0, "x")
        except ConcurrentUpdate:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(create, range(8))) == 1


def test_one_own_write_that_meets_itself_is_a_success(store: MongoStore) -> None:
    document = {"_id": "x", "writer": 1}
    assert replace_version(store.database.roll_calendars, document, 0, "x") == replace_version(
        store.database.roll_calendars, document, 0, "x")


def test_a_document_that_somebody_changed_must_be_read_again(store: MongoStore) -> None:
    replace_version(store.database.roll_calendars, {"_id": "x"}, 0, "calendar x")
    replace_version(store.database.roll_calendars, {"_id": "x"}, 1, "calendar x")
    with pytest.raises(ConcurrentUpdate, match="calendar x was changed by somebody else since version 1 was read"):
        replace_version(store.database.roll_calendars, {"_id": "x"}, 1, "calendar x")


def test_a_transaction_that_fails_leaves_nothing(store: MongoStore) -> None:
    def steps(session: Any) -> None:
        replace_version(store.database.roll_calendars, {"_id": "x"}, 0, "x", session)
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        store.transact(steps)
    assert store.database.roll_calendars.find_one({"_id": "x"}) is None


def test_transactions_of_eight_writers_lose_nothing(store: MongoStore) -> None:
    # given two documents whose sum never changes
    for key in ("a", "b"):
        replace_version(store.database.roll_calendars, {"_id": key, "n": 100}, 0, key)

    def move_ten(_writer: int) -> None:
        def steps(session: Any) -> None:
            a, b = (store.database.roll_calendars.find_one({"_id": key}, session=session) for key in ("a", "b"))
            replace_version(store.database.roll_calendars, a | {"n": a["n"] - 1}, a["v"], "a", session)
            replace_version(store.database.roll_calendars, b | {"n": b["n"] + 1}, b["v"], "b", session)
        done = 0
        while done < 5:
            try:
                store.transact(steps)
                done += 1
            except ConcurrentUpdate:
                continue  # losing the race is normal

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(move_ten, range(4)))
    assert {row["_id"]: row["n"] for row in store.database.roll_calendars.find()} == {"a": 80, "b": 120}


def a_lease(nonce: str) -> Lease:
    return Lease(nonce=nonce, token=0, holder=nonce, boot_id="b", pid=1, start_ticks=1)


def test_of_eight_contenders_for_an_expired_lease_one_leads(store: MongoStore) -> None:
    # given a lease that was given back
    leases, barrier = MongoLeases(store), threading.Barrier(8)
    leases.take_or_renew(a_lease("before"), 0)

    # when eight daemons want it at once
    def contend(number: int) -> Lease:
        barrier.wait()
        return leases.take_or_renew(a_lease(f"daemon-{number}"), 60_000)

    with ThreadPoolExecutor(8) as threads:
        seen = list(threads.map(contend, range(8)))

    # then all see the same leader, with the next token
    assert len({lease.nonce for lease in seen}) == 1
    assert {lease.token for lease in seen} == {2}


def test_a_release_by_somebody_else_changes_nothing(store: MongoStore) -> None:
    leases = MongoLeases(store)
    leases.take_or_renew(a_lease("first"), 60_000)
    leases.release("second")
    assert leases.take_or_renew(a_lease("second"), 60_000).nonce == "first"


def test_a_holder_that_comes_back_after_its_lease_expired_gets_a_new_token(store: MongoStore) -> None:
    leases = MongoLeases(store)
    leases.take_or_renew(a_lease("first"), 0)
    assert leases.take_or_renew(a_lease("first"), 60_000).token == 2


def a_run(attempt: int = 1, slot: str = "slot") -> ProcessRun:
    return ProcessRun(id=f"p@{slot}#{attempt}", process="p", slot=slot, attempt=attempt, kind=Kind.SCHEDULED,
                      trading_day="2026-03-02", state=RunState.STARTING, created=NOW, owner="me", nominals=("a", "b"))


def test_of_eight_who_claim_a_slot_one_succeeds(store: MongoStore) -> None:
    processes, barrier = MongoProcesses(store), threading.Barrier(8)
    fresh = processes.control("p")

    def claim(_daemon: int) -> bool:
        barrier.wait()
        try:
            begin(processes, fresh, a_run())
        except ConcurrentUpdate:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(claim, range(8))) == 1
    assert len(processes.active_runs()) == 1


def test_a_run_comes_back_as_it_was(store: MongoStore) -> None:
    processes = MongoProcesses(store)
    begin(processes, processes.control("p"), a_run())
    processes.take("p@slot#1", "me", WORKER, NOW)
    assert processes.run("p@slot#1") == replace(
        a_run(), state=RunState.RUNNING, worker=WORKER, started=NOW, heartbeat=NOW, version=2)


def test_a_run_cannot_be_taken_for_another_daemon(store: MongoStore) -> None:
    processes = MongoProcesses(store)
    begin(processes, processes.control("p"), a_run())
    with pytest.raises(ConcurrentUpdate):
        processes.take("p@slot#1", "somebody else", WORKER, NOW)


def test_the_workers_words_survive_until_its_end_and_not_beyond(store: MongoStore) -> None:
    processes = MongoProcesses(store)
    control, _ = begin(processes, processes.control("p"), a_run())
    processes.note_reason("p@slot#1", "no capital")
    noted = processes.run("p@slot#1")
    done = replace(noted, state=RunState.ERROR, ended=NOW)
    end(processes, control, done)
    processes.note_reason("p@slot#1", "too late")
    assert processes.run("p@slot#1").reason == "no capital"
    assert processes.control("p").detail == "no capital"


def test_a_worker_whose_run_was_settled_is_told_to_stop(store: MongoStore) -> None:
    assert MongoProcesses(store).beat("p@slot#1", NOW) is True


def test_the_newest_runs_come_first_and_attempts_are_counted(store: MongoStore) -> None:
    processes = MongoProcesses(store)
    for attempt in (1, 2, 3):
        control, run = begin(processes, processes.control("p"), replace(
            a_run(attempt), created=NOW.replace(minute=attempt)))
        done = replace(run, state=RunState.ERROR, ended=NOW.replace(minute=attempt))
        end(processes, control, done)
    assert [run.attempt for run in processes.runs("p", 2)] == [3, 2]
    assert processes.attempts("p", "slot") == 3
    assert processes.last_moment() == NOW.replace(minute=3)
    assert processes.control("p").consecutive_failures == 3


def test_a_wish_is_stored_with_its_cause(store: MongoStore) -> None:
    processes = MongoProcesses(store)
    before = processes.control("p")
    save(processes, before, before.wished(Desired.PAUSED), replace(CAUSE, reason="paused: holiday"))
    assert processes.controls(["p", "q"])["p"].desired is Desired.PAUSED
    assert processes.control("q").state is ProcessState.NO_PROCESS
    assert store.database.process_events.find_one({"process": "p"})["cause"] == "paused: holiday"


def test_a_run_that_does_not_exist_is_said(store: MongoStore) -> None:
    with pytest.raises(NotFound, match=r"There is no run p@x#1. See: tradectl history PROCESS"):
        MongoProcesses(store).run("p@x#1")


def a_message(sequence: int) -> BrokerMessage:
    return BrokerMessage(sequence=sequence, at=NOW, epoch="e", kind=MessageKind.OPEN_ORDER, facts={"price": "1.10"})


def test_a_second_writer_of_the_journal_is_refused(store: MongoStore) -> None:
    journal = MongoBrokerJournal(store)
    journal.append([a_message(1), a_message(2)])
    with pytest.raises(Exception, match=r"(?i)duplicate|E11000"):
        journal.append([a_message(2), a_message(3)])
    assert journal.last_sequence() == 2
    assert journal.after(0) == [a_message(1), a_message(2)]


def test_the_journal_is_read_in_portions(store: MongoStore) -> None:
    journal = MongoBrokerJournal(store)
    journal.append([a_message(n) for n in range(1, 8)])
    assert [message.sequence for message in journal.after(2, limit=3)] == [3, 4, 5]


def a_lock(subject: str, cause: LockCause = LockCause.UNKNOWN_ORDER) -> Lock:
    return Lock(instrument="SP500", cause=cause, subject=subject, reason=f"{cause} {subject}", opened_at=NOW)


def test_each_cause_locks_once_and_all_must_open(store: MongoStore) -> None:
    locks = MongoInstrumentLocks(store)
    assert [locks.lock(a_lock(subject)) for subject in ("a", "b", "a")] == [True, True, False]
    assert locks.reasons() == {"SP500": "UNKNOWN_ORDER a; UNKNOWN_ORDER b"}
    locks.unlock(a_lock("a").id, "it is known", NOW)
    assert [lock.subject for lock in locks.all()] == ["b"]
    locks.unlock(a_lock("b").id, "it is known", NOW)
    assert locks.reasons() == {}


def test_a_lock_that_was_opened_and_closed_again_and_again_is_told_in_full(store: MongoStore) -> None:
    locks = MongoInstrumentLocks(store)
    for _ in range(2):
        locks.lock(a_lock("a"))
        locks.unlock(a_lock("a").id, "it is known", NOW)
    locks.unlock(a_lock("a").id, "it was open", NOW)
    told = MongoEvents(store).of(f"lock {a_lock('a').id}")
    assert [event.kind for event in told] == ["locked", "unlocked"] * 2
    assert list(MongoEvents(store).breaks_in_chain()) == []


def test_playback_comes_back_as_it_was(store: MongoStore) -> None:
    settings, days = MongoSettings(store), (NOW.date(), NOW.date().replace(day=3))
    assert settings.playback() is None
    for playback in (Playback(days=days, source="/data"),
                     Playback(days=days, source="/data", current=days[1], finished=False)):
        settings.save_playback(playback)
        assert settings.playback() == playback
