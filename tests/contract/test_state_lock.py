"""The lock of a state directory: a service keeps it, a command that reads holds it for a moment and is waited for."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from daemon.store.state_lock import StateInUse, StateLock, locked_within

DYING = "import sys; from pathlib import Path; from daemon.store.state_lock import StateLock; " \
        "lock = StateLock(Path(sys.argv[1]), Path(), command=True); import os; os._exit(9)"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "run" / "lock"


def test_a_service_is_not_waited_for_and_named(file: Path, tmp_path: Path) -> None:
    lock, begun_s = StateLock(file, tmp_path), time.monotonic()
    with pytest.raises(StateInUse, match=f"is in use by process {os.getpid()}. Stop it first"):
        locked_within(30.0, file, tmp_path)
    assert time.monotonic() - begun_s < 10
    lock.release()


@pytest.mark.parametrize("command", [True, False])
def test_a_command_that_reads_is_waited_for(command: bool, file: Path, tmp_path: Path) -> None:
    reading = StateLock(file, tmp_path, command=True)
    ended = threading.Timer(0.3, reading.release)
    ended.start()
    locked_within(30.0, file, tmp_path, command=command).release()
    ended.join()


def test_a_command_that_takes_too_long_is_named_and_to_be_waited_for(file: Path, tmp_path: Path) -> None:
    reading = StateLock(file, tmp_path, command=True)
    with pytest.raises(StateInUse, match=f"process {os.getpid()}. Try again when that command has ended"):
        locked_within(0.1, file, tmp_path)
    reading.release()


def test_who_has_not_said_yet_what_he_is_is_waited_for(file: Path, tmp_path: Path) -> None:
    lock = StateLock(file, tmp_path)
    file.write_text("")
    with pytest.raises(StateInUse) as refused:
        StateLock(file, tmp_path)
    assert (refused.value.is_brief, refused.value.holder) == (True, "unknown")
    lock.release()


def test_a_command_that_was_killed_holds_nothing(file: Path, tmp_path: Path) -> None:
    assert subprocess.run([sys.executable, "-c", DYING, str(file)], check=False).returncode == 9
    locked_within(0.0, file, tmp_path).release()
