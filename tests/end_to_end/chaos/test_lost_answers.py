"""The store did it and nobody heard, or it refuses to do it: the truth is read again, nothing starts on a guess.

K28: answers are lost on the way. K30: the disk is full, the server is not primary, the rights are gone.
"""

import secrets
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from urllib.parse import urlparse

import pytest
from checker import violations
from faulty_wire import Command, Document, FaultyWire
from rig import REPOSITORY, TTL_S, Daemon, Rig, StoreServer, job, until

NewRig = Callable[..., Rig]
RHYTHM = {"beat": 1, "busy": 1}
PROCESSES = {"beat": job(every="PT1S"),
             "busy": job(every="PT1S", arguments={"seconds": 1.5})}  # every other slot is skipped: a tick without a run


@pytest.fixture
def wire(server: StoreServer) -> Iterator[FaultyWire]:
    wire = FaultyWire(urlparse(server.uri).port or 0)
    yield wire
    wire.close()


@pytest.fixture
def behind(server: StoreServer, new_rig: NewRig, wire: FaultyWire) -> NewRig:
    """Make a rig whose service reaches its store by `wire` only; the test itself reads without it."""
    def make(processes: Document, timeout_s: float, ttl_s: float = TTL_S) -> Rig:
        database = server.client.get_database(f"wire_{secrets.token_hex(4)}")
        mongo = {"uri": wire.uri, "database": database.name, "timeout_s": timeout_s, "connect_limit_s": 20}
        rig = new_rig(server, processes, mongo=mongo, leadership={"ttl_s": ttl_s, "renew_s": ttl_s / 3})
        rig.database = database
        return rig
    return make


# --- K28 --------------------------------------------------------------------------------------------------------------


def _runs(command: Command, verb: str) -> list[Document]:
    return [row for how, where, row in command.written if (how, where) == (verb, "process_runs")]


def is_claim(command: Command) -> bool:
    return command.name == "commitTransaction" and bool(_runs(command, "insert"))


def is_taking(command: Command) -> bool:
    return any(row.get("$set", {}).get("state") == "RUNNING" for row in _runs(command, "update"))


def is_end(command: Command) -> bool:
    return command.name == "commitTransaction" and any(
        row.get("state") == "FINISHED" for row in _runs(command, "update"))


def is_cursor(command: Command) -> bool:
    places = {where for _, where, _ in command.written}
    return command.name == "commitTransaction" and "ticks" in places and "process_runs" not in places


def is_renewal(command: Command) -> bool:
    return (command.name, command.collection) == ("findAndModify", "leases")


WRITES = {"the claim": is_claim, "the worker's own step": is_taking, "the end": is_end, "the cursor": is_cursor,
          "the renewal of the lease": is_renewal}


@pytest.mark.parametrize("dark_s", [0.0, 6.0], ids=["the driver asks again", "nobody answers for a while"])
@pytest.mark.parametrize("write", WRITES)
def test_k28_a_write_whose_answer_is_lost_was_done_once(behind: NewRig, wire: FaultyWire, write: str,
                                                        dark_s: float) -> None:
    # given a schedule at work, whose driver gives up after four seconds; only its renewal concerns the lease
    rig = behind(PROCESSES, timeout_s=2, ttl_s=TTL_S if write == "the renewal of the lease" else 30)
    daemon = rig.daemon().start()
    until(lambda: rig.effects("beat", "end") and rig.ticks("busy"), 20, "it is at work")

    # when the store does one certain write, and its answer is lost
    lost = wire.lose(WRITES[write], dark_s=dark_s)
    until(lambda: lost.lost, 20, f"the answer to {write} is lost")
    [(_, command)] = lost.hits
    assert lost.lost[0]["ok"] == 1.0

    # then the schedule goes on, and what was written stands there once
    seen = len(rig.effects("beat", "end"))
    until(lambda: len(rig.effects("beat", "end")) > seen + 2, 40, "the schedule goes on")
    runs = concerned(command)
    until(lambda: not [each for each in rig.runs() if each["active"] and each["_id"] in runs], 40, "it has ended")
    assert daemon.stop() == 0
    for run in runs:
        assert [each["state"] for each in rig.runs() if each["_id"] == run] == ["FINISHED"]
        assert len([row for row in rig.effects(phase="start") if row["run"] == run]) == 1
    assert violations(rig.evidence(), RHYTHM) == []


def concerned(command: Command) -> list[str]:
    """The runs that a command is about."""
    if is_taking(command):
        return [each["q"]["_id"] for each in command.document["updates"]]
    return [row["_id"] for verb in ("insert", "update") for row in _runs(command, verb)]


# --- K30 --------------------------------------------------------------------------------------------------------------

FAULT_S = 15
WRITING = {"insert", "update", "delete", "findAndModify", "commitTransaction"}
READING = {"find", "aggregate", "getMore", "count", "distinct"}


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """What a server with a certain trouble answers, to which commands, and what the operator must read of it."""

    code: int
    name: str
    message: str
    commands: set[str]
    words: str
    in_rows: bool = False  # the command is said to have worked, its rows not

    def is_about(self, command: Command) -> bool:
        return command.name in self.commands

    def answer(self, command: Command) -> Document:
        """With the labels of a real server: whether the transaction, or the statement, may be tried again."""
        error = {"code": self.code, "codeName": self.name, "errmsg": self.message}
        if self.in_rows and command.name in ("insert", "update", "delete"):
            return {"ok": 1.0, "n": 0, "nModified": 0, "writeErrors": [{"index": 0, **error}]}
        if self.name != "NotWritablePrimary":
            return {"ok": 0.0, **error}
        in_transaction = command.name != "commitTransaction" and command.document.get("autocommit") is False
        return {"ok": 0.0, **error,
                "errorLabels": ["TransientTransactionError" if in_transaction else "RetryableWriteError"]}


