"""The words by which settings choose among ways to estimate. Each means something to one module beside this one.

They stand by themselves so that a configuration can be checked without the libraries that compute.
"""

from enum import StrEnum


class WeightMethod(StrEnum):
    """How instruments or rules are weighed; see trading.quant.portfolio_optimiser for what each is."""

    EQUAL = "equal"
    HANDCRAFTED = "handcrafted"
    SHRUNK_ONE_PERIOD = "shrunk_one_period"
    ONE_PERIOD = "one_period"
    MINIMUM_VARIANCE = "minimum_variance"
    RISK_PARITY = "risk_parity"
    HIERARCHICAL = "hierarchical"
    INVERSE_VOLATILITY = "inverse_volatility"
    BOOTSTRAPPED = "bootstrapped"


class FittingDates(StrEnum):
    """How much of the past each fit sees."""

    EXPANDING = "expanding"  # everything before the period
    ROLLING = "rolling"      # a number of years before it
    IN_SAMPLE = "in_sample"  # everything, also what comes after: for production's next day, never for a backtest


class VolatilityMethod(StrEnum):
    """How volatility is estimated."""

    MIXED = "mixed"    # an exponential one, blended with its own long average
    ROBUST = "robust"  # an exponential one, never below what it was on the quietest days of two years
    SIMPLE = "simple"  # of the last `simple_days`, all counting the same
