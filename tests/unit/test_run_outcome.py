"""The end of a worker becomes the end of its run: code, signal, resources, and whose words explain it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from daemon.run_outcome import Intervention, settled
from daemon.workers import WorkerExit
from trading.control.process_run import Kind, ProcessRun, RunState

NOW = datetime(2026, 3, 2, 20, tzinfo=UTC)
RUN = ProcessRun(id="p@s#1", process="p", slot="s", attempt=1, kind=Kind.MANUAL, trading_day="2026-03-02",
                 state=RunState.RUNNING, created=NOW, owner="me")


def end(code: int) -> WorkerExit:
    return WorkerExit(run=RUN.id, code=code, max_rss_kb=1000, cpu_s=0.5)


def test_what_the_worker_used_is_kept() -> None:
    ended = settled(RUN, end(0), Intervention(), NOW)
    assert (ended.max_rss_kb, ended.cpu_s, ended.ended) == (1000, 0.5, NOW)


@pytest.mark.parametrize(("code", "name"), [(-9, "SIGKILL"), (-15, "SIGTERM"), (-6, "SIGABRT"), (-11, "SIGSEGV")])
def test_a_signal_is_named(code: int, name: str) -> None:
    ended = settled(RUN, end(code), Intervention(), NOW)
    assert ended.state is RunState.ERROR
    assert ended.reason == f"was killed by {name}. See: tradectl logs p"
    assert (ended.exit_code, ended.signal) == (None, -code)


def test_an_incomplete_job_finishes_and_says_what_is_missing() -> None:
    ended = settled(replace(RUN, reason="all but SP500"), end(0), Intervention(), NOW)
    assert (ended.state, ended.reason) == (RunState.FINISHED, "all but SP500")


def test_a_run_that_did_its_work_while_asked_to_stop_counts_as_stopped() -> None:
    assert settled(RUN, end(0), Intervention(stop_reason="holiday"), NOW).state is RunState.STOPPED


@pytest.mark.parametrize("code", [0, 1, 143, -9])
def test_a_run_that_outlived_its_time_is_never_a_success(code: int) -> None:
    assert settled(RUN, end(code), Intervention(timed_out_after_s=60), NOW).state is RunState.ERROR


@pytest.mark.parametrize(("seconds", "words"), [(119, "119 s"), (120, "2 min"), (3660, "61 min")])
def test_how_long_it_ran_reads_well(seconds: float, words: str) -> None:
    reason = settled(RUN, end(-9), Intervention(timed_out_after_s=seconds, killed=True), NOW).reason
    assert reason == f"p ran for {words}, longer than allowed: terminated. See: tradectl logs p"
