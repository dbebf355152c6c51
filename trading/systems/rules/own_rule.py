"""A rule that somebody wrote himself: whatever it does wrong concerns its instrument, and never becomes a position."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from trading.errors import DataError


def forecast_of_own_rule(name: str, rule: Callable[..., Any], arguments: Mapping[str, Any]) -> pd.Series:
    """What `rule` says, unknown where it says something infinite.

    Args:
        name: of the rule and its instrument, for messages.

    Raises:
        DataError: the rule raised an error, or did not give one number a business day in order of time.
    """
    try:
        forecast = rule(**arguments)
    except Exception as error:  # anything may be wrong in a stranger's code; the other instruments go on
        raise DataError(f"Rule {name} failed: {type(error).__name__}: {error}. Mend the rule, or leave the instrument "
                        f"out.") from error
    if not isinstance(forecast, pd.Series) or not isinstance(forecast.index, pd.DatetimeIndex):
        raise DataError(f"Rule {name} gave a {type(forecast).__name__} instead of a series of forecasts over days. "
                        f"Return a series with the index of the prices.")
    if not (forecast.index.is_monotonic_increasing and forecast.index.is_unique):
        raise DataError(f"Rule {name} gave forecasts whose days are not in order or stand twice. Return a series with "
                        f"the index of the prices.")
    numbers = pd.to_numeric(forecast, errors="coerce").astype("float64")
    return numbers.where(np.isfinite(numbers))
