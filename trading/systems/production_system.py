"""The system that production runs: all stages over stored data, with a strategy's settings and its capital."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from trading.clock import SystemClock
from trading.config_mistakes import reason
from trading.errors import ConfigError
from trading.systems.accounts import Accounts
from trading.systems.cache import SystemCache
from trading.systems.cross_section import CrossSection
from trading.systems.forecasts import CombineForecasts, ForecastScaleCap, Rules
from trading.systems.portfolio import Portfolio
from trading.systems.position_size import PositionSize
from trading.systems.rawdata import RawData
from trading.systems.sim_data import SimData
from trading.systems.stage import SystemStage
from trading.systems.system import System
from trading.systems.system_config import SystemConfig


def standard_stages() -> tuple[SystemStage, ...]:
    """The stages of a system that trades forecasts, in their order."""
    return (RawData(), CrossSection(), Rules(), ForecastScaleCap(), CombineForecasts(), PositionSize(), Portfolio(),
            Accounts())


def system_config(settings: Mapping[str, Any], **facts: Any) -> SystemConfig:
    """The settings of a strategy together with what production knows (capital, base currency, zone).

    Raises:
        ConfigError: a line for each mistake, with its key.
    """
    try:
        return SystemConfig.model_validate({**settings, **facts})
    except ValidationError as error:
        raise ConfigError("\n".join(map(_sentence, error.errors()))) from error


def _sentence(mistake: Any) -> str:
    path = tuple(map(str, mistake["loc"]))
    return f"strategies.yaml: {'.'.join(('system', *path))}: {reason(mistake, path or ('system',), SystemConfig)}."


def futures_system(data: SimData, config: SystemConfig) -> System:
    """A system with the standard stages."""
    return System(standard_stages(), data, config, SystemCache(SystemClock().monotonic_s))
