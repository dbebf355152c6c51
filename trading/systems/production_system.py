"""The system that production runs: all stages over stored data, with a strategy's settings and its capital."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from trading.config_mistakes import reason
from trading.errors import ConfigError
from trading.quant.executor import Executor
from trading.systems.accounts import Accounts
from trading.systems.combined_forecasts import CombineForecasts
from trading.systems.contract_risk import ContractRisk
from trading.systems.cross_section import CrossSection
from trading.systems.forecast_weights import ForecastWeights
from trading.systems.forecasts import ForecastScaleCap, Rules
from trading.systems.gains import Gains
from trading.systems.instrument_weights import InstrumentWeights
from trading.systems.optimised_positions import OptimisedPositions
from trading.systems.portfolio import Portfolio
from trading.systems.position_size import PositionSize
from trading.systems.rawdata import RawData
from trading.systems.risk import Risk
from trading.systems.risk_overlay import RiskOverlay
from trading.systems.rule_accounts import RuleAccounts
from trading.systems.rules.registry import check_own_rule
from trading.systems.sim_data import SimData
from trading.systems.stage import SystemStage
from trading.systems.subsystem_accounts import SubsystemAccounts
from trading.systems.system import System
from trading.systems.system_config import SystemConfig


def standard_stages() -> tuple[SystemStage, ...]:
    """The stages of a system that trades forecasts, in their order."""
    return (RawData(), CrossSection(), Rules(), ForecastScaleCap(), ContractRisk(), Gains(), RuleAccounts(),
            ForecastWeights(), CombineForecasts(), PositionSize(), SubsystemAccounts(),
            InstrumentWeights(), Risk(), RiskOverlay(), Portfolio(), OptimisedPositions(), Accounts())


def system_config(settings: Mapping[str, Any], **facts: Any) -> SystemConfig:
    """The settings of a strategy together with what production knows (capital, base currency, zone).

    Raises:
        ConfigError: a line for each mistake, with its key.
    """
    try:
        config = SystemConfig.model_validate({**settings, **facts})
    except ValidationError as error:
        raise ConfigError("\n".join(map(_sentence, error.errors()))) from error
    for name, rule in config.forecast_rules.items():
        try:
            check_own_rule(rule.rule, rule.settings)
        except ConfigError as error:
            raise ConfigError(f"system.forecast_rules.{name}: {error}.") from error
    return config


def _sentence(mistake: Any) -> str:
    path = tuple(map(str, mistake["loc"]))
    return f"{'.'.join(('system', *path))}: {reason(mistake, path or ('system',), SystemConfig)}."


def futures_system(data: SimData, config: SystemConfig, executor: Executor | None = None) -> System:
    """A system with the standard stages; estimates are made in this process unless there is an `executor`."""
    return System(standard_stages(), data, config, executor=executor)
