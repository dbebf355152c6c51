"""May a process run: the first reason against it wins, and only some reasons are worth waiting for."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from daemon.run_conditions import RunFacts, can_process_run
from trading.control.process_control import Desired, LastRun, ProcessControl
from trading.control.process_state import ProcessState
from trading.process_config import ProcessConfig

NOW = datetime(2026, 3, 2, 20, tzinfo=UTC)
TODAY, YESTERDAY = "2026-03-02", "2026-03-01"
ALONE = ProcessConfig(cron="0 6 * * *", timeout=60)


def finished(day: str) -> ProcessControl:
    newest = LastRun(id="r", trading_day=day, started=NOW, ended=NOW)
    return ProcessControl(name="up", state=ProcessState.FINISHED, last_success=newest, last_run=newest)


def facts(**changes: object) -> RunFacts:
    plain = RunFacts(process=ALONE, control=ProcessControl(name="p"), upstream={}, trading_day=TODAY, now=NOW,
                     is_leader=True, broker_ready=True)
    return replace(plain, **changes)


def in_state(state: ProcessState) -> ProcessControl:
    return ProcessControl(name="p", state=state, active_run="p@1#1")


@pytest.mark.parametrize("state", [ProcessState.NO_PROCESS, ProcessState.FINISHED, ProcessState.ERROR,
                                   ProcessState.STOPPED])
def test_it_starts_from_every_state_but_running_and_terminated(state: ProcessState) -> None:
    assert can_process_run(facts(control=in_state(state))).allowed


def test_a_process_that_is_switched_off_does_not_run() -> None:
    decision = can_process_run(facts(process=ALONE.model_copy(update={"enabled": False})))
    assert decision.reason == "it is not enabled in processes.yaml"


def test_yesterdays_success_does_not_satisfy() -> None:
    decision = can_process_run(facts(upstream={"up": finished(YESTERDAY)}))
    assert decision.reason == "it waits for up (finished for 2026-03-01 only) on trading day 2026-03-02"


def test_a_process_that_was_killed_does_not_satisfy() -> None:
    decision = can_process_run(facts(upstream={"up": in_state(ProcessState.TERMINATED)}))
    assert decision.reason == "it waits for up (was killed) on trading day 2026-03-02"


def test_a_crash_today_after_a_success_today_does_not_satisfy() -> None:
    newer = LastRun(id="s", trading_day=TODAY, started=NOW, ended=NOW)
    crashed = replace(finished(TODAY), state=ProcessState.ERROR, last_run=newer)
    decision = can_process_run(facts(upstream={"up": crashed}))
    assert decision.reason == "it waits for up (failed) on trading day 2026-03-02"


def test_everything_that_is_missing_is_named() -> None:
    upstream = {"a": in_state(ProcessState.ERROR), "b": finished(TODAY), "c": ProcessControl(name="c")}
    assert can_process_run(facts(upstream=upstream)).reason == (
        "it waits for a (failed), c (never ran) on trading day 2026-03-02")


WAITS = (({"is_leader": False}, True), ({"upstream": {"up": ProcessControl(name="up")}}, True),
         ({"process": ALONE.model_copy(update={"needs_broker": True}), "broker_ready": False}, True),
         ({"control": in_state(ProcessState.RUNNING)}, False), ({"control": in_state(ProcessState.TERMINATED)}, False),
         ({"control": ProcessControl(name="p", desired=Desired.PAUSED)}, False))


@pytest.mark.parametrize(("changes", "waits"), WAITS)
def test_only_what_passes_by_itself_is_waited_for(changes: dict[str, object], waits: bool) -> None:
    decision = can_process_run(facts(**changes))
    assert (decision.allowed, decision.wait) == (False, waits)


def test_a_process_that_needs_no_broker_runs_without_one() -> None:
    assert can_process_run(facts(broker_ready=False, broker_reason="down")).allowed


FORCED = {"paused": {"control": ProcessControl(name="p", desired=Desired.PAUSED)},
          "terminated": {"control": in_state(ProcessState.TERMINATED)},
          "waiting": {"upstream": {"up": ProcessControl(name="up")}},
          "switched off": {"process": ALONE.model_copy(update={"enabled": False})}}


@pytest.mark.parametrize("changes", FORCED.values(), ids=FORCED.keys())
def test_force_overrides_the_operators_own_brakes(changes: dict[str, object]) -> None:
    assert can_process_run(facts(**changes, force=True)).allowed


UNFORCED = {"not leading": {"is_leader": False}, "running": {"control": in_state(ProcessState.RUNNING)},
            "no broker": {"process": ALONE.model_copy(update={"needs_broker": True}), "broker_ready": False}}


@pytest.mark.parametrize("changes", UNFORCED.values(), ids=UNFORCED.keys())
def test_force_never_overrides_what_protects_the_account(changes: dict[str, object]) -> None:
    assert not can_process_run(facts(**changes, force=True)).allowed
