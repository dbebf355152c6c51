"""The settings of one trading rule. Frozen and strict: a typo is an error that names the key."""

import math
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PositiveFloat, model_validator

from trading.errors import ConfigError
from trading.systems.rules.registry import check_settings


def _checked_scalar(value: object) -> object:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < math.inf
    if not is_number and value not in ("estimated", "pooled"):
        raise ValueError(f"a scalar is a number above 0, or estimated, or pooled; found {value!r}")
    return value


class RuleConfig(BaseModel):
    """One trading rule with its scalar (forecasts average 10 in size) and its weight in the combination.

    A scalar that is "estimated" comes from the instrument's own past, a "pooled" one from that of all instruments.
    `attenuated` makes forecasts smaller while the volatility is high for the instrument.
    `weight` stays away when weights are estimated.
    `rule` is a word of trading.systems.rules.registry, or the dotted path of a function; whatever else is written down
    are its settings.
    """

    model_config = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False)
    rule: str
    scalar: Annotated[PositiveFloat | Literal["estimated", "pooled"], BeforeValidator(_checked_scalar)]
    weight: float | None = Field(default=None, gt=0)
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
