"""The exit codes of tradectl, on which scripts rely: 0 done, 1 failed, 2 wrong words, 3 not running, 4 refused."""

import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from manager import Manager, Unit
from paper import WAITING_JOB, daemon_words, paper_config, status_of, tradectl, write_job, write_processes

pytestmark = pytest.mark.chaos

DONE, FAILED, WRONG, DOWN, REFUSED = 0, 1, 2, 3, 4
IDLE: dict[str, Any] = {"cron": "0 3 1 1 *", "timeout": "PT10M", "job": WAITING_JOB}
PROCESSES = {"idle": IDLE, "failing": IDLE | {"arguments": {"fails": True}}, "busy": IDLE | {"cron": "@reboot"},
             "held": IDLE, "waiting": IDLE | {"after": ["idle"]}}
Call = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Manager]:
    """A leading daemon with its second configuration, in which `busy` runs and `held` is paused."""
    folder = tmp_path_factory.mktemp("codes")
    config = paper_config(folder / "config", PROCESSES)
    manager = Manager(Unit(words=daemon_words(config, folder / "var"), folder=folder,
                           environment=write_job(folder / "jobs")))
    try:
        manager.wait_until_ready()
        assert tradectl(config, folder / "var", "pause", "held").returncode == DONE
        write_processes(config, PROCESSES | {"later": IDLE})
        assert tradectl(config, folder / "var", "reload").returncode == DONE
        _until(lambda: _row(folder / "var", "busy")["state"] == "RUNNING")
        yield manager
    finally:
        manager.close()


@pytest.fixture
def call(service: Manager) -> Call:
    """tradectl of the running service."""
    return lambda *words: tradectl(service.unit.folder / "config", service.unit.folder / "var", *words)


def _row(state: Path, process: str) -> dict[str, Any]:
    return next(row for row in status_of(state)["processes"] if row["process"] == process)


def _until(true: Callable[[], bool], within_s: float = 30) -> None:
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def code_and_words(done: "subprocess.CompletedProcess[str]") -> tuple[int, str]:
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("words", [
    "status", "status --json", "leader", "alerts", "events", "history idle", "schedule list", "schedule check",
    "schedule next -n 2", "pause idle", "resume idle", "reload", "backfill idle --from 2020-02-01T00:00Z --to "
    "2020-02-02T00:00Z", "skip idle 2030-01-01T03:00+00:00", "start", "run idle --no-wait", "stop idle", "drain",
    "drain --off"])
def test_done(words: str, call: Call) -> None:
    assert code_and_words(call(*words.split()))[0] == DONE


def test_a_run_that_fails_is_a_failure(call: Call) -> None:
    code, said = code_and_words(call("run", "failing"))
    assert code == FAILED
    assert "ERROR" in said


@pytest.mark.parametrize("words", ["nonsense", "status --nonsense", "run", "history idle -n many",
                                   "stop --timeout soon"])
def test_wrong_words_are_wrong_usage(words: str, call: Call) -> None:
    code, said = code_and_words(call(*words.split()))
    assert code == WRONG
    assert re.search(r"\. See: tradectl[a-z ]* --help$", said.strip())


@pytest.mark.parametrize("words", ["run nobody", "pause nobody", "resume nobody", "reset nobody", "kill nobody --yes",
                                   "stop nobody", "history nobody", "logs nobody", "schedule explain nobody",
                                   "resolve nobody@2026-03-02T20:00:00Z#1 --failed --yes"])
def test_a_name_that_nobody_has_is_wrong_usage(words: str, call: Call) -> None:
    code, said = code_and_words(call(*words.split()))
    assert code == WRONG
    assert "nobody" in said


@pytest.mark.parametrize("words", ["kill busy", "resolve busy@2026-03-02T20:00:00Z#1 --failed", "clock accept",
                                   "leader --reset", "schedule rollback 1",
                                   "backfill idle --from 2024-01-01T00:00Z --to 2026-01-02T00:00Z"])
def test_what_cannot_be_taken_back_needs_yes_without_a_terminal(words: str, call: Call, service: Manager) -> None:
    code, said = code_and_words(call(*words.split()))
    assert code == WRONG
    assert "--yes" in said
    assert _row(service.unit.folder / "var", "busy")["state"] == "RUNNING"


