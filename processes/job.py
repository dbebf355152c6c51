"""What a job is given: its data, its day, its clock, and the place to ask whether it should stop."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from trading.clock import Clock
from trading.config import Config
from trading.data.data_blob import DataBlob
from trading.errors import DataError, JobIncomplete, StopRequested
from trading.process_config import ProcessConfig


def _once() -> bool:
    """No: the work is done once."""
    return False


@dataclass(frozen=True, kw_only=True)
class JobContext:
    """One run of one job."""

    config: Config
    data: DataBlob
    clock: Clock
    trading_day: date
    state: Path  # the state directory: reports, backups
    run_id: str
    process: ProcessConfig  # as it was configured when the run started; `arguments` are the job's own
    slot: str
    attempt: int
    fence: int  # the fencing token under which the run was started
    stop_requested: Callable[[], bool]
    is_fenced_out: Callable[[], bool]
    serves: Callable[[], bool] = _once  # whether a service is to go on, when it has done what there was to do

    def checkpoint(self) -> None:
        """Call between units of work: raises StopRequested when this run was asked to stop."""
        if self.stop_requested():
            raise StopRequested("stopped at a checkpoint, as asked; run it again to do the rest")

    def wait(self, delay_s: float) -> None:
        """Return after `delay_s` seconds; raises StopRequested as soon as this run was asked to stop."""
        until_s = self.clock.monotonic_s() + delay_s
        while (left_s := until_s - self.clock.monotonic_s()) > 0:
            self.checkpoint()
            time.sleep(min(left_s, 0.1))
        self.checkpoint()

    def check_fence(self) -> None:
        """Call right before an effect that must never come late: raises StopRequested when a newer leader acts."""
        if self.is_fenced_out():
            raise StopRequested("another tradingd has taken over and settled this run; nothing more is done here")

    @property
    def day(self) -> str:
        """The trading day, YYYY-MM-DD."""
        return self.trading_day.isoformat()


def account_for(what: str, failed: list[str], tried: int) -> None:
    """End a job that went through many items, of which `failed` did not work.

    Raises:
        JobIncomplete: some failed; the others are done and the day goes on with them.
        DataError: every one failed; what comes after must wait.
    """
    if failed and len(failed) == tried:
        raise DataError(f"{what}: not one of {tried} worked: {', '.join(failed)}.")
    if failed:
        raise JobIncomplete(f"{what}: all but {', '.join(failed)}.")
