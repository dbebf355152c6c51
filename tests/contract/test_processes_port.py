"""What every store of process states keeps: the one over the wire, and the one that the tests of the runner use."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest
from claims import CAUSE, begin, end, save

sys.path.append(str(Path(__file__).parents[1] / "unit"))
from memory_processes import MemoryProcesses

from trading.control.change import Change
from trading.control.due_slot import DueSlot, SlotOutcome, Tick
from trading.control.process_control import Desired, ProcessControl
from trading.control.process_run import Kind, ProcessRun, RunState, WorkerIdentity
from trading.control.process_state import ProcessState
from trading.data.mongo import process_documents as documents
from trading.data.mongo.processes import MongoProcesses
from trading.errors import ConcurrentUpdate, NotFound, SlotTaken

NOW = datetime(2026, 3, 2, 20, 0, 0, 123_456, tzinfo=UTC)
KEPT = NOW.replace(microsecond=123_000)  # the server keeps milliseconds
WORKER = WorkerIdentity(boot_id="b", pid=7, start_ticks=9)
NAME = "run_systems"


@pytest.fixture(params=["memory", "mongo"])
def processes(request: pytest.FixtureRequest) -> Iterator[MongoProcesses]:
    if request.param == "memory":
        yield cast(MongoProcesses, MemoryProcesses())
    else:
        yield MongoProcesses(request.getfixturevalue("store"))


def a_run(slot: str = "slot", attempt: int = 1, created: datetime = NOW) -> ProcessRun:
    return ProcessRun(id=f"{NAME}@{slot}#{attempt}", process=NAME, slot=slot, attempt=attempt, kind=Kind.SCHEDULED,
                      trading_day="2026-03-02", state=RunState.STARTING, created=created, owner="me", due=NOW,
                      nominals=("2026-03-02T20:00",))


def a_tick(slot: str, reason: str = "late", decided_at: datetime = NOW) -> Tick:
    return Tick(process=NAME, slot=slot, outcome=SlotOutcome.MISSED, reason=reason, decided_at=decided_at)


def ticked(processes: MongoProcesses, before: ProcessControl, *ticks: Tick) -> ProcessControl:
    return processes.write(Change(before=before, after=before, cause=CAUSE, ticks=ticks))


# --- controls -------------------------------------------------------------------------------------------------


def test_a_process_that_was_never_seen_has_no_version(processes: MongoProcesses) -> None:
    assert processes.control(NAME) == ProcessControl(name=NAME)
    assert processes.controls([NAME]) == {NAME: ProcessControl(name=NAME)}


def test_a_control_comes_back_as_it_was_written_to_the_millisecond(processes: MongoProcesses) -> None:
    slot = DueSlot(key="k", kind=Kind.CATCHUP, due=KEPT, trading_day="2026-03-02", not_before=KEPT, attempt=2,
                   nominals=("a", "b"))
    wanted = ProcessControl(name=NAME, desired=Desired.PAUSED, wish_reason="why", evaluated_through=NOW,
                            pending=(slot,), skips=("s",), triggered_by="t", runs_on="d", run_count=3)
    save(processes, processes.control(NAME), wanted)
    assert processes.control(NAME) == replace(wanted, evaluated_through=KEPT, version=1, token=CAUSE.token)


def test_the_first_write_wins_and_the_second_is_told(processes: MongoProcesses) -> None:
    before = processes.control(NAME)
    save(processes, before, before.wished(Desired.PAUSED))
    with pytest.raises(ConcurrentUpdate):
        save(processes, before, before.wished(Desired.ENABLED))
    assert processes.control(NAME).desired is Desired.PAUSED


def test_a_write_over_an_old_version_changes_nothing(processes: MongoProcesses) -> None:
    first = save(processes, processes.control(NAME), ProcessControl(name=NAME))
    second = save(processes, first, first.wished(Desired.PAUSED))
    with pytest.raises(ConcurrentUpdate):
        processes.write(Change(before=first, after=first.start_process(a_run()), cause=CAUSE, begins=a_run(),
                               ticks=(a_tick("other"),)))
    assert (processes.control(NAME), processes.active_runs(), processes.ticks(NAME)) == (second, [], [])


# --- fencing --------------------------------------------------------------------------------------------------


def test_behind_a_fence_an_older_leader_cannot_write(processes: MongoProcesses) -> None:
    seen = save(processes, processes.control(NAME), ProcessControl(name=NAME), replace(CAUSE, token=4))
    processes.fence(5)
    with pytest.raises(ConcurrentUpdate):
        save(processes, seen, seen.wished(Desired.PAUSED), replace(CAUSE, token=4))
    assert save(processes, seen, seen.wished(Desired.PAUSED), replace(CAUSE, token=5)).token == 5


def test_a_fence_lowers_no_token(processes: MongoProcesses) -> None:
    save(processes, processes.control(NAME), ProcessControl(name=NAME), replace(CAUSE, token=7))
    processes.fence(5)
    assert processes.control(NAME).token == 7


def test_who_has_no_token_writes_under_the_one_that_he_read(processes: MongoProcesses) -> None:
    seen = save(processes, processes.control(NAME), ProcessControl(name=NAME), replace(CAUSE, token=7))
    assert save(processes, seen, seen.wished(Desired.PAUSED), replace(CAUSE, token=0)).token == 7


# --- claims ---------------------------------------------------------------------------------------------------


def test_a_claimed_run_comes_back_with_its_first_version(processes: MongoProcesses) -> None:
    begin(processes, processes.control(NAME), a_run())
    assert processes.run(a_run().id) == replace(a_run(), created=KEPT, due=KEPT, version=1)


def test_a_run_that_does_not_exist_is_named(processes: MongoProcesses) -> None:
    with pytest.raises(NotFound, match="There is no run nothing@never#1"):
        processes.run("nothing@never#1")


def test_a_slot_that_was_claimed_before_changes_nothing(processes: MongoProcesses) -> None:
    control, run = begin(processes, processes.control(NAME), a_run())
    end(processes, control, replace(run, state=RunState.ERROR, ended=NOW))
    control = processes.control(NAME)
    with pytest.raises(SlotTaken):
        processes.write(Change(before=control, after=control.start_process(a_run()), cause=CAUSE, begins=a_run(),
                               ticks=(a_tick("other"),)))
    assert (processes.control(NAME), processes.ticks(NAME)) == (control, [])
    assert processes.run(run.id).state is RunState.ERROR


def test_a_process_has_one_active_run(processes: MongoProcesses) -> None:
    control, _ = begin(processes, processes.control(NAME), a_run())
    with pytest.raises(ConcurrentUpdate):
        processes.write(Change(before=control, after=control, cause=CAUSE, begins=a_run("later")))
    assert [run.slot for run in processes.active_runs()] == ["slot"]


def test_the_attempts_at_a_slot_are_counted(processes: MongoProcesses) -> None:
    control, run = begin(processes, processes.control(NAME), a_run())
    control = end(processes, control, replace(run, state=RunState.ERROR, ended=NOW))
    begin(processes, control, a_run(attempt=2))
    assert (processes.attempts(NAME, "slot"), processes.attempts(NAME, "other")) == (2, 0)


def test_what_was_tried_of_a_slot_is_counted_and_a_withdrawn_claim_is_no_try(processes: MongoProcesses) -> None:
    control = processes.control(NAME)
    for attempt, state in enumerate((RunState.CANCELLED, RunState.ERROR), start=1):
        control, run = begin(processes, control, a_run(attempt=attempt))
        control = end(processes, control, replace(run, state=state, ended=NOW))
    begin(processes, control, a_run(attempt=3))
    assert (processes.tried(NAME, "slot"), processes.tried(NAME, "other")) == (2, 0)


# --- workers --------------------------------------------------------------------------------------------------


def test_the_worker_that_takes_a_run_is_kept_with_it(processes: MongoProcesses) -> None:
    begin(processes, processes.control(NAME), a_run())
    processes.take(a_run().id, "me", WORKER, NOW)
    taken = processes.run(a_run().id)
    assert (taken.state, taken.worker, taken.started, taken.heartbeat, taken.version) == (
        RunState.RUNNING, WORKER, KEPT, KEPT, 2)
    processes.take(a_run().id, "me", WORKER, NOW)
    assert processes.run(a_run().id) == taken


@pytest.mark.parametrize(("owner", "worker"), [("other", WORKER), ("me", replace(WORKER, pid=8))])
def test_nobody_else_can_take_it(processes: MongoProcesses, owner: str, worker: WorkerIdentity) -> None:
    begin(processes, processes.control(NAME), a_run())
    if owner == "me":
        processes.take(a_run().id, "me", WORKER, NOW)
    with pytest.raises(ConcurrentUpdate):
        processes.take(a_run().id, owner, worker, NOW)


def test_a_run_that_was_settled_cannot_be_taken_any_more(processes: MongoProcesses) -> None:
    control, run = begin(processes, processes.control(NAME), a_run())
    end(processes, control, replace(run, state=RunState.CANCELLED, ended=NOW))
    with pytest.raises(ConcurrentUpdate):
        processes.take(run.id, "me", WORKER, NOW)


def test_an_end_is_not_written_over_a_run_that_was_taken_meanwhile(processes: MongoProcesses) -> None:
    _, run = begin(processes, processes.control(NAME), a_run())
    control = processes.control(NAME)
    processes.take(run.id, "me", WORKER, NOW)
    with pytest.raises(ConcurrentUpdate):
        end(processes, control, replace(run, state=RunState.CANCELLED, ended=NOW))
    assert processes.control(NAME) == control
    assert processes.run(run.id).state is RunState.RUNNING


def test_a_heartbeat_tells_the_worker_whether_to_stop(processes: MongoProcesses) -> None:
    control, run = begin(processes, processes.control(NAME), a_run())
    assert processes.beat(run.id, NOW + timedelta(seconds=5)) is False
    assert processes.run(run.id).heartbeat == KEPT + timedelta(seconds=5)
    control = save(processes, control, control.stop_process("holiday"))
    assert processes.beat(run.id, NOW) is True
    end(processes, control, replace(processes.run(run.id), state=RunState.STOPPED, ended=NOW))
    assert processes.beat(run.id, NOW) is True
    assert processes.beat("nothing@never#1", NOW) is True


def test_a_last_word_leaves_the_version_and_is_heard_while_the_run_is_active(processes: MongoProcesses) -> None:
    control, run = begin(processes, processes.control(NAME), a_run())
    processes.note_reason(run.id, "two pairs are missing")
    processes.say_end(run.id, 0)
    said = processes.run(run.id)
    assert (said.reason, said.said_code, said.version) == ("two pairs are missing", 0, 1)
    end(processes, control, replace(said, state=RunState.FINISHED, ended=NOW))
    processes.say_end(run.id, 1)
    processes.note_reason(run.id, "too late")
    assert (processes.run(run.id).reason, processes.run(run.id).said_code) == ("two pairs are missing", 0)


def test_a_run_belongs_to_the_daemon_that_started_it_until_it_is_settled(processes: MongoProcesses) -> None:
    control, run = begin(processes, processes.control(NAME), a_run())
    assert (processes.is_active(run.id, "me"), processes.is_active(run.id, "other")) == (True, False)
    end(processes, control, replace(run, state=RunState.LOST, ended=NOW))
    assert processes.is_active(run.id, "me") is False


# --- ticks, events, history -----------------------------------------------------------------------------------


def test_a_slot_is_left_out_once_and_the_first_reason_stays(processes: MongoProcesses) -> None:
    control = ticked(processes, processes.control(NAME), a_tick("a", "first"))
    ticked(processes, control, a_tick("a", "second"), a_tick("b", decided_at=NOW + timedelta(seconds=1)))
    assert [(tick.slot, tick.reason) for tick in processes.ticks(NAME)] == [("b", "late"), ("a", "first")]


def test_the_newest_runs_come_first(processes: MongoProcesses) -> None:
    control = processes.control(NAME)
    for number in range(3):
        control, run = begin(processes, control, a_run(f"s{number}", created=NOW + timedelta(minutes=number)))
        control = end(processes, control, replace(run, state=RunState.FINISHED, ended=NOW))
    assert [run.slot for run in processes.runs(NAME, limit=2)] == ["s2", "s1"]


def test_the_events_of_a_process_fold_to_its_document(processes: MongoProcesses) -> None:
    control, run = begin(processes, processes.control(NAME), a_run())
    control = end(processes, control, replace(run, state=RunState.ERROR, ended=NOW, reason="no data"))
    control = save(processes, control, control.wished(Desired.PAUSED, "wait"))
    events = sorted(processes.events(NAME), key=lambda event: int(event["v_after"]))
    assert [(event["from"], event["to"], event["v_before"], event["v_after"], event["run"]) for event in events] == [
        ("NO_PROCESS", "RUNNING", 0, 1, run.id), ("RUNNING", "ERROR", 1, 2, run.id), ("ERROR", "ERROR", 2, 3, None)]
    folded = documents.control_document(ProcessControl(name=NAME))
    for event in events:
        folded |= event["data"]
    assert documents.control(folded) == processes.control(NAME)
    assert (events[1]["actor"], events[1]["cause"], events[1]["node"]) == (CAUSE.actor, CAUSE.reason, CAUSE.node)


def test_a_refused_write_leaves_no_event(processes: MongoProcesses) -> None:
    begin(processes, processes.control(NAME), a_run())
    with pytest.raises(ConcurrentUpdate):
        begin(processes, ProcessControl(name=NAME), a_run("other"))
    assert len(processes.events()) == 1


def test_behind_an_event_only_newer_ones_follow(processes: MongoProcesses) -> None:
    control = save(processes, processes.control(NAME), ProcessControl(name=NAME))
    first = processes.events()[0]["_id"]
    assert processes.events(after=first) == []
    save(processes, processes.control("other"), ProcessControl(name="other"))
    assert {event["process"] for event in processes.events()} == {control.name, "other"}
    assert [event["process"] for event in processes.events("other")] == ["other"]


def test_the_newest_moment_is_that_of_the_newest_run(processes: MongoProcesses) -> None:
    assert processes.last_moment() is None
    control, run = begin(processes, processes.control(NAME), a_run())
    assert processes.last_moment() == KEPT
    end(processes, control, replace(run, state=RunState.FINISHED, ended=NOW + timedelta(minutes=5)))
    assert processes.last_moment() == KEPT + timedelta(minutes=5)


# --- renaming -------------------------------------------------------------------------------------------------


def test_a_renamed_process_keeps_its_history(processes: MongoProcesses) -> None:
    control, run = begin(processes, processes.control(NAME), a_run())
    control = end(processes, control, replace(run, state=RunState.FINISHED, ended=NOW))
    ticked(processes, control, a_tick("a"))
    assert processes.rename(NAME, "newer", 3) is True
    newer = processes.control("newer")
    assert (newer.state, newer.token, newer.version) == (ProcessState.FINISHED, 3, 3)
    assert processes.control(NAME).version == 0
    assert (len(processes.runs("newer")), len(processes.ticks("newer")), len(processes.events("newer"))) == (1, 1, 3)


def test_nothing_is_renamed_that_runs_or_over_something(processes: MongoProcesses) -> None:
    assert processes.rename(NAME, "newer", 3) is False
    control, run = begin(processes, processes.control(NAME), a_run())
    assert processes.rename(NAME, "newer", 3) is False
    end(processes, control, replace(run, state=RunState.FINISHED, ended=NOW))
    save(processes, processes.control("newer"), ProcessControl(name="newer"))
    assert processes.rename(NAME, "newer", 3) is False
