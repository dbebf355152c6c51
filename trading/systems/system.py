"""System: stages over data and settings. The same code runs in backtest, in replay and in production."""

from collections.abc import Iterable
from graphlib import CycleError, TopologicalSorter
from typing import TypeVar

from trading.errors import ConfigError
from trading.systems.cache import SystemCache
from trading.systems.sim_data import SimData
from trading.systems.stage import SystemStage
from trading.systems.system_config import SystemConfig

Stage = TypeVar("Stage", bound=SystemStage)


class System:
    """Stages are found by their type: `system.stage(Portfolio)`, or by name: `system.get_item("portfolio")`."""

    def __init__(self, stages: Iterable[SystemStage], data: SimData, config: SystemConfig, cache: SystemCache) -> None:
        self.data, self.config, self.cache = data, config, cache
        self._stages = {stage.name: stage for stage in stages}
        _check_needs({name: stage.needs for name, stage in self._stages.items()})
        for stage in self._stages.values():
            stage.system = self

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
        """What is traded: the configured instruments, or all that the data have."""
        available = self.data.instrument_codes()
        if self.config.instruments == "all":
            return available
        missing = sorted(set(self.config.instruments) - set(available))
        if missing:
            raise ConfigError(f"strategies.yaml names instruments without prices: {', '.join(missing)} "
                              f"(available: {', '.join(available)}). Import them, or remove the names.")
        return tuple(self.config.instruments)


def _check_needs(needs: dict[str, tuple[str, ...]]) -> None:
    for name, others in needs.items():
        missing = sorted(set(others) - set(needs))
        if missing:
            raise ConfigError(f"The stage {name} needs {', '.join(missing)}, which the system does not have.")
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        raise ConfigError(f"The stages need each other: {' -> '.join(reversed(error.args[1]))}.") from error
