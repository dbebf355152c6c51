"""The settings of one system. Frozen and strict: a typo is an error that names the key."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, model_validator


class RuleConfig(BaseModel):
    """One trading rule with its scalar (forecasts average 10 in size) and its weight in the combination."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    rule: Literal["ewmac", "carry", "breakout"]
    scalar: PositiveFloat
    weight: float = Field(gt=0)
    fast: PositiveInt | None = None  # ewmac, in business days
    slow: PositiveInt | None = None  # ewmac
    smooth_days: PositiveInt | None = None  # carry
    lookback: PositiveInt | None = None  # breakout

    @model_validator(mode="after")
    def _complete(self) -> "RuleConfig":
        needed = {"ewmac": ("fast", "slow"), "carry": ("smooth_days",), "breakout": ("lookback",)}[self.rule]
        given = {name for name in ("fast", "slow", "smooth_days", "lookback") if name in self.model_fields_set}
        if given != set(needed):
            raise ValueError(f"rule {self.rule} needs exactly {', '.join(needed)}")
        return self


class SystemConfig(BaseModel):
    """One system. `instruments` "all" means every one that the data have; weights None means equal ones."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    instruments: tuple[str, ...] | Literal["all"] = "all"
    instrument_weights: dict[str, float] | None = None
    instrument_div_multiplier: float = Field(default=2.1, gt=0, le=2.5)
    forecast_rules: dict[str, RuleConfig] = Field(min_length=1)
    forecast_div_multiplier: float = Field(default=1.31, gt=0, le=2.5)
    forecast_cap: PositiveFloat = 20.0
    percentage_vol_target: PositiveFloat = 20.0
    notional_trading_capital: PositiveFloat = 1_000_000.0
    base_currency: str = "USD"
    buffer_size: float = Field(default=0.10, ge=0, lt=1)
    buffer_method: Literal["position", "forecast"] = "position"
    timezone: str = "Europe/London"
