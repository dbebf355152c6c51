"""How weights are estimated, how risk is overlaid, and how a small account holds whole contracts: settings of a system.

Frozen and strict, like the rest of them. Each block is there or not; without it nothing of it happens.
"""

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt

from trading.quant.methods import FittingDates, VolatilityMethod, WeightMethod

_STRICT = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Volatility(BaseModel):
    """How daily volatility is estimated; see trading.quant.volatility for the methods."""

    model_config = _STRICT
    method: VolatilityMethod = VolatilityMethod.MIXED
    span: int = Field(default=35, ge=2)          # business days, of mixed and robust
    simple_days: int = Field(default=25, ge=10)  # business days, of simple
    slow_years: PositiveFloat = 10.0             # of mixed
    slow_weight: float = Field(default=0.3, ge=0, lt=1)  # of mixed


class WeightEstimate(BaseModel):
    """Weights of risk, fitted anew every 365 days on what was known by then.

    Past Sharpe ratios count only with `past_sharpe`; then costs count as well, `cost_multiplier` times.
    """

    model_config = _STRICT
    method: WeightMethod = WeightMethod.HANDCRAFTED
    fit: FittingDates = FittingDates.EXPANDING
    roll_years: PositiveInt = 20
    past_sharpe: bool = False
    cost_multiplier: float = Field(default=1.0, ge=0)
    samples: PositiveInt = 100  # of bootstrapped


class ForecastWeightEstimate(WeightEstimate):
    """The same for the rules; `pooled`: all instruments together say what a rule is worth."""

    pooled: bool = True
    cost_multiplier: float = Field(default=2.0, ge=0)


class RiskOverlay(BaseModel):
    """Limits of the whole portfolio; beyond one of them all positions shrink. Risks in multiples of the target.

    Source: pysystemtrade.md 4.8.
    """

    model_config = _STRICT
    normal_risk: PositiveFloat = 1.4
    shocked_risk: PositiveFloat = 3.6  # if every volatility were as high as it rarely was
    sum_of_risks: PositiveFloat = 3.4  # if nothing diversified
    leverage: PositiveFloat = 13.0     # value of all contracts over the capital


class SmallAccount(BaseModel):
    """Whole contracts that come nearest to the optimum for what they cost. Source: pysystemtrade.md 4.9."""

    model_config = _STRICT
    shadow_cost: float = Field(default=250.0, ge=0)
    tracking_error_buffer: float = Field(default=0.0125, ge=0)  # of returns a year


class ForecastThreshold(BaseModel):
    """Instruments too coarse for weak forecasts: below `threshold` nothing, above it more than in proportion."""

    model_config = _STRICT
    instruments: tuple[str, ...] = Field(min_length=1)
    threshold: float = Field(default=10.0, ge=0, lt=20)
