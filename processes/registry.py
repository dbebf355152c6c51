"""Process names and the modules that do their work. A process is a module with `run(job)`; none imports another."""

from importlib import import_module
from typing import Final, Protocol, cast

from processes.job import JobContext
from trading.errors import ConfigError

PROCESSES: Final = (
    "update_fx_prices",
    "update_futures_contracts",
    "update_historical_prices",
    "update_multiple_adjusted_prices",
    "update_total_capital",
    "update_strategy_capital",
    "run_systems",
    "run_strategy_order_generator",
    "run_stack_handler",
    "run_daily_reports",
    "backup_db_to_parquet",
    "run_cleaners",
)


class Job(Protocol):
    """What a process module offers."""

    def run(self, job: JobContext) -> None:
        """Do the work; return when done, raise a TradingError when not."""


def job_module(process: str) -> Job:
    """The module of `process`.

    Raises:
        ConfigError: no such process.
    """
    if process not in PROCESSES:
        raise ConfigError(f"There is no process {process} (known: {', '.join(PROCESSES)}).")
    return cast(Job, import_module(f"processes.{process}"))
