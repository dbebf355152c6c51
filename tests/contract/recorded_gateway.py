"""The simulated gateway as a process, on a recorded day whose clock stands in a file; `kill -9` is real."""

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
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
        python = os.environ.get("GATEWAY_PYTHON", sys.executable)  # a foreign client's venv has no gateway
        self.process = subprocess.Popen([python, str(UNIT_TESTS / "simulated_record.py"), str(self.folder)],
                                        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
        deadline = time.monotonic() + PATIENCE_S
        while not (self.folder / "port").exists():
            assert time.monotonic() < deadline, "the gateway does not come up"
            assert self.process.poll() is None, "the gateway ended at once"
            time.sleep(0.02)
        self.port = int((self.folder / "port").read_text())

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def set_clock(self, instant: datetime) -> None:
        (self.folder / "clock.new").write_text(instant.isoformat())
        (self.folder / "clock.new").rename(self.folder / "clock")
