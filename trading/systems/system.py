"""System: stages over data and settings. The same code runs in backtest, in replay and in production."""

from collections.abc import Iterable
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, TypeVar

from trading.clock import SystemClock
from trading.errors import ConfigError
from trading.quant.executor import Executor, SerialExecutor
from trading.systems.cache import SystemCache
from trading.systems.instrument_list import InstrumentList, instrument_list
from trading.systems.seen_data import SeenData
from trading.systems.sim_data import SimData
from trading.systems.stage import SystemStage
from trading.systems.system_config import SystemConfig

Stage = TypeVar("Stage", bound=SystemStage)


class System:
    """Stages are found by their type: `system.stage(Portfolio)`, or by name: `system.get_item("portfolio")`.

    Whoever sits at a prompt may write `system.portfolio`. Programs use `stage`, which a type checker understands.
    """

    def __init__(self, stages: Iterable[SystemStage], data: SimData, config: SystemConfig,
                 cache: SystemCache | None = None, executor: Executor | None = None) -> None:
        """Raise ConfigError when two stages have one name, or a stage needs one that is missing or needs it back.

        `executor` does what is estimated; without one it is done in this process.
        """
        given = tuple(stages)
        _check_names([stage.name for stage in given])
        _check_needs({stage.name: stage.needs for stage in given})
        self.config = config
        self.cache = SystemCache(SystemClock().monotonic_s) if cache is None else cache
        self.data = SeenData(data, self.cache)
        self.executor = executor or SerialExecutor()
        self._stages = {stage.name: stage for stage in given}
        for stage in given:
            stage.system = self

    if not TYPE_CHECKING:  # else every misspelt attribute would pass the type checker
        def __getattr__(self, name: str) -> SystemStage:
            if name.startswith("_") or name not in self._stages:
                raise AttributeError(f"The system has no stage {name}.")
            return self._stages[name]

    @property
    def config(self) -> SystemConfig:
        """The settings; with other ones everything is computed anew."""
        return self._config

    @config.setter
    def config(self, config: SystemConfig) -> None:
        self._config, self.config_key = config, config.model_dump_json()

    def look_again(self) -> tuple[str, ...]:
        """See what became of the data, and compute anew only what stands on what changed; whose data changed."""
        self.data.look_again()
        return self.data.changed

    @property
    def stage_names(self) -> tuple[str, ...]:
        return tuple(self._stages)

    def get_item(self, name: str) -> SystemStage:
        """The stage `name`.

        Raises:
            ConfigError: the system has no such stage.
        """
        if name not in self._stages:
            raise ConfigError(f"The system has no stage {name} (it has: {', '.join(self._stages)}).")
        return self._stages[name]

    def stage(self, kind: type[Stage]) -> Stage:
        """The stage of type `kind`."""
        found = self.get_item(kind.name)
        if not isinstance(found, kind):
            raise ConfigError(f"The stage {kind.name} is a {type(found).__name__}, not a {kind.__name__}.")
        return found

    def instrument_codes(self) -> tuple[str, ...]:
        """What the system looks at; see `instruments`."""
        return self.instruments.codes

    @property
    def instruments(self) -> InstrumentList:
        """The configured instruments, or those with a weight, or all that the data have; and which are not traded.

        Raises:
            ConfigError: the data lack an instrument that is named, or nothing is left to trade.
        """
        return instrument_list(self.config, self.data.instrument_codes())


def _check_names(names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigError(f"Two stages are called {', '.join(twice)}. Give each stage a name of its own.")


def _check_needs(needs: dict[str, tuple[str, ...]]) -> None:
    for name, others in needs.items():
        missing = sorted(set(others) - set(needs))
        if missing:
            raise ConfigError(f"The stage {name} needs {', '.join(missing)}, which the system does not have.")
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        raise ConfigError(f"The stages need each other: {' -> '.join(reversed(error.args[1]))}.") from error
