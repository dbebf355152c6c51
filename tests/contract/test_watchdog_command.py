"""tradectl watchdog: a process that is started, seen and stopped, with nothing there for it to see."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from test_systemctl import called

PAPER = "mode: paper\nmongo:\n  uri: mongodb://127.0.0.1:1/\n  timeout_s: 0.5\nbroker:\n  port: 1\n"


class Terminal:
    """Calls over one state directory; the watchdog ends with it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.state = folder, folder / "var"
        (folder / "config").mkdir()
        self.configure(PAPER)

    def configure(self, text: str) -> None:
        (self.folder / "config" / "tradingd.yaml").write_text(text)

    def call(self, *words: str, program: str = "daemon.cli") -> "subprocess.CompletedProcess[str]":
        places = ("--config", str(self.folder / "config"), "--state", str(self.state))
        return subprocess.run([sys.executable, "-m", program, *places, *words], capture_output=True, text=True,
                              check=False, timeout=90, env=os.environ)

    def told(self, *words: str) -> dict[str, Any]:
        return dict(json.loads(self.call("watchdog", *words, "--json").stdout))


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    terminal = Terminal(tmp_path)
    yield terminal
    terminal.call("watchdog", "stop")


def test_it_is_started_seen_and_stopped(terminal: Terminal) -> None:
    # given that none runs
    before = terminal.call("watchdog", "status")
    assert (before.returncode, before.stdout) == (3, "The watchdog is not running. Start it: tradectl watchdog start\n")

    # when it is started, twice
    started, again = terminal.told("start"), terminal.told("start")

    # then it is one, and says what it does not see
    assert (started["was_running"], again["was_running"], started["pid"]) == (False, True, again["pid"])
    said = terminal.call("watchdog", "status").stdout
    assert said.startswith(f"watchdog  pid {started['pid']}, client 90, looked last at ")
    assert "orders    unknown: The gateway at 127.0.0.1:1 does not answer as client 90" in said
    assert "level     unknown: MongoDB at 127.0.0.1:1 does not answer" in said

    # and it ends when it is asked to
    assert terminal.told("stop") == {"running": False, "was_running": True}
    assert terminal.told("stop") == {"running": False, "was_running": False}
    assert terminal.call("watchdog", "status").returncode == 3


def doctors_word(terminal: Terminal) -> tuple[bool, str]:
    """What the doctor finds of the watchdog, and whether that is well."""
    found = {each["check"]: each for each in json.loads(terminal.call("doctor", "--json").stdout)}["watchdog"]
    return bool(found["passed"]), str(found["finding"])


def test_the_doctor_misses_it_where_real_money_is_traded(terminal: Terminal) -> None:
    assert doctors_word(terminal) == (True, "not running (start it: tradectl watchdog start)")
    terminal.configure(PAPER.replace("paper", "live"))
    is_well, words = doctors_word(terminal)
    assert (is_well, words) == (False, "Real money without a watchdog: when the service is killed, nobody cancels what "
                                       "it leaves at the broker. Start it: tradectl watchdog start")
    terminal.call("watchdog", "start")
    is_well, words = doctors_word(terminal)
    assert is_well
    assert words.startswith("running, pid ")


def test_a_second_one_over_the_same_state_says_who_is_there(terminal: Terminal) -> None:
    pid = terminal.told("start")["pid"]
    second = terminal.call(program="daemon.watchdog")
    assert (second.returncode, second.stderr) == (1, f"Another watchdog watches over {terminal.state}: process {pid}. "
                                                     f"To end it: tradectl watchdog stop\n")


@pytest.mark.parametrize("program", ["daemon", "daemon.watchdog"])
def test_a_state_directory_that_is_none_is_told_and_starts_nothing(terminal: Terminal, program: str) -> None:
    terminal.state = terminal.folder / "config" / "tradingd.yaml" / "var"
    said = terminal.call(program=program)
    assert (said.returncode, said.stderr) == (
        2, f"The state directory {terminal.state} cannot be used: Not a directory. Choose another one with --state, or "
           f"get the right to write there.\n")


def test_a_wrong_configuration_is_told_and_starts_nothing(terminal: Terminal) -> None:
    terminal.configure("broker:\n  client_id: 90\n")
    direct, through = terminal.call(program="daemon.watchdog"), terminal.call("watchdog", "start")
    assert (direct.returncode, through.returncode) == (2, 2)
    assert "its client_id must be another one than broker.client_id" in direct.stderr
    assert "its client_id must be another one than broker.client_id" in through.stderr


def test_a_schedule_that_is_wrong_is_no_reason_not_to_watch(terminal: Terminal) -> None:
    (terminal.folder / "config" / "processes.yaml").write_text("processes: 5\n")
    assert terminal.call("watchdog", "start").returncode == 0


def test_a_manager_hears_that_it_is_ready_that_it_lives_and_that_it_ends(terminal: Terminal) -> None:
    # given a manager that wants a sign of life each second
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(terminal.folder / "notify"))
        manager.settimeout(30)
        words = [sys.executable, "-m", "daemon.watchdog", "--config", str(terminal.folder / "config"), "--state",
                 str(terminal.state)]
        process = subprocess.Popen(words, env=os.environ | {"NOTIFY_SOCKET": str(terminal.folder / "notify"),
                                                            "WATCHDOG_USEC": "1000000"})
        heard: list[str] = []
        try:
            while "READY=1" not in heard or heard.count("WATCHDOG=1") < 3:
                heard += manager.recv(4096).decode().splitlines()
        finally:
            process.terminate()
        assert process.wait(timeout=20) == 0

        # then what it cannot see is its status, and no reason not to be ready
        manager.settimeout(1)
        with suppress(TimeoutError):
            while "STOPPING=1" not in heard:
                heard += manager.recv(4096).decode().splitlines()
    assert "STOPPING=1" in heard
    assert any(line.startswith("STATUS=It does not see all: broker: The gateway at 127.0.0.1:1") for line in heard)


@pytest.mark.parametrize(("state", "unit"), [("/var/lib/tradingd", "tradingd-watchdog.service"),
                                             ("/var/lib/tradingd/paper", "tradingd-watchdog@paper.service")])
def test_where_its_unit_is_installed_it_is_left_to_systemd(tmp_path: Path, state: str, unit: str) -> None:
    done, calls = called(tmp_path, "watchdog", "start", state=state)
    assert done.returncode == 0
    assert calls == [f"cat {unit}", f"start {unit}"]
