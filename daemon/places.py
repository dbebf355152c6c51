"""Where things lie: the configuration folder, the state directory, and everything under it. Imports nothing heavy."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trading.shipped import shipped_folder

if TYPE_CHECKING:
    from argparse import ArgumentParser


def add_place_flags(parser: "ArgumentParser") -> None:
    """`--config` and `--state`, as each program of ours has them."""
    parser.add_argument("--config", type=Path, default=default_config(), help="folder with tradingd.yaml, "
                        "processes.yaml, strategies/ (default: %(default)s)")
    parser.add_argument("--state", type=Path, default=default_state(), help="where the service keeps its files "
                        "(default: %(default)s)")


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
    def backtests(self) -> Path:
        return self.state / "backtests"

    @property
    def socket(self) -> Path:
        return self.state / "run" / "control.sock"

    @property
    def lock(self) -> Path:
        return self.state / "run" / "lock"

    @property
    def halt_flag(self) -> Path:
        """While this file exists nothing is sent to the broker: the halt that works without a store."""
        return self.state / "HALT"

    @property
    def whereabouts(self) -> Path:
        """Where the store and the gateway listen that the service runs itself, for those who do not ask it."""
        return self.state / "run" / "whereabouts.json"

    @property
    def watchdog_lock(self) -> Path:
        return self.state / "run" / "watchdog.lock"

    @property
    def watchdog_report(self) -> Path:
        """What the watchdog saw when it looked last."""
        return self.state / "run" / "watchdog.json"

    @property
    def watchdog_log(self) -> Path:
        return self.logs / "watchdog.log"

    @property
    def token(self) -> Path:
        """The greatest fencing token that this service has led with."""
        return self.state / "highest_token"

    @property
    def calendars(self) -> Path:
        return self.state / "calendars"

    @property
    def pid_file(self) -> Path:
        return self.state / "run" / "tradingd.pid"

    @property
    def service_log(self) -> Path:
        return self.logs / "tradingd.log"

    def run_log(self, process: str, run: str) -> Path:
        """The output of one run."""
        return self.logs / process / f"{run.partition('@')[2].replace(':', '').replace('#', '.')}.log"


def default_config() -> Path:
    """$TRADINGD_CONFIG, ./config, /etc/tradingd, or the shipped defaults."""
    named = os.environ.get("TRADINGD_CONFIG")
    if named:
        return Path(named)
    folders = (Path("config"), Path("/etc/tradingd"))
    found = [folder for folder in folders if os.access(folder / "processes.yaml", os.R_OK)]
    return found[0] if found else shipped_folder()


def default_state() -> Path:
    """$TRADINGD_STATE, ./var, the installed service's directory, or a new ./var."""
    named = os.environ.get("TRADINGD_STATE") or os.environ.get("STATE_DIRECTORY")
    if named:
        return Path(named)
    found = [folder for folder in (Path("var"), Path("/var/lib/tradingd")) if folder.is_dir()]
    return found[0] if found else Path("var")
