"""The simulated gateway as a process, on a recorded day whose clock stands in a file; `kill -9` is real."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

UNIT_TESTS = Path(__file__).parents[1] / "unit" / "broker_simulated"
ROOT = Path(__file__).parents[2]
NOON = datetime(2021, 10, 13, 12, 0, tzinfo=UTC)
PATIENCE_S = 8.0


class GatewayProcess:
    """One server process, its folder and its clock."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.set_clock(NOON)
        self.start()

    def start(self) -> None:
        (self.folder / "port").unlink(missing_ok=True)
        self._pid = _forked(self.folder)
        deadline = time.monotonic() + PATIENCE_S
        while not (self.folder / "port").exists():
            assert time.monotonic() < deadline, "the gateway does not come up"
            assert self._lives(), "the gateway ended at once"
            time.sleep(0.005)
        self.port = int((self.folder / "port").read_text())

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)
        while self._lives():
            time.sleep(0.002)

    def set_clock(self, instant: datetime) -> None:
        (self.folder / "clock.new").write_text(instant.isoformat())
        (self.folder / "clock.new").rename(self.folder / "clock")

    def _lives(self) -> bool:
        try:
            os.kill(self._pid, 0)
        except ProcessLookupError:
            return False
        return True


def _forked(folder: Path) -> int:
    """The process id of a new gateway over `folder`."""
    mother = _mother()
    assert mother.stdin is not None
    assert mother.stdout is not None
    print(folder, file=mother.stdin, flush=True)
    return int(mother.stdout.readline())


@cache
def _mother() -> "subprocess.Popen[str]":
    """She ends with us, and all gateways with her."""
    python = os.environ.get("GATEWAY_PYTHON", sys.executable)  # a foreign client's venv has no gateway
    return subprocess.Popen([python, str(UNIT_TESTS / "simulated_gateways.py")], cwd=ROOT, start_new_session=True,
                            env={**os.environ, "PYTHONPATH": str(ROOT)}, stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, text=True)
