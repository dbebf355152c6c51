"""Did the mean of a series change some time? The cumulated residuals of a constant mean, as a test. Pure.

Source: Ploberger and Krämer (1992), "The CUSUM test with OLS residuals", Econometrica 60(2).
"""

from dataclasses import dataclass

import numpy as np

from trading.errors import DataError
from trading.quant.arrays import Vector


@dataclass(frozen=True, kw_only=True)
class MeanBreak:
    """Statistic and p value; `break_after` periods the residuals add up to most."""

    statistic: float
    p_value: float
    break_after: int


def mean_break(values: Vector) -> MeanBreak:
    """Test that the mean is the same all the time.

    Args:
        values: shape (T,), T >= 3, in the order of time, without autocorrelation, no NaN, not constant.

    Raises:
        DataError: too short, not finite, or constant.
    """
    from scipy.special import kolmogorov

    if len(values) < 3 or not np.all(np.isfinite(values)):
        raise DataError("A test for a break needs at least 3 values, none missing or infinite. Drop those that are.")
    residuals = values - np.mean(values)
    deviation = float(np.std(values, ddof=1))
    if deviation <= 8 * np.finfo(float).eps * float(np.max(np.abs(values))):
        raise DataError("The series is constant, so there is nothing to test. Leave it out.")
    path = np.abs(np.cumsum(residuals)) / (deviation * np.sqrt(len(values)))
    where = int(np.argmax(path))
    return MeanBreak(statistic=float(path[where]), p_value=float(kolmogorov(path[where])), break_after=where + 1)
