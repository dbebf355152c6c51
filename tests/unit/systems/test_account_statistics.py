"""Statistics of gains, against sums written out by hand."""

import math
import statistics

import pandas as pd
import pytest

from trading.errors import DataError
from trading.systems.account_curve import AccountCurve, Frequency
from trading.systems.account_statistics import difference_of, sharpe_error, statistics_of

GAINS = [1.0, -2.0, 0.0, 3.0, -1.0]


def series(values: list[float], start: str = "2024-01-01") -> pd.Series:
    return pd.Series(values, index=pd.bdate_range(start, periods=len(values)))


def test_the_statistics_of_a_week() -> None:
    found = statistics_of(series(GAINS))
    yearly, risk = sum(GAINS) / 5 * 256, statistics.stdev(GAINS) * 16
    assert (found.periods, found.min, found.max, found.median) == (5, -2.0, 3.0, 0.0)
    assert found.ann_mean == pytest.approx(yearly)
    assert found.ann_std == pytest.approx(risk)
    assert found.sharpe == pytest.approx(yearly / risk)
    assert found.sharpe_error == pytest.approx(math.sqrt((1 + (found.sharpe / 16) ** 2 / 2) / 5) * 16)
    assert found.sortino == pytest.approx(yearly / (statistics.pstdev([-2.0, -1.0]) * 16))
    assert found.worst_drawdown == -2.0
    assert found.avg_drawdown == pytest.approx((0 - 2 - 2 - 0 - 1) / 5)
    assert found.time_in_drawdown == pytest.approx(3 / 5)
    assert (found.avg_gain, found.avg_loss) == (2.0, -1.5)
    assert found.gaintolossratio == pytest.approx(2 / 1.5)
    assert found.profitfactor == pytest.approx(4 / 3)
    assert found.hitrate == pytest.approx(2 / 4)  # a day without a gain is neither
    assert found.t_stat == pytest.approx(statistics.mean(GAINS) / (statistics.stdev(GAINS) / math.sqrt(5)))


def test_what_cannot_be_said_is_no_number() -> None:
    found = statistics_of(series([1.0, 1.0, 1.0]))
    assert math.isnan(found.sharpe)
    assert math.isnan(found.sortino)
    assert math.isnan(found.calmar)


def test_a_single_day_says_nothing() -> None:
    with pytest.raises(DataError, match="at least two periods with a gain; there are 1"):
        statistics_of(series([1.0]))


def test_gains_add_up_over_weeks_and_years() -> None:
    gains = series([1.0] * 300)
    curve = AccountCurve(gross=gains, costs=0 * gains, capital=100.0)
    assert curve.percent(Frequency.WEEKLY).iloc[0] == 5.0
    assert curve.percent(Frequency.ANNUAL).sum() == pytest.approx(300)
    assert curve.curve().iloc[-1] == pytest.approx(300)
    assert curve.drawdown().max() == 0


def test_the_error_of_a_sharpe_ratio_falls_with_the_root_of_time() -> None:
    assert sharpe_error(0.0, 400) == pytest.approx(0.05)
    assert sharpe_error(0.1, 100) / sharpe_error(0.1, 400) == pytest.approx(2)


def test_two_accounts_differ_by_a_paired_test() -> None:
    better, worse = series([2.0, -1.0, 1.0, 4.0]), series([1.0, -2.0, 0.5, 2.0])
    found = difference_of(better, worse)
    gaps = [1.0, 1.0, 0.5, 2.0]
    assert found.ann_mean == pytest.approx(statistics.mean(gaps) * 256)
    assert found.t_stat == pytest.approx(statistics.mean(gaps) / (statistics.stdev(gaps) / 2))
    with pytest.raises(DataError, match="0 periods in common"):
        difference_of(better, series([1.0, 2.0], "2030-01-01"))
