"""A new leader fences the older one out while others write: the embedded store must not lock up over it."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from claims import CAUSE, save
from pymongo.errors import OperationFailure

from trading.control.process_control import ProcessControl
from trading.data.mongo.connection import MongoStore, connect
from trading.data.mongo.processes import MongoProcesses

NAMES = ("run_systems", "run_reports")


def test_a_fence_waits_for_a_transaction_that_others_wait_beside(store: MongoStore, server: str) -> None:
    # given a state in an open transaction, a fence that waits for it, and a transaction about another state
    processes = MongoProcesses(store)
    for name in NAMES:
        save(processes, processes.control(name), ProcessControl(name=name), replace(CAUSE, token=4))
    other = connect(server, store.database.name, 8.0)
    states = other.database.process_states
    with ThreadPoolExecutor(2) as threads, other.client.start_session() as session:
        session.start_transaction()
        states.update_one({"_id": NAMES[0]}, {"$set": {"note": 1}}, session=session)
        fenced = threads.submit(processes.fence, 5)
        time.sleep(0.3)  # it waits now, and would do so for ever
        beside = threads.submit(other.transact, lambda its: states.update_one(
            {"_id": NAMES[1]}, {"$set": {"note": 2}}, session=its))
        time.sleep(0.3)

        # when the first transaction ends, then everybody goes on
        session.commit_transaction()
        fenced.result(timeout=8)
        beside.result(timeout=8)
    other.close()
    assert {processes.control(name).token for name in NAMES} == {5}


def test_a_fence_gets_past_the_transaction_of_a_leader_that_is_frozen(store: MongoStore, server: str) -> None:
    # given a leader that has stopped between two steps of a transaction
    processes = MongoProcesses(store)
    save(processes, processes.control(NAMES[0]), ProcessControl(name=NAMES[0]), replace(CAUSE, token=4))
    frozen = connect(server, store.database.name)
    with frozen.client.start_session() as session:
        session.start_transaction()
        states = frozen.database.process_states
        states.update_one({"_id": NAMES[0]}, {"$set": {"note": "of the frozen one"}}, session=session)

        # when another one fences it out, then that is done, and what the frozen one was about to write is not
        processes.fence(5)
        assert processes.control(NAMES[0]).token == 5
        with pytest.raises(OperationFailure):
            session.commit_transaction()
    frozen.close()
    row = store.database.process_states.find_one({"_id": NAMES[0]})
    assert row is not None
    assert "note" not in row
