"""tradectl start, stop and restart go through systemd where it runs the service; a systemctl of ours notes it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from daemon.cli.service import unit_of

SYSTEMCTL = """#!/bin/sh
echo "$*" >> {calls}
case "$1" in cat) exit {known};; *) echo "told by systemctl"; exit {code};; esac
"""


@pytest.mark.parametrize(("state", "unit"), [
    ("/var/lib/tradingd", "tradingd.service"), ("/var/lib/tradingd/paper", "tradingd@paper.service"),
    ("/home/me/var", None), ("/var/lib/other", None), ("/var/lib/tradingd/paper/run", None)])
def test_a_state_directory_belongs_to_at_most_one_unit(state: str, unit: str | None) -> None:
    assert unit_of(Path(state)) == unit


def called(folder: Path, *words: str, state: str = "/var/lib/tradingd", known: int = 0,
           code: int = 0) -> tuple["subprocess.CompletedProcess[str]", list[str]]:
    """One call of tradectl, and what it asked systemctl for."""
    if Path(state).exists():
        pytest.skip(f"tradingd is installed here: {state}")
    calls, program = folder / "calls", folder / "systemctl"
    calls.touch()
    program.write_text(SYSTEMCTL.format(calls=calls, known=known, code=code))
    program.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-m", "daemon.cli", "--config", str(folder / "none"), "--state", state, *words],
        capture_output=True, text=True, check=False, env=os.environ | {"PATH": f"{folder}:{os.environ['PATH']}"})
    return done, calls.read_text().splitlines()


def test_a_stop_is_left_to_the_unit(tmp_path: Path) -> None:
    done, calls = called(tmp_path, "stop", "--json")
    assert done.returncode == 0
    assert calls == ["cat tradingd.service", "stop tradingd.service"]
    assert json.loads(done.stdout) == {"running": False, "was_running": False, "waited_for": []}


def test_one_of_several_services_has_a_unit_of_its_own(tmp_path: Path) -> None:
    _, calls = called(tmp_path, "stop", state="/var/lib/tradingd/paper")
    assert calls == ["cat tradingd@paper.service", "stop tradingd@paper.service"]


def test_a_start_that_systemd_refuses_says_where_to_look(tmp_path: Path) -> None:
    done, calls = called(tmp_path, "start", code=1)
    assert done.returncode == 1
    assert calls == ["cat tradingd.service", "start tradingd.service"]
    assert done.stderr.endswith("`systemctl start tradingd.service` failed with code 1. See: journalctl -u "
                                "tradingd.service -n 50\n")


def test_a_restart_stops_first(tmp_path: Path) -> None:
    _, calls = called(tmp_path, "restart", code=1)
    assert [call for call in calls if not call.startswith("cat")] == ["stop tradingd.service"]


def test_without_a_unit_there_is_nothing_to_stop(tmp_path: Path) -> None:
    done, calls = called(tmp_path, "stop", known=1)
    assert (done.returncode, done.stdout) == (0, "tradingd is not running.\n")
    assert calls == ["cat tradingd.service"]


def test_a_service_elsewhere_is_none_of_systemds_business(tmp_path: Path) -> None:
    _, calls = called(tmp_path, "stop", state=str(tmp_path / "var"))
    assert calls == []
