"""What to make of a run that is active in the store but not ours to watch."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from daemon.decisions.found_runs import NODE_DEAD_AFTER, Finding, Here, find_out, settled_as_found
from trading.control.process_run import Kind, ProcessRun, RunState, WorkerIdentity

NOW = datetime(2026, 3, 2, 20, 0, tzinfo=UTC)
HERE = Here(node="paris", boot_id="this boot", now=NOW)
WORKER = WorkerIdentity(boot_id="this boot", pid=100, start_ticks=5)
DAEMON = WorkerIdentity(boot_id="this boot", pid=90, start_ticks=4)


def a_run(**more: object) -> ProcessRun:
    """Taken by a worker of this machine, in this boot."""
    values = {"state": RunState.RUNNING, "node": "paris", "daemon": DAEMON, "worker": WORKER, "started": NOW,
              "heartbeat": NOW, **more}
    run = ProcessRun(id="job@s#1", process="job", slot="s", attempt=1, kind=Kind.SCHEDULED, trading_day="2026-03-02",
                     state=RunState.STARTING, created=NOW, owner="old")
    return replace(run, **values)  # type: ignore[arg-type]


def alive(*those: WorkerIdentity) -> Callable[[WorkerIdentity], bool]:
    return lambda one: one in those


def of_boot(identity: WorkerIdentity, boot: str) -> WorkerIdentity:
    return replace(identity, boot_id=boot)


def test_a_run_that_no_worker_took_never_started() -> None:
    run = a_run(state=RunState.STARTING, worker=None, started=None, heartbeat=None)
    assert find_out(run, HERE, alive(DAEMON)) is Finding.NEVER_STARTED


def test_a_worker_that_lives_without_its_daemon_is_an_orphan() -> None:
    assert find_out(a_run(), HERE, alive(WORKER)) is Finding.ORPHAN
    assert find_out(a_run(daemon=None), HERE, alive(WORKER)) is Finding.ORPHAN


def test_a_worker_that_lives_with_its_daemon_is_not_touched() -> None:
    assert find_out(a_run(), HERE, alive(WORKER, DAEMON)) is Finding.ELSEWHERE


def test_a_worker_that_lives_is_not_at_its_end_whatever_it_has_said() -> None:
    assert find_out(a_run(said_code=0), HERE, alive(WORKER)) is Finding.ORPHAN


def test_a_worker_that_is_gone_without_a_word_has_vanished() -> None:
    assert find_out(a_run(), HERE, alive()) is Finding.VANISHED
    assert find_out(a_run(), HERE, alive(DAEMON)) is Finding.VANISHED


def test_a_worker_that_is_gone_after_its_last_word_has_ended() -> None:
    assert find_out(a_run(said_code=1), HERE, alive()) is Finding.ENDED


def test_a_pid_that_another_program_has_now_is_not_the_worker() -> None:
    # given the same pid with other start ticks
    other = replace(WORKER, start_ticks=WORKER.start_ticks + 1)

    assert find_out(a_run(), HERE, alive(other)) is Finding.VANISHED


@pytest.mark.parametrize("heartbeat", [NOW, NOW - timedelta(days=1)])
def test_a_run_of_this_machine_before_it_was_booted_has_vanished_however_young_it_is(heartbeat: datetime) -> None:
    # given a worker of an earlier boot, whose pid and start ticks somebody else has now
    run = a_run(worker=of_boot(WORKER, "last boot"), daemon=of_boot(DAEMON, "last boot"), heartbeat=heartbeat)

    def same_pid_lives(one: WorkerIdentity) -> bool:
        return (one.pid, one.start_ticks) == (WORKER.pid, WORKER.start_ticks)

    assert find_out(run, HERE, same_pid_lives) is Finding.VANISHED


def test_a_run_before_the_boot_that_had_said_its_end_has_ended() -> None:
    assert find_out(a_run(worker=of_boot(WORKER, "last boot"), said_code=0), HERE, alive()) is Finding.ENDED


@pytest.mark.parametrize(("silent", "finding"), [
    (timedelta(0), Finding.ELSEWHERE), (NODE_DEAD_AFTER, Finding.ELSEWHERE),
    (NODE_DEAD_AFTER + timedelta(milliseconds=1), Finding.VANISHED)])
def test_a_run_of_another_machine_is_given_up_only_when_it_is_silent_for_long(silent: timedelta,
                                                                             finding: Finding) -> None:
    there = of_boot(WORKER, "their boot")
    assert find_out(a_run(worker=there, node="rome", heartbeat=NOW - silent), HERE, alive()) is finding


def test_without_a_heartbeat_the_start_counts_as_the_last_sign_of_life() -> None:
    there, long_ago = of_boot(WORKER, "their boot"), NOW - timedelta(hours=1)
    run = a_run(worker=there, node="rome", created=long_ago, heartbeat=None, started=NOW)
    assert find_out(run, HERE, alive()) is Finding.ELSEWHERE
    assert find_out(replace(run, started=None), HERE, alive()) is Finding.VANISHED


@pytest.mark.parametrize(("said", "state"), [
    (0, RunState.FINISHED), (143, RunState.STOPPED), (1, RunState.ERROR), (78, RunState.ERROR)])
def test_a_run_that_said_its_end_is_settled_by_its_last_word(said: int, state: RunState) -> None:
    done = settled_as_found(a_run(said_code=said), Finding.ENDED, NOW)
    assert (done.state, done.exit_code, done.ended) == (state, said, NOW)


@pytest.mark.parametrize(("finding", "says"), [
    (Finding.VANISHED, "the machine or its daemon died while it ran"),
    (Finding.ORPHAN, "its daemon died while it ran")])
def test_a_run_whose_end_nobody_knows_is_lost_and_says_what_to_do(finding: Finding, says: str) -> None:
    done = settled_as_found(a_run(), finding, NOW)
    assert (done.state, done.exit_code) == (RunState.LOST, None)
    assert done.reason == (f"{says}; whether it did its work is not known. After a look at the logs: tradectl resolve "
                           f"job@s#1 --finished, or --failed")


def test_a_run_that_never_started_is_cancelled() -> None:
    done = settled_as_found(a_run(state=RunState.STARTING, worker=None), Finding.NEVER_STARTED, NOW)
    assert (done.state, done.reason) == (RunState.CANCELLED, "its daemon ended before a worker had taken it: "
                                                             "nothing ran")
