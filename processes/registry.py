"""Process names and the functions that do their work.

A process is a module with `run(job)`; none imports another. One of your own names its module with `job:` in
processes.yaml. A service without `run` repeats the functions that its `methods:` name.
"""

from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Final, cast

from trading.errors import ConfigError
from trading.process_config import ProcessConfig

if TYPE_CHECKING:  # the supervisor names processes, and has no use for what their jobs import
    from processes.job import JobContext

Job = Callable[["JobContext"], None]

PROCESSES: Final = (
    "update_fx_prices",
    "update_futures_contracts",
    "check_broker_statement",
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


def job_module(process: str, module: str | None = None) -> ModuleType:
    """The module of `process`.

    Raises:
        ConfigError: there is none, or it cannot be imported.
    """
    if module is None and process not in PROCESSES:
        raise ConfigError(f"There is no process {process} (known: {', '.join(PROCESSES)}). A process of your own names "
                          f"its module with job: in processes.yaml.")
    name = f"processes.{module or process}" if module is None or module in PROCESSES else module
    try:
        return import_module(name)
    except ImportError as error:
        raise ConfigError(f"The module {name} of {process} cannot be imported: {error}.") from error


def job_function(process: str, config: ProcessConfig) -> Job:
    """What a run of `process` calls.

    Raises:
        ConfigError: the module offers neither `run(job)` nor the methods that are configured.
    """
    module = job_module(process, config.job)
    if config.methods:
        from processes.methods import run_methods

        functions = {name: _function(module, name, process) for name in config.methods}
        return lambda job: run_methods(job, functions)
    return _function(module, "run", process)


def _function(module: ModuleType, name: str, process: str) -> Job:
    function = getattr(module, name, None)  # the name comes from configuration
    if not callable(function):
        raise ConfigError(f"The module {module.__name__} of {process} has no function {name}(job).")
    return cast(Job, function)
