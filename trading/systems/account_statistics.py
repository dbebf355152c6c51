"""What a series of gains amounts to: mean, risk, Sharpe ratio with its error, drawdowns, hit rate. Pure.

Definitions: oracle README 06. Gains are in percent of a capital that stays what it is, so that they add up.
"""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from trading.errors import DataError
from trading.systems.account_curve import Frequency, drawdown_of


@dataclass(frozen=True, kw_only=True)
class AccountStatistics:
    """Of the gains of one series; percent a period, a year where it says so. NaN where nothing can be said."""

    periods: int
    min: float
    max: float
    median: float
    mean: float
    std: float
    skew: float
    ann_mean: float
    ann_std: float
    sharpe: float
    sharpe_error: float
    sortino: float
    avg_drawdown: float
    worst_drawdown: float
    time_in_drawdown: float
    calmar: float
    avg_return_to_drawdown: float
    avg_loss: float
    avg_gain: float
    gaintolossratio: float
    profitfactor: float
    hitrate: float
    t_stat: float
    p_value: float


def statistics_of(percent: pd.Series, frequency: Frequency = Frequency.DAILY) -> AccountStatistics:
    """Statistics of `percent`, the gains of each period; a missing gain counts as a period without one.

    Raises:
        DataError: fewer than two periods are known.
    """
    known = percent.dropna()
    if len(known) < 2:
        raise DataError(f"Statistics need at least two periods with a gain; there are {len(known)}. Look at a longer "
                        f"time, or at a shorter period than {frequency.name.lower()}.")
    losses, gains, drawdown = known[known < 0], known[known > 0], drawdown_of(percent).dropna()
    yearly, per_year = float(known.sum()) * frequency.per_year / len(percent), math.sqrt(frequency.per_year)
    risk, worst, typical = float(known.std()) * per_year, float(drawdown.min()), float(drawdown.mean())
    moves = bool(known.std() > 0)
    skew = float(stats.skew(known)) if moves else math.nan
    t_stat, p_value = stats.ttest_1samp(known, 0.0) if moves else (math.nan, math.nan)
    return AccountStatistics(
        periods=len(known), min=float(known.min()), max=float(known.max()), median=float(known.median()),
        mean=float(known.mean()), std=float(known.std()), skew=skew, ann_mean=yearly,
        ann_std=risk, sharpe=_ratio(yearly, risk),
        sharpe_error=sharpe_error(_ratio(yearly, risk) / per_year, len(known)) * per_year,
        sortino=_ratio(yearly, float(np.std(losses)) * per_year if len(losses) else 0.0),
        avg_drawdown=typical, worst_drawdown=worst, time_in_drawdown=float((drawdown < 0).mean()),
        calmar=_ratio(yearly, -worst), avg_return_to_drawdown=_ratio(yearly, -typical),
        avg_loss=float(losses.mean()), avg_gain=float(gains.mean()),
        gaintolossratio=_ratio(float(gains.mean()), -float(losses.mean())),
        profitfactor=_ratio(float(gains.sum()), -float(losses.sum())),
        hitrate=_ratio(len(gains), len(gains) + len(losses)), t_stat=float(t_stat), p_value=float(p_value))


def sharpe_error(sharpe: float, periods: int) -> float:
    """The standard error of a Sharpe ratio of independent gains, both of one period (Lo 2002)."""
    return math.sqrt((1 + sharpe ** 2 / 2) / periods)


@dataclass(frozen=True, kw_only=True)
class Difference:
    """How much better the first of two series was than the second: a paired t-test on the periods of both."""

    ann_mean: float
    t_stat: float
    p_value: float


def difference_of(first: pd.Series, second: pd.Series, frequency: Frequency = Frequency.DAILY) -> Difference:
    """Whether `first` gained more than `second`; both in percent a period.

    Raises:
        DataError: they have fewer than two periods in common.
    """
    both = pd.concat([first, second], axis=1, join="inner").dropna()
    if len(both) < 2:
        raise DataError(f"The two accounts have {len(both)} periods in common; at least two are needed.")
    gap = both.iloc[:, 0] - both.iloc[:, 1]
    t_stat, p_value = stats.ttest_1samp(gap, 0.0) if gap.std() > 0 else (math.nan, math.nan)
    return Difference(ann_mean=float(gap.mean()) * frequency.per_year, t_stat=float(t_stat), p_value=float(p_value))


def _ratio(value: float, by: float) -> float:
    return value / by if by else math.nan