FULL = Refusal(code=14031, name="OutOfDiskSpace", message="available disk space of 12 bytes is less than required",
               commands=WRITING, words="no room left on its disk")
NOT_PRIMARY = Refusal(code=10107, name="NotWritablePrimary", message="not primary", commands=WRITING,
                      words="is not primary")
REFUSALS = {
    "the disk is full": FULL,
    "the disk is full, said of each row": replace(FULL, in_rows=True),
    "the disk is full, said at the commit": replace(FULL, commands={"commitTransaction"}),
    "the server is not primary": NOT_PRIMARY,
    "the server is not primary, said at the commit": replace(NOT_PRIMARY, commands={"commitTransaction"}),
    "the rights are gone": Refusal(code=13, name="Unauthorized", message="not authorized on this database to execute",
                                   commands=WRITING | READING, words="refuses our user"),
}


@pytest.mark.soak
@pytest.mark.parametrize("trouble", REFUSALS)
def test_k30_a_store_that_refuses_stops_starts_until_it_is_well_again(behind: NewRig, wire: FaultyWire,
                                                                      trouble: str) -> None:
    # given a schedule at work, and a run that ends while the store refuses
    refusal = REFUSALS[trouble]
    rig = behind(PROCESSES | {"long": job(arguments={"seconds": 4})}, timeout_s=5, ttl_s=6)
    daemon = rig.daemon().start()
    until(lambda: rig.effects("beat", "end"), 20, "it is at work")
    long = daemon.run("long")["run"]
    until(lambda: rig.effects("long", "start"), 20, "the long run has begun")

    # when the store refuses
    began_s = time.monotonic()
    refused = wire.refuse(refusal.is_about, refusal.answer)
    until(lambda: refusal.words in problem(daemon), 20, "the status says what is wrong")
    shown = tradectl(rig, daemon, "status")
    time.sleep(max(began_s + FAULT_S - time.monotonic(), 0))
    wire.mend()
    ended_s = time.monotonic()

    # then the operator has read it, no body has begun without a confirmed claim, and nobody has asked all the time
    assert refusal.words in shown
    assert [row for row in rig.effects(phase="start") if began_s + 1 < row["monotonic"] < ended_s] == []
    assert refused.hits
    assert {what: count for what, count in tries(refused.hits).items() if count >= ended_s - began_s} == {}

    # and it goes on by itself, with nothing lost
    seen = len(rig.effects("beat", "end"))
    until(lambda: len(rig.effects("beat", "end")) > seen + 2, 40, "the schedule goes on")
    until(lambda: not problem(daemon), 20, "the status is well again")
    assert daemon.stop() == 0
    assert [(run["_id"], run["state"]) for run in rig.runs("long")] == [(long, "FINISHED")]
    assert violations(rig.evidence(), RHYTHM) == []


@pytest.mark.soak
def test_k30_a_worker_whose_own_step_is_refused_waits_and_asks_seldom(behind: NewRig, wire: FaultyWire) -> None:
    # given a worker that may not take its run
    rig = behind({"asked": job()}, timeout_s=5)
    daemon = rig.daemon().start()
    refused = wire.refuse(is_taking, FULL.answer)
    run = daemon.run("asked")["run"]
    until(lambda: refused.hits, 20, "it is refused")

    # when that lasts
    time.sleep(FAULT_S)

    # then it has not begun, nor asked all the time
    assert rig.effects("asked") == []
    assert len(refused.hits) < FAULT_S

    # and it begins when it may
    wire.mend()
    until(lambda: rig.effects("asked", "end") and not rig.runs("asked")[0]["active"], 20, "it has run")
    assert daemon.stop() == 0
    assert [(each["_id"], each["state"]) for each in rig.runs("asked")] == [(run, "FINISHED")]
    assert violations(rig.evidence()) == []


def problem(daemon: Daemon) -> str:
    """What the daemon says of its store."""
    return str(daemon.ask("GET", "/status")["store"]["problem"])


def tries(hits: list[tuple[float, Command]]) -> "Counter[str]":
    """How often each was refused, told apart by name, place, whom it is about, and what its transaction writes."""
    return Counter(" ".join((command.name, command.collection, about(command),
                             *sorted({f"{verb} {where}" for verb, where, _ in command.written})))
                   for _, command in hits)


def about(command: Command) -> str:
    """The first key that a command, or the first one of its transaction, names."""
    first = (*command.earlier, command.document)[0]
    rows = [first.get("filter"), first.get("query"), *(each["q"] for each in first.get("updates", [])),
            *first.get("documents", [])]
    return next((str(row["_id"]) for row in rows if row and "_id" in row), "")


def tradectl(rig: Rig, daemon: Daemon, *words: str) -> str:
    """What one call prints."""
    return subprocess.run([sys.executable, "-m", "daemon.cli", "--config", str(rig.config), "--state",
                           str(daemon.state), *words], capture_output=True, text=True, check=True, timeout=60,
                          stdin=subprocess.DEVNULL, cwd=REPOSITORY).stdout
