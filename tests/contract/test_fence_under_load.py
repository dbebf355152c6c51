"""A new leader fences the older one out while others write: the embedded store must not lock up over it."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from claims import CAUSE, save

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
