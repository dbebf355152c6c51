"""The life of a process: states, runs, the decision to run, and what an end means."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from daemon.decisions.run_outcome import Intervention, Why, settled
from daemon.decisions.worker_exit import WorkerExit
from daemon.run_conditions import RunFacts, can_process_run
from trading.control.process_control import Desired, LastRun, ProcessControl
from trading.control.process_run import Kind, ProcessRun, RunState, WorkerIdentity, run_id
from trading.control.process_state import TRANSITIONS, InvalidTransition, ProcessState, check_transition
from trading.process_config import ProcessConfig

NOW = datetime(2026, 3, 2, 20, tzinfo=UTC)
DAY, YESTERDAY = "2026-03-02", "2026-03-01"
FORBIDDEN = [(old, new) for old, new in product(ProcessState, ProcessState) if new not in TRANSITIONS[old]]


def a_run(state: RunState = RunState.RUNNING) -> ProcessRun:
    return ProcessRun(id=run_id("run_systems", "slot", 1), process="run_systems", slot="slot", attempt=1,
                      kind=Kind.SCHEDULED, trading_day=DAY, state=state, created=NOW, owner="me",
                      worker=WorkerIdentity(boot_id="b", pid=1, start_ticks=1))


@pytest.mark.parametrize(("old", "new"), FORBIDDEN)
def test_a_change_that_the_table_does_not_list_is_refused(old: ProcessState, new: ProcessState) -> None:
    with pytest.raises(InvalidTransition):
        check_transition("run_systems", old, new)


def test_the_refusal_says_what_is_allowed_and_what_to_do() -> None:
    with pytest.raises(InvalidTransition) as refusal:
        check_transition("run_systems", ProcessState.TERMINATED, ProcessState.RUNNING)
    assert str(refusal.value) == ("run_systems is TERMINATED and cannot become RUNNING (allowed: NO_PROCESS). "
                                  "To start afresh: tradectl reset run_systems")


def test_every_state_can_be_left() -> None:
    assert all(TRANSITIONS[state] for state in ProcessState)


def test_a_success_is_remembered_with_its_day() -> None:
    running = ProcessControl(name="run_systems").start_process(a_run())
    done = running.finish_process(replace(a_run(RunState.FINISHED), ended=NOW))
    assert (done.state, done.last_success.trading_day, done.active_run) == (ProcessState.FINISHED, DAY, None)


@pytest.mark.parametrize("state", [RunState.ERROR, RunState.LOST, RunState.STOPPED, RunState.TERMINATED])
def test_whatever_else_a_run_ends_as_is_no_success(state: RunState) -> None:
    failed = ProcessControl(name="run_systems").start_process(a_run()).finish_process(a_run(state))
    assert failed.last_success is None
    assert failed.consecutive_failures == 1


def test_a_process_that_does_not_run_cannot_be_stopped() -> None:
    with pytest.raises(InvalidTransition):
        ProcessControl(name="run_systems").stop_process("holiday")


def control(state: ProcessState, success_day: str | None = None) -> ProcessControl:
    last = success_day and LastRun(id="x", trading_day=success_day, started=NOW, ended=NOW)
    newest = last if state is ProcessState.FINISHED else LastRun(id="y", trading_day=DAY, started=NOW)
    return ProcessControl(name="up", state=state, last_success=last or None, last_run=newest or None)


def facts(**changes: object) -> RunFacts:
    process = ProcessConfig(cron="0 6 * * *", timeout=60, after=("up",))
    plain = RunFacts(process=process, control=ProcessControl(name="run_systems"), trading_day=DAY, now=NOW,
                     is_leader=True, upstream={"up": control(ProcessState.FINISHED, DAY)}, broker_ready=True)
    return replace(plain, **changes)


def test_it_runs_when_what_it_needs_has_finished_today() -> None:
    assert can_process_run(facts()).allowed


REASONS = (
    ({"upstream": {"up": control(ProcessState.FINISHED, YESTERDAY)}},
     f"it waits for up (finished for {YESTERDAY} only) on trading day {DAY}"),
    ({"upstream": {"up": control(ProcessState.NO_PROCESS)}}, f"it waits for up (never ran) on trading day {DAY}"),
    ({"upstream": {"up": control(ProcessState.ERROR, DAY)}}, f"it waits for up (failed) on trading day {DAY}"),
    ({"upstream": {"up": control(ProcessState.STOPPED, DAY)}}, f"it waits for up (was stopped) on trading day {DAY}"),
    ({"upstream": {"up": control(ProcessState.RUNNING, DAY)}}, f"it waits for up (still running) on trading day {DAY}"),
    ({"is_leader": False}, "this daemon does not lead (no lease on the store)"),
    ({"control": ProcessControl(name="x", state=ProcessState.RUNNING, active_run="x@1#1")},
     "it is already running (x@1#1)"),
    ({"control": ProcessControl(name="x", desired=Desired.PAUSED)}, "it is paused; tradectl resume lets it run again"),
    ({"control": ProcessControl(name="x", state=ProcessState.TERMINATED)},
     "it is TERMINATED; tradectl reset lets it run again"),
    ({"process": ProcessConfig(cron="0 6 * * *", timeout=60, needs_broker=True), "broker_ready": False,
      "broker_reason": "the broker link is down (refused)"}, "it needs the broker: the broker link is down (refused)"),
)


@pytest.mark.parametrize(("changes", "reason"), REASONS)
def test_a_refusal_is_one_sentence(changes: dict[str, object], reason: str) -> None:
    decision = can_process_run(facts(**changes))
    assert not decision.allowed
    assert decision.reason == reason


def test_force_ignores_pause_and_dependencies_but_not_a_running_worker() -> None:
    paused = {"control": ProcessControl(name="x", desired=Desired.PAUSED), "upstream": {}, "force": True}
    assert can_process_run(facts(**paused)).allowed
    running = ProcessControl(name="x", state=ProcessState.RUNNING)
    assert not can_process_run(facts(control=running, force=True)).allowed


OUTCOMES = (
    (0, Intervention(), RunState.FINISHED, ""),
    (3, Intervention(), RunState.ERROR, "ended with exit code 3. See: tradectl logs run_systems"),
    (-11, Intervention(), RunState.ERROR, "was killed by SIGSEGV. See: tradectl logs run_systems"),
    (0, Intervention(why=Why.STOPPED, reason="holiday"), RunState.STOPPED, "holiday"),
    (143, Intervention(why=Why.STOPPED, reason="holiday"), RunState.STOPPED, "holiday"),
    (-9, Intervention(why=Why.STOPPED, reason="holiday", killed=True), RunState.TERMINATED,
     "holiday: it did not stop within its grace and was killed. See: tradectl logs run_systems"),
    (143, Intervention(why=Why.STOPPED, reason="holiday", killed=True), RunState.STOPPED, "holiday"),
    (-9, Intervention(why=Why.TIMED_OUT, reason="it ran for 61 min", killed=True), RunState.TERMINATED,
     "it ran for 61 min: it did not stop within its grace and was killed. See: tradectl logs run_systems"),
    (143, Intervention(why=Why.TIMED_OUT, reason="it ran for 60 s"), RunState.ERROR,
     "it ran for 60 s: stopped when asked. See: tradectl logs run_systems"),
    (0, Intervention(why=Why.TIMED_OUT, reason="it ran for 60 s"), RunState.FINISHED, ""),
    (143, Intervention(why=Why.WINDOW_ENDED), RunState.FINISHED, ""),
    (143, Intervention(why=Why.WINDOW_ENDED, reason="its window ended"), RunState.STOPPED, "its window ended"),
)


@pytest.mark.parametrize(("code", "done", "state", "reason"), OUTCOMES)
def test_the_exit_code_decides_how_a_run_ended(code: int, done: Intervention, state: RunState, reason: str) -> None:
    ended = settled(a_run(), WorkerExit(run=a_run().id, code=code), done, NOW + timedelta(hours=1))
    assert (ended.state, ended.reason) == (state, reason)
    assert (ended.exit_code, ended.signal) == ((code, None) if code >= 0 else (None, -code))


def test_the_workers_own_words_explain_an_error() -> None:
    run = replace(a_run(), reason="There is no capital yet.")
    ended = settled(run, WorkerExit(run=run.id, code=1), Intervention(), NOW)
    assert ended.reason == "There is no capital yet."
