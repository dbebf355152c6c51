"""The simulated gateway as its own process, on generated sample markets, at an afternoon of their newest month."""

import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from trading.broker.simulated.control_client import GatewayControl
from trading.clock import OFFSET_VARIABLE

ROOT: Final = Path(__file__).parents[2]
START: Final = datetime(2023, 6, 20, 12, 30, tzinfo=UTC)
PATIENCE_S: Final = 30.0
SCENARIO: Final = "settings: {tif_preset: true, ticks: {BR: {0: 0.05, 90: 0.25}}}"


class GatewayProcess:
    """One server process on a free port; its memory and its log are in `folder`."""

    def __init__(self, folder: Path, market: Path, *flags: str) -> None:
        self._folder, self._market, self._flags = folder, market, flags
        self.state: Final = folder / "state"
        self.log_path: Final = folder / "log"
        (folder / "scenario.yaml").write_text(SCENARIO)
        self.start(START)

    @property
    def control(self) -> GatewayControl:
        return GatewayControl(self.state)

    def start(self, now: datetime) -> None:
        offset = {OFFSET_VARIABLE: str((now - datetime.now(UTC)).total_seconds())}
        command = [sys.executable, "-m", "daemon.market.simulated_gateway", "--port", "0", "--data",
                   str(self._market), "--state", str(self.state), "--scenario", str(self._folder / "scenario.yaml"),
                   *self._flags]
        with self.log_path.open("a") as log, (self._folder / "said").open("w") as said:
            self._process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **offset}, stdout=said, stderr=log)
        self.port = self._port_of(self._folder / "said")

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def restart(self) -> None:
        """`kill -9`, and up again at the same moment of its market."""
        now = datetime.fromisoformat(self.control.clock()["now"])
        self.kill()
        self.start(now)

    def log(self) -> str:
        return self.log_path.read_text()

    def _port_of(self, said: Path) -> int:
        deadline = time.monotonic() + PATIENCE_S
        while not said.read_text().startswith("listening on "):
            assert self._process.poll() is None, f"the gateway ended at once: {self.log()}"
            assert time.monotonic() < deadline, "the gateway does not come up"
            time.sleep(0.02)
        return int(said.read_text().split()[-1])
