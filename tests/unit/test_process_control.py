"""One process as start, end, stop and reset change it; what the operator wishes stays apart from what happens."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from trading.control.process_control import Desired, ProcessControl
from trading.control.process_run import Kind, ProcessRun, RunState, run_id
from trading.control.process_state import InvalidTransition, ProcessState

NOW = datetime(2026, 3, 2, 20, tzinfo=UTC)
FRESH = ProcessControl(name="run_systems")


def a_run(state: RunState = RunState.STARTING, day: str = "2026-03-02") -> ProcessRun:
    return ProcessRun(id=run_id("run_systems", day, 1), process="run_systems", slot=day, attempt=1,
                      kind=Kind.SCHEDULED, trading_day=day, state=state, created=NOW, owner="me")


def ended(state: RunState, day: str = "2026-03-02") -> ProcessRun:
    return replace(a_run(state, day), started=NOW, ended=NOW + timedelta(minutes=1), reason="so it was")


def test_a_run_is_known_by_process_slot_and_attempt() -> None:
    assert run_id("run_systems", "2026-03-02T21:30:00Z", 2) == "run_systems@2026-03-02T21:30:00Z#2"


def test_a_started_process_names_its_run() -> None:
    running = FRESH.start_process(a_run())
    assert (running.state, running.active_run) == (ProcessState.RUNNING, "run_systems@2026-03-02#1")
    assert running.last_run is not None
    assert (running.last_run.started, running.last_run.ended) == (NOW, None)


def test_a_running_process_cannot_be_started_again() -> None:
    with pytest.raises(InvalidTransition):
        FRESH.start_process(a_run()).start_process(a_run())


@pytest.mark.parametrize(("run", "state"), [
    (RunState.FINISHED, ProcessState.FINISHED), (RunState.ERROR, ProcessState.ERROR),
    (RunState.LOST, ProcessState.ERROR), (RunState.STOPPED, ProcessState.STOPPED),
    (RunState.TERMINATED, ProcessState.TERMINATED)])
def test_the_end_of_a_run_decides_the_state(run: RunState, state: ProcessState) -> None:
    after = FRESH.start_process(a_run()).finish_process(ended(run))
    assert (after.state, after.detail, after.active_run) == (state, "so it was", None)


@pytest.mark.parametrize("crash", [RunState.ERROR, RunState.LOST, RunState.STOPPED, RunState.TERMINATED])
def test_a_crash_leaves_the_success_of_the_day_before_as_the_last(crash: RunState) -> None:
    # given a success yesterday
    yesterday = FRESH.start_process(a_run(day="2026-03-01")).finish_process(ended(RunState.FINISHED, "2026-03-01"))

    # when it crashes today
    today = yesterday.start_process(a_run()).finish_process(ended(crash))

    # then
    assert today.last_success is not None
    assert today.last_success.trading_day == "2026-03-01"
    assert today.last_run is not None
    assert today.last_run.trading_day == "2026-03-02"


def test_failures_in_a_row_are_counted_until_a_success() -> None:
    control = FRESH
    for _ in range(3):
        control = control.start_process(a_run()).finish_process(ended(RunState.ERROR))
    assert control.consecutive_failures == 3
    assert control.start_process(a_run()).finish_process(ended(RunState.FINISHED)).consecutive_failures == 0


def test_a_request_to_stop_does_not_change_the_state_yet() -> None:
    asked = FRESH.start_process(a_run()).stop_process("holiday")
    assert (asked.state, asked.stop_reason) == (ProcessState.RUNNING, "holiday")


def test_the_next_start_forgets_the_request_to_stop() -> None:
    stopped = FRESH.start_process(a_run()).stop_process("holiday").finish_process(ended(RunState.STOPPED))
    assert stopped.stop_reason is None
    assert stopped.start_process(a_run()).stop_reason is None


def test_only_a_reset_brings_a_terminated_process_back() -> None:
    terminated = FRESH.start_process(a_run()).finish_process(ended(RunState.TERMINATED))
    with pytest.raises(InvalidTransition):
        terminated.start_process(a_run())
    reset = terminated.reset_process()
    assert (reset.state, reset.detail, reset.consecutive_failures) == (ProcessState.NO_PROCESS, "", 0)
    assert reset.start_process(a_run()).state is ProcessState.RUNNING


def test_a_running_process_cannot_be_reset() -> None:
    with pytest.raises(InvalidTransition):
        FRESH.start_process(a_run()).reset_process()


def test_a_pause_outlives_whatever_happens() -> None:
    paused = FRESH.start_process(a_run()).wished(Desired.PAUSED)
    assert paused.finish_process(ended(RunState.FINISHED)).desired is Desired.PAUSED


def test_a_run_is_active_until_it_ends() -> None:
    assert {state for state in RunState if a_run(state).active} == {RunState.STARTING, RunState.RUNNING}
