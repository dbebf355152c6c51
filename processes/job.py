"""What a job is given: its data, its day, its clock, and the place to ask whether it should stop."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from trading.clock import Clock
from trading.config import Config
from trading.data.data_blob import DataBlob
from trading.errors import DataError, JobIncomplete, StopRequested


@dataclass(frozen=True, kw_only=True)
class JobContext:
    """One run of one job."""

    config: Config
    data: DataBlob
    clock: Clock
    trading_day: date
    state: Path  # the state directory: reports, backups
    run_id: str
    stop_requested: Callable[[], bool]

    def checkpoint(self) -> None:
        """Call between units of work: raises StopRequested when this run was asked to stop."""
        if self.stop_requested():
            raise StopRequested("stopped at a checkpoint, as asked; run it again to do the rest")

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
