"""Where things lie under the state directory. One place that knows the names. Pure."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Places:
    """Everything that the service keeps, under one folder (`./var` in a checkout)."""

    state: Path

    @property
    def store(self) -> Path:
        return self.state / "store"

    @property
    def gateway(self) -> Path:
        return self.state / "sim"

    @property
    def sample_data(self) -> Path:
        return self.state / "data"

    @property
    def logs(self) -> Path:
        return self.state / "logs"

    @property
    def reports(self) -> Path:
        return self.state / "reports"

    @property
    def backup(self) -> Path:
        return self.state / "backup"

    @property
    def socket(self) -> Path:
        return self.state / "run" / "control.sock"

    @property
    def lock(self) -> Path:
        return self.state / "run" / "lock"

    @property
    def pid_file(self) -> Path:
        return self.state / "run" / "tradingd.pid"

    @property
    def service_log(self) -> Path:
        return self.logs / "tradingd.log"

    def run_log(self, process: str, run: str) -> Path:
        """The output of one run."""
        return self.logs / process / f"{run.partition('@')[2].replace(':', '').replace('#', '.')}.log"
