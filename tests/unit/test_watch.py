"""Each thing that somebody must look at is told once, in words that name it, and is over when it is."""

from datetime import UTC, datetime, timedelta

import pytest
from alerts_told import Told
from runner_fakes import FakeMetrics

from daemon.runner.watch import Watch
from trading.control.alert import AlertKind, Severity
from trading.control.due_slot import DueSlot, SlotOutcome, Tick
from trading.control.process_control import ProcessControl
from trading.control.process_run import Kind, ProcessRun, RunState

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SLOT = DueSlot(key="2026-03-02T12:00:00Z", kind=Kind.SCHEDULED, due=NOON, not_before=NOON, trading_day="2026-03-02")


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def watch(told: Told) -> Watch:
    return Watch(told, FakeMetrics(), late_after=timedelta(minutes=5), flapping_runs=3,
                 flapping_within=timedelta(minutes=10))


def ended(watch: Watch, state: RunState, *, minutes: float = 0, attempt: int = 1, again: DueSlot | None = None,
          critical: bool = False) -> None:
    moment = NOON + timedelta(minutes=minutes)
    run = ProcessRun(id=f"job@s#{attempt}", process="job", slot="s", attempt=attempt, kind=Kind.SCHEDULED,
                     trading_day="2026-03-02", state=state, created=moment, started=moment, ended=moment, owner="me",
                     reason="it broke")
    watch.ended(run, ProcessControl(name="job"), again, critical)


@pytest.mark.parametrize("state", [RunState.ERROR, RunState.TERMINATED])
def test_a_run_that_failed_is_told_of_when_nothing_follows_by_itself(watch: Watch, told: Told, state: RunState) -> None:
    ended(watch, state, again=SLOT)
    assert told.open == {}
    ended(watch, state, attempt=2)
    assert told.open == {(AlertKind.FAILED, "job"): (f"job@s#2 is {state} after 2 attempts: it broke", None)}
    ended(watch, RunState.FINISHED)
    assert told.open == {}


def test_of_a_process_that_matters_a_failure_is_critical(watch: Watch, told: Told) -> None:
    ended(watch, RunState.ERROR, critical=True)
    assert told.open[AlertKind.FAILED, "job"][1] is Severity.CRITICAL


@pytest.mark.parametrize("state", [RunState.STOPPED, RunState.CANCELLED])
def test_what_an_operator_wanted_and_what_never_ran_is_no_failure(watch: Watch, told: Told, state: RunState) -> None:
    ended(watch, state)
    assert told.open == {}


def test_a_lost_run_is_told_of_until_a_person_has_resolved_it(watch: Watch, told: Told) -> None:
    ended(watch, RunState.LOST)
    ended(watch, RunState.FINISHED, minutes=1)
    assert told.open == {(AlertKind.LOST, "job"): ("job@s#1 is LOST: it broke.", None)}
    watch.resolved(ProcessRun(id="job@s#1", process="job", slot="s", attempt=1, kind=Kind.SCHEDULED, owner="me",
                              trading_day="2026-03-02", state=RunState.FINISHED, created=NOON))
    assert told.open == {}


def test_three_failures_within_ten_minutes_are_flapping_and_over_a_day_they_are_not(watch: Watch, told: Told) -> None:
    for number in range(6):
        ended(watch, RunState.ERROR, minutes=number * 6, again=SLOT)
        assert told.kinds() == set()
    for number in range(3):
        ended(watch, RunState.ERROR, minutes=100 + number * 4, again=SLOT)
    assert told.open[AlertKind.FLAPPING, "job"][0].startswith("job keeps failing: at least 3 times within 10 min.")
    ended(watch, RunState.FINISHED, minutes=120)
    assert told.open == {}
    ended(watch, RunState.ERROR, minutes=121, again=SLOT)
    assert told.kinds() == set()


def test_a_missed_slot_is_told_of_until_the_process_has_succeeded_and_a_skipped_one_is_not(watch: Watch,
                                                                                           told: Told) -> None:
    for outcome in SlotOutcome:
        watch.left_out(Tick(process=outcome.value, slot="s", outcome=outcome, reason="why", decided_at=NOON))
    assert told.open == {(AlertKind.MISSED, "MISSED"): ("MISSED missed the slot s: why.", None)}
    watch.left_out(Tick(process="job", slot="s", outcome=SlotOutcome.MISSED, reason="why", decided_at=NOON))
    ended(watch, RunState.FINISHED)
    assert (AlertKind.MISSED, "job") not in told.open


def test_a_slot_that_waits_is_late_after_five_minutes_until_it_starts(watch: Watch, told: Told) -> None:
    watch.waits("job", SLOT, "it waits for b", NOON + timedelta(minutes=5))
    assert told.open == {}
    watch.waits("job", SLOT, "it waits for b", NOON + timedelta(minutes=5, seconds=1))
    assert told.open == {(AlertKind.LATE, "job"): (
        "job has not started for its slot 2026-03-02T12:00:00Z: it waits for b.", None)}
    watch.started(ProcessRun(id="job@s#1", process="job", slot="s", attempt=1, kind=Kind.SCHEDULED, owner="me",
                             trading_day="2026-03-02", state=RunState.STARTING, created=NOON, due=NOON), NOON)
    assert told.open == {}


def test_a_store_that_fails_is_told_of_once_until_it_is_well(watch: Watch, told: Told) -> None:
    watch.store_failed("The store does not answer.")
    watch.store_failed("Something else.")
    [(text, _)] = told.open.values()
    assert text.startswith("The store does not answer. Nothing new is started")
    watch.store_answers()
    assert told.open == {}


def test_an_error_that_nobody_expected_is_told_as_one_of_the_service_itself(watch: Watch, told: Told) -> None:
    watch.bug("ZeroDivisionError()")
    assert "ZeroDivisionError()" in told.open[AlertKind.FAILED, "tradingd"][0]
