"""The settings of one system. Frozen and strict: a typo is an error that names the key."""

from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PositiveFloat, field_validator, model_validator

from trading.conventions import Conventions, ConventionsName
from trading.objects.capital import CapitalMethod
from trading.quant.methods import WeightMethod
from trading.systems.estimation_config import (
    ForecastThreshold,
    ForecastWeightEstimate,
    RiskOverlay,
    SmallAccount,
    Volatility,
    WeightEstimate,
)
from trading.systems.rule_config import RuleConfig

Weight = Annotated[float, Field(ge=0)]
Codes = Annotated[tuple[str, ...], Field(min_length=1)]
ESTIMATED: Final = "estimated"
HIGHEST: Final = 2.5  # of a diversification multiplier


def _checked_multiplier(value: object) -> object:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= HIGHEST
    if not is_number and value != ESTIMATED:
        raise ValueError(f"a multiplier is a number above 0 and at most {HIGHEST}, or estimated; found {value!r}")
    return value


def _checked_instruments(value: object) -> object:
    is_list = isinstance(value, (list, tuple)) and len(value) > 0 and all(isinstance(code, str) for code in value)
    if not is_list and value != "all":
        raise ValueError(f"write all, or a list of codes (one that looks like a number or like yes in quotes); found "
                         f"{value!r}")
    return value


Multiplier = Annotated[float | Literal["estimated"], BeforeValidator(_checked_multiplier)]


class SystemConfig(BaseModel):
    """One system. `instruments` "all" means those with a weight, and without weights every one that the data have.

    `instrument_weights` None means equal ones, unless `instrument_weight_estimate` is there. Ignored instruments and
    duplicates (by the name of the one that is used instead) are no part of the system; restricted ones and bad markets
    are looked at but not traded. Without a key the thing it describes does not happen.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    instruments: Annotated[Codes | Literal["all"], BeforeValidator(_checked_instruments)] = "all"
    ignore_instruments: tuple[str, ...] = ()
    duplicate_instruments: dict[str, Codes] = Field(default_factory=dict)
    trading_restrictions: tuple[str, ...] = ()
    bad_markets: tuple[str, ...] = ()
    instrument_weights: dict[str, Weight] | None = None
    instrument_weight_estimate: WeightEstimate | None = None
    instrument_div_multiplier: Multiplier = 2.1
    forecast_rules: dict[str, RuleConfig] = Field(min_length=1)
    forecast_weight_estimate: ForecastWeightEstimate | None = None
    forecast_div_multiplier: Multiplier = 1.31
    forecast_cap: PositiveFloat = 20.0
    forecast_threshold: ForecastThreshold | None = None
    highest_rule_cost: PositiveFloat | None = None  # of a Sharpe ratio a year; a dearer rule has no weight
    volatility: Volatility = Volatility()
    percentage_vol_target: PositiveFloat = 20.0
    notional_trading_capital: PositiveFloat = 1_000_000.0
    capital_multiplier: CapitalMethod = CapitalMethod.FIXED  # in a backtest; production has the account's own
    base_currency: str = Field(default="USD", pattern=r"^[A-Z]{3}$")
    buffer_size: float = Field(default=0.10, ge=0, lt=1)
    buffer_method: Literal["position", "forecast", "none"] = "position"
    costs: Literal["cash", "sharpe"] = "cash"  # each fill and roll, or in units of risk
    risk_overlay: RiskOverlay | None = None
    small_account: SmallAccount | None = None
    timezone: str = "Europe/London"
    conventions: ConventionsName = ConventionsName.OURS

    @property
    def chosen_conventions(self) -> Conventions:
        return self.conventions.conventions

    @property
    def estimates_for_long(self) -> bool:
        """Whether there is enough to estimate that all processors are worth their start."""
        estimates = (self.instrument_weight_estimate, self.forecast_weight_estimate)
        return any(estimate is not None and estimate.method is WeightMethod.BOOTSTRAPPED for estimate in estimates)

    def named_instruments(self) -> tuple[str, ...] | None:
        """The instruments that somebody wrote down; None when it is left to the data."""
        if self.instruments != "all":
            return self.instruments
        return None if self.instrument_weights is None else tuple(self.instrument_weights)

    @field_validator("timezone")
    @classmethod
    def _zone_exists(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"{value!r} is no time zone; write a name such as Europe/London") from error
        return value

    @model_validator(mode="after")
    def _weights_fit(self) -> "SystemConfig":
        if self.instruments != "all" and len(set(self.instruments)) < len(self.instruments):
            raise ValueError("instruments names one of them twice")
        if self.instrument_weights is not None:
            self._check_weights(self.instrument_weights)
        return self

    @model_validator(mode="after")
    def _rules_have_weights(self) -> "SystemConfig":
        without = [name for name, rule in self.forecast_rules.items() if rule.weight is None]
        if self.forecast_weight_estimate is None and without:
            raise ValueError(f"rules without a weight: {', '.join(without)}; write one, or forecast_weight_estimate to "
                             f"have all of them estimated")
        if self.forecast_weight_estimate is not None and len(without) < len(self.forecast_rules):
            given = [name for name in self.forecast_rules if name not in without]
            raise ValueError(f"forecast_weight_estimate estimates all weights, but these rules have one: "
                             f"{', '.join(given)}; remove one or the other")
        return self

    def _check_weights(self, weights: dict[str, float]) -> None:
        if self.instrument_weight_estimate is not None:
            raise ValueError("instrument_weights and instrument_weight_estimate exclude each other; remove one")
        if sum(weights.values()) <= 0:
            raise ValueError("instrument_weights adds up to nothing; leave it out for equal weights")
        if self.instruments != "all" and set(self.instruments) != set(weights):
            different = sorted(set(self.instruments) ^ set(weights))
            raise ValueError(f"instruments and instrument_weights differ in {', '.join(different)}")
