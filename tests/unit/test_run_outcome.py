"""The end of a worker becomes the end of its run: code, signal, resources, and whose words explain it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from daemon.decisions.run_outcome import Intervention, Why, settled
from daemon.decisions.worker_exit import WorkerExit
from trading.control.process_run import Kind, ProcessRun, RunState, WorkerIdentity

NOW = datetime(2026, 3, 2, 20, tzinfo=UTC)
RUN = ProcessRun(id="p@s#1", process="p", slot="s", attempt=1, kind=Kind.MANUAL, trading_day="2026-03-02",
                 state=RunState.RUNNING, created=NOW, owner="me",
                 worker=WorkerIdentity(boot_id="b", pid=7, start_ticks=70))
UNTAKEN = replace(RUN, state=RunState.STARTING, worker=None)


def end(code: int, lost: bool = False) -> WorkerExit:
    return WorkerExit(run=RUN.id, code=code, max_rss_kb=1000, cpu_s=0.5, lost=lost)


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
    assert settled(RUN, end(0), Intervention(why=Why.STOPPED, reason="holiday"), NOW).state is RunState.STOPPED


@pytest.mark.parametrize("code", [1, 143])
def test_a_run_that_outlived_its_time_and_obeyed_is_an_error(code: int) -> None:
    assert settled(RUN, end(code), Intervention(why=Why.TIMED_OUT, reason="too long"), NOW).state is RunState.ERROR


def test_a_run_that_ends_well_in_the_moment_of_its_time_out_has_done_its_work() -> None:
    assert settled(RUN, end(0), Intervention(why=Why.TIMED_OUT, reason="too long"), NOW).state is RunState.FINISHED


def test_terminated_means_that_our_kill_ended_it() -> None:
    killed = Intervention(why=Why.TIMED_OUT, reason="too long", killed=True)
    assert settled(RUN, end(-9), killed, NOW).state is RunState.TERMINATED
    assert settled(RUN, end(1), killed, NOW).state is RunState.ERROR


@pytest.mark.parametrize("code", [0, 1, 71, 75, -9])
def test_a_run_that_no_worker_took_is_cancelled_since_nothing_ran(code: int) -> None:
    ended = settled(UNTAKEN, end(code), Intervention(), NOW)
    assert ended.state is RunState.CANCELLED
    assert ended.reason.endswith("nothing ran")


def test_an_end_that_nobody_saw_is_lost_and_says_how_to_resolve_it() -> None:
    ended = settled(RUN, end(-9, lost=True), Intervention(), NOW)
    assert ended.state is RunState.LOST
    assert "tradectl resolve p@s#1 --finished, or --failed" in ended.reason
