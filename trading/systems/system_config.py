"""The settings of one system. Frozen and strict: a typo is an error that names the key."""

import math
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PositiveFloat, field_validator, model_validator

from trading.conventions import Conventions, ConventionsName
from trading.errors import ConfigError
from trading.systems.rules.registry import check_settings

Weight = Annotated[float, Field(ge=0)]


def _checked_scalar(value: object) -> object:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < math.inf
    if not is_number and value not in ("estimated", "pooled"):
        raise ValueError(f"a scalar is a number above 0, or estimated, or pooled; found {value!r}")
    return value


class RuleConfig(BaseModel):
    """One trading rule with its scalar (forecasts average 10 in size) and its weight in the combination.

    A scalar that is "estimated" comes from the instrument's own past, a "pooled" one from that of all instruments.
    `attenuated` makes forecasts smaller while the volatility is high for the instrument.
    `rule` is a word of trading.systems.rules.registry, or the dotted path of a function; whatever else is written down
    are its settings.
    """

    model_config = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False)
    rule: str
    scalar: Annotated[PositiveFloat | Literal["estimated", "pooled"], BeforeValidator(_checked_scalar)]
    weight: float = Field(gt=0)
    attenuated: bool = False

    @property
    def settings(self) -> dict[str, Any]:
        """By name; one that is empty is not set."""
        return {name: value for name, value in (self.model_extra or {}).items() if value is not None}

    @model_validator(mode="after")
    def _complete(self) -> "RuleConfig":
        try:
            check_settings(self.rule, self.settings)
        except ConfigError as error:
            raise ValueError(str(error)) from error
        return self


class SystemConfig(BaseModel):
    """One system. `instruments` "all" means those with a weight, and without weights every one that the data have.

    `instrument_weights` None means equal ones.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    instruments: Annotated[tuple[str, ...], Field(min_length=1)] | Literal["all"] = "all"
    instrument_weights: dict[str, Weight] | None = None
    instrument_div_multiplier: float = Field(default=2.1, gt=0, le=2.5)
    forecast_rules: dict[str, RuleConfig] = Field(min_length=1)
    forecast_div_multiplier: float = Field(default=1.31, gt=0, le=2.5)
    forecast_cap: PositiveFloat = 20.0
    percentage_vol_target: PositiveFloat = 20.0
    notional_trading_capital: PositiveFloat = 1_000_000.0
    base_currency: str = Field(default="USD", pattern=r"^[A-Z]{3}$")
    buffer_size: float = Field(default=0.10, ge=0, lt=1)
    buffer_method: Literal["position", "forecast"] = "position"
    timezone: str = "Europe/London"
    conventions: ConventionsName = ConventionsName.OURS

    @property
    def chosen_conventions(self) -> Conventions:
        return self.conventions.conventions

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
        if self.instrument_weights is None:
            return self
        if sum(self.instrument_weights.values()) <= 0:
            raise ValueError("instrument_weights adds up to nothing; leave it out for equal weights")
        if self.instruments != "all" and set(self.instruments) != set(self.instrument_weights):
            different = sorted(set(self.instruments) ^ set(self.instrument_weights))
            raise ValueError(f"instruments and instrument_weights differ in {', '.join(different)}")
        return self
