"""Did the correlation of two series change some time? A test that cries wolf as often as it is told to. Pure.

It looks back over a sample that is complete. Asked again every day it would find breaks that are none, for each day is
another chance to err; for many pairs at once there is Holm's correction.
Source: Wied, Krämer and Dehling (2012), "Testing for a change in correlation at an unknown point in time using an
extended functional delta method", Econometric Theory 28(3); Bartlett weights up to ln T.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from trading.errors import DataError
from trading.quant.arrays import Vector


@dataclass(frozen=True, kw_only=True)
class CorrelationBreak:
    """The outcome of the test for one pair.

    `break_after` is the number of periods at which the correlation so far differs most from that of all.
    """

    periods: int
    correlation: float
    long_run_variance: float
    bandwidth: int
    statistic: float
    p_value: float
    break_after: int


def correlation_break(first: Vector, second: Vector) -> CorrelationBreak:
    """Test that the correlation is the same all the time.

    Args:
        first, second: shape (T,), T >= 8, in the order of time, no NaN, not constant.

    Raises:
        DataError: too short, not finite, or constant.
    """
    from scipy.special import kolmogorov

    _check(first, second)
    x, y = (first - np.mean(first)) / np.std(first), (second - np.mean(second)) / np.std(second)
    periods, correlation = len(x), float(np.mean(x * y))
    bandwidth = int(np.log(periods))
    variance = _long_run_variance(x * y - correlation / 2 * (x * x + y * y), bandwidth)
    counts = np.arange(1, periods + 1)
    paths = counts / np.sqrt(periods) * np.abs(_correlations_so_far(x, y) - correlation)
    paths[0] = 0.0
    where = int(np.argmax(paths))
    statistic = float(paths[where]) / np.sqrt(variance) if variance > 0 else 0.0
    return CorrelationBreak(periods=periods, correlation=correlation, long_run_variance=variance, bandwidth=bandwidth,
                            statistic=float(statistic), p_value=float(kolmogorov(statistic)), break_after=where + 1)


def holm(tests: Sequence[CorrelationBreak]) -> tuple[CorrelationBreak, ...]:
    """The same tests, their p values corrected so that all together err as seldom as one alone would.

    Source: Holm (1979), "A simple sequentially rejective multiple test procedure".
    """
    corrected, least = list(tests), 0.0
    for rank, place in enumerate(sorted(range(len(tests)), key=lambda each: tests[each].p_value)):
        least = max(least, min(1.0, (len(tests) - rank) * tests[place].p_value))
        corrected[place] = replace(tests[place], p_value=least)
    return tuple(corrected)


def _check(first: Vector, second: Vector) -> None:
    if len(first) != len(second) or len(first) < 8:
        raise DataError(f"A test for a break needs two series of the same length, at least 8; these have {len(first)} "
                        f"and {len(second)} periods.")
    for which, values in (("first", first), ("second", second)):
        if not np.all(np.isfinite(values)):
            raise DataError(f"The {which} series has missing or infinite values. Drop those periods in both series.")
        if np.ptp(values) <= 8 * np.finfo(float).eps * np.max(np.abs(values)):
            raise DataError(f"The {which} series is constant, so it has no correlation. Leave it out.")


def _correlations_so_far(x: Vector, y: Vector) -> Vector:
    counts = np.arange(1, len(x) + 1)
    sums = [np.cumsum(values) for values in (x, y, x * y, x * x, y * y)]
    mean_x, mean_y, xy, xx, yy = (total / counts for total in sums)
    spread = np.maximum(xx - mean_x**2, 0.0) * np.maximum(yy - mean_y**2, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(spread > 0, (xy - mean_x * mean_y) / np.sqrt(spread), 0.0)


def _long_run_variance(noise: Vector, bandwidth: int) -> float:
    noise = noise - np.mean(noise)
    covariances = [float(noise[lag:] @ noise[:len(noise) - lag]) / len(noise) for lag in range(bandwidth)]
    return covariances[0] + 2 * sum((1 - lag / bandwidth) * covariances[lag] for lag in range(1, bandwidth))