@pytest.mark.parametrize(("words", "reason"), [
    ("kill idle --yes", "idle"), ("stop held", "held"), ("reset busy", "busy"), ("run busy", "busy"),
    ("run held", "paused"), ("run waiting", "idle")])
def test_what_the_state_does_not_allow_is_refused_with_the_reason(words: str, reason: str, call: Call) -> None:
    code, said = code_and_words(call(*words.split()))
    assert code == REFUSED, said
    assert reason in said


def test_a_standby_refuses_what_only_the_leader_may_do(service: Manager, tmp_path: Path) -> None:
    uri = status_of(service.unit.folder / "var")["store"]["uri"]
    config = paper_config(tmp_path / "config", PROCESSES, mongo={"uri": uri})
    standby = Manager(Unit(words=daemon_words(config, tmp_path / "var"), folder=tmp_path,
                           environment=write_job(tmp_path / "jobs")))
    try:
        standby.wait_until_ready()
        assert code_and_words(tradectl(config, tmp_path / "var", "status"))[0] == DONE
        code, said = code_and_words(tradectl(config, tmp_path / "var", "pause", "idle"))
        assert code == REFUSED
        assert "leads" in said
    finally:
        standby.close()


# --- without a daemon ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def down(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A service that was never started, with a control socket that a killed daemon has left behind."""
    folder = tmp_path_factory.mktemp("down")
    paper_config(folder / "config", PROCESSES)
    (folder / "var" / "run").mkdir(parents=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as left:
        left.bind(str(folder / "var" / "run" / "control.sock"))
    return folder


@pytest.mark.parametrize("words", ["pause idle", "run idle", "kill idle --yes", "reload", "leader", "events", "drain",
                                   "clock accept --yes"])
def test_a_command_for_a_daemon_that_does_not_run_says_how_to_start_it(words: str, down: Path) -> None:
    code, said = code_and_words(tradectl(down / "config", down / "var", *words.split()))
    assert code == DOWN
    assert "tradectl start" in said


@pytest.mark.parametrize("words", ["status", "history idle", "schedule next -n 1", "schedule check", "schedule list",
                                   "stop"])
def test_what_can_be_known_without_a_daemon_is_answered(words: str, down: Path) -> None:
    assert code_and_words(tradectl(down / "config", down / "var", *words.split()))[0] == DONE


def test_without_any_state_directory_it_is_the_same(tmp_path: Path) -> None:
    config = paper_config(tmp_path / "config", PROCESSES)
    assert code_and_words(tradectl(config, tmp_path / "var", "pause", "idle"))[0] == DOWN
    assert not (tmp_path / "var").exists()


@pytest.mark.parametrize("words", ["start", "schedule check", "positions"])
def test_a_wrong_configuration_is_named(words: str, tmp_path: Path) -> None:
    config = paper_config(tmp_path / "config", mode="papr")
    code, said = code_and_words(tradectl(config, tmp_path / "var", *words.split()))
    assert code == WRONG
    assert "papr" in said


# --- a daemon that hangs ------------------------------------------------------------------------------------------


def test_a_daemon_that_hangs_is_not_taken_for_one_that_does_not_run(tmp_path: Path) -> None:
    # given a daemon that does nothing any more, and holds its socket and its state directory
    config = paper_config(tmp_path / "config", PROCESSES)
    manager = Manager(Unit(words=daemon_words(config, tmp_path / "var"), folder=tmp_path,
                           environment=write_job(tmp_path / "jobs")))
    answers: dict[str, tuple[int, str]] = {}

    def ask(verb: str) -> None:
        answers[verb] = code_and_words(tradectl(config, tmp_path / "var", verb))

    try:
        manager.wait_until_ready()
        manager.signal(signal.SIGSTOP)

        # when it is asked how it stands, and to stop
        asking = [threading.Thread(target=ask, args=[verb]) for verb in ("status", "stop")]
        for thread in asking:
            thread.start()
        for thread in asking:
            thread.join()
    finally:
        manager.close()

    # then both fail, and name it
    assert {verb: code for verb, (code, _) in answers.items()} == {"status": FAILED, "stop": FAILED}
    assert f"kill -9 {manager.pids[0]}" in answers["stop"][1]
