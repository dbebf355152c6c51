"""The service as its manager sees it: what it says, when it says it, and what happens when it says nothing."""

import itertools
import re
import signal
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from manager import Manager, Told, Unit
from paper import WAITING_JOB, daemon_words, paper_config, runs_in_store, status_of, write_job, write_processes

pytestmark = pytest.mark.chaos

WAITING: dict[str, Any] = {"cron": "@reboot", "timeout": "PT10M", "grace": "PT30S", "job": WAITING_JOB}
BLOCKING_SIGNAL = "import signal, time\nsignal.signal(signal.SIGUSR1, lambda *_: time.sleep(60))\n"
Start = Callable[..., Manager]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a unit over `state`; everything is ended behind the test."""
    managers: list[Manager] = []

    def started(name: str = "one", processes: dict[str, Any] | None = None, service: dict[str, Any] | None = None,
                **options: Any) -> Manager:
        folder = tmp_path / name
        config = paper_config(folder / "config", processes, **(service or {}))
        environment = write_job(folder / "jobs")
        managers.append(Manager(Unit(words=daemon_words(config, folder / "var"), folder=folder,
                                     environment=environment, **options)))
        return managers[-1]

    yield started
    for manager in managers:
        manager.close()


def fields(told: list[Told], name: str) -> list[str]:
    return [each.fields[name] for each in told if name in each.fields]


def until_it_runs(state: Path) -> None:
    deadline = time.monotonic() + 30
    while not (state / "job_runs").exists():
        assert time.monotonic() < deadline, "the job did not start"
        time.sleep(0.02)


def test_a_whole_life_is_told_in_order(start: Start, tmp_path: Path) -> None:
    # given a service that has told that it is ready, with a sentence about itself
    manager = start()
    ready = manager.wait_until_ready()
    assert re.fullmatch(r"leading, 0 processes, 0 running", ready.fields["STATUS"])
    assert status_of(tmp_path / "one" / "var")["service"] == "running"

    # when it is asked to stop
    code = manager.stop()

    # then it says so, and is gone with all that it had started
    assert code == 0
    said = [name for told in manager.told for name in ("READY", "STOPPING") if name in told.fields]
    assert (said[0], said[-1]) == ("READY", "STOPPING")
    assert manager.group() == []

    # and nobody but its main process has spoken
    assert manager.strangers == []


def test_a_reload_is_told_from_its_beginning_to_its_end(start: Start, tmp_path: Path) -> None:
    manager = start()
    manager.wait_until_ready()

    write_processes(tmp_path / "one" / "config", {"nightly": {"cron": "0 3 * * *", "timeout": "PT1M",
                                                              "job": WAITING_JOB}})
    begun, before_us = len(manager.told), time.monotonic_ns() // 1000
    manager.signal(signal.SIGHUP)

    # RELOADING=1 and its moment come in one message, READY=1 after it, and the service knows the new process
    reloading = manager.wait_for(lambda told: told.fields.get("RELOADING") == "1", begun)
    assert before_us <= int(reloading.fields["MONOTONIC_USEC"]) <= time.monotonic_ns() // 1000
    manager.wait_for(lambda told: told.fields.get("READY") == "1", manager.told.index(reloading))
    assert [row["process"] for row in status_of(tmp_path / "one" / "var")["processes"]] == ["nightly"]


def test_a_reload_of_a_wrong_file_ends_too_with_the_old_configuration_in_use(start: Start, tmp_path: Path) -> None:
    manager = start(processes={"nightly": {"cron": "0 3 * * *", "timeout": "PT1M", "job": WAITING_JOB}})
    manager.wait_until_ready()

    (tmp_path / "one" / "config" / "processes.yaml").write_text("processes:\n  nightly: {crn: x}\n")
    begun = len(manager.told)
    manager.signal(signal.SIGHUP)

    reloading = manager.wait_for(lambda told: told.fields.get("RELOADING") == "1", begun)
    manager.wait_for(lambda told: told.fields.get("READY") == "1", manager.told.index(reloading))
    manager.wait_for(lambda told: "configuration rejected" in told.fields.get("STATUS", ""), begun)
    assert [row["process"] for row in status_of(tmp_path / "one" / "var")["processes"]] == ["nightly"]


def test_ready_means_that_what_a_dead_daemon_left_is_settled(start: Start, tmp_path: Path) -> None:
    # given a daemon that is killed while its job runs
    state = tmp_path / "one" / "var"
    manager = start(processes={"waiting": WAITING})
    until_it_runs(state)
    manager.signal(signal.SIGKILL)

    # when the next one is ready
    ready = manager.wait_until_ready(start=2)

    # then the run had its end in the store before that
    left = runs_in_store(state, "waiting")[-1]
    assert left.state.value == "LOST"
    assert left.ended is not None
    assert left.ended <= ready.at
    assert manager.codes == [-signal.SIGKILL]


def test_a_stop_takes_as_long_as_the_running_jobs_need(start: Start, tmp_path: Path) -> None:
    # given a job that goes on for three seconds after it was asked to stop, and a manager that waits for one
    state = tmp_path / "one" / "var"
    manager = start(processes={"waiting": WAITING | {"arguments": {"after_stop_s": 3}}}, stop_s=1.0)
    manager.wait_until_ready()
    until_it_runs(state)

    # when
    code = manager.stop()

    # then more time was asked for, and used
    stopping = manager.wait_for(lambda told: "EXTEND_TIMEOUT_USEC" in told.fields)
    assert stopping.fields["STOPPING"] == "1"
    assert int(stopping.fields["EXTEND_TIMEOUT_USEC"]) >= 30_000_000
    assert code == 0
    assert manager.group() == []

    # and the run ended as one that obeyed
    manager = start(processes={})
    manager.wait_until_ready()
    assert runs_in_store(state, "waiting")[0].state.value == "STOPPED"


def test_a_living_service_gives_a_sign_at_half_of_the_agreed_time(start: Start) -> None:
    manager = start(watchdog_s=2.0)
    manager.wait_until_ready()

    first = len(manager.told)
    manager.wait_for(lambda told: fields(manager.told[first:], "WATCHDOG").count("1") >= 4, first)

    signs = [told.at for told in manager.told[first:] if "WATCHDOG" in told.fields]
    gaps = sorted((later - earlier).total_seconds() for earlier, later in itertools.pairwise(signs))
    assert 0.8 < gaps[len(gaps) // 2] < 1.5
    assert manager.pids[1:] == []


def test_a_service_that_hangs_is_killed_with_its_jobs_and_started_again(start: Start, tmp_path: Path) -> None:
    # given a service with a running job
    state = tmp_path / "one" / "var"
    manager = start(processes={"waiting": WAITING}, watchdog_s=1.5, abort_s=0.5)
    manager.wait_until_ready()
    until_it_runs(state)
    before = set(manager.group())

    # when it does nothing any more, not even upon SIGABRT
    manager.signal(signal.SIGSTOP)

    # then another one is there, and nothing of the former
    manager.wait_until_ready(start=2)
    assert manager.codes == [-signal.SIGKILL]
    assert before & set(manager.group()) == set()


def test_a_blocked_event_loop_gives_no_sign_and_says_where_it_hangs(start: Start, tmp_path: Path) -> None:
    # given a daemon in whose main thread a signal, of the test's own, runs something that takes a minute
    (tmp_path / "one" / "jobs").mkdir(parents=True)
    (tmp_path / "one" / "jobs" / "sitecustomize.py").write_text(BLOCKING_SIGNAL)
    manager = start(watchdog_s=1.5)
    manager.wait_until_ready()

    # when it comes (its other threads go on)
    manager.signal(signal.SIGUSR1)
    blocked = datetime.now().astimezone()

    # then the watchdog hears nothing, and the daemon ends with the stacks of its threads
    manager.wait_until_ready(start=2)
    first_pid = manager.pids[0]
    signs = [told for told in manager.told if told.pid == first_pid and "WATCHDOG" in told.fields]
    assert [told for told in signs if (told.at - blocked).total_seconds() > 0.2] == []
    assert manager.codes == [-signal.SIGABRT]
    assert "sitecustomize.py" in manager.output()


def test_a_standby_is_ready_too_and_says_who_leads(start: Start, tmp_path: Path) -> None:
    # given a leader, and a second daemon on its store that talks to its manager over an abstract socket
    start().wait_until_ready()
    uri = status_of(tmp_path / "one" / "var")["store"]["uri"]
    second = start("two", service={"mongo": {"uri": uri}}, abstract=True)

    ready = second.wait_until_ready()

    assert ready.fields["STATUS"].startswith("standby: ")
    assert ready.fields["STATUS"].endswith(" leads")
    assert second.stop() == 0
    assert set(fields(second.told, "STOPPING")) == {"1"}


def test_a_standby_answers_to_a_reload_although_it_has_nothing_to_read(start: Start, tmp_path: Path) -> None:
    # given a standby, for whose answer a reload by signal waits
    start().wait_until_ready()
    uri = status_of(tmp_path / "one" / "var")["store"]["uri"]
    second = start("two", service={"mongo": {"uri": uri}})
    second.wait_until_ready()

    begun = len(second.told)
    second.signal(signal.SIGHUP)

    reloading = second.wait_for(lambda told: told.fields.get("RELOADING") == "1", begun, timeout_s=5)
    assert "MONOTONIC_USEC" in reloading.fields
    second.wait_for(lambda told: told.fields.get("READY") == "1", second.told.index(reloading), timeout_s=5)


def test_who_is_asked_a_second_time_to_stop_does_not_wait_for_jobs(start: Start, tmp_path: Path) -> None:
    # given a job that would go on for a minute after it was asked to stop
    state = tmp_path / "one" / "var"
    manager = start(processes={"waiting": WAITING | {"grace": "PT2M", "arguments": {"after_stop_s": 60}}})
    manager.wait_until_ready()
    until_it_runs(state)
    manager.wait_for(lambda told: told.fields.get("STATUS", "").endswith("1 processes, 1 running"))

    # when it is asked to stop twice
    began = time.monotonic()
    manager.signal(signal.SIGTERM)
    manager.wait_for(lambda told: told.fields.get("STOPPING") == "1")
    code = manager.stop()

    # then
    assert code == 0
    assert time.monotonic() - began < 30
    assert manager.group() == []


def test_who_is_asked_to_stop_while_it_starts_ends_without_having_been_ready(start: Start, tmp_path: Path) -> None:
    # given a daemon that has just taken its state directory; its store does not answer yet
    manager, lock = start(), tmp_path / "one" / "var" / "run" / "lock"
    deadline = time.monotonic() + 30
    while not lock.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)

    code = manager.stop()

    assert code == 0
    assert "Traceback" not in manager.output()
    assert fields(manager.told, "READY") == []
    assert manager.group() == []


def test_a_wrong_configuration_is_not_tried_again(start: Start, tmp_path: Path) -> None:
    manager = start(service={"mode": "papr"})
    assert manager.ended.wait(30)
    assert manager.codes == [2]
    assert fields(manager.told, "READY") == []
    assert "mode: Input should be 'simulated', 'paper' or 'live'; found 'papr'." in manager.output()
