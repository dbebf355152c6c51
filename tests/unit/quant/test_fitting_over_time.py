"""Estimates that are made again each year see the past only, and give everybody a weight."""

import numpy as np
import pandas as pd
import pytest

from trading.quant.arrays import Vector
from trading.quant.correlation import CorrelationEstimator
from trading.quant.correlation_cleaning import CorrelationCleaning, filled
from trading.quant.diversification import diversification_multiplier
from trading.quant.estimates import Estimates
from trading.quant.executor import SerialExecutor
from trading.quant.fitting_periods import fitting_periods
from trading.quant.forecast_mapping import mapping_of_height
from trading.quant.methods import FittingDates
from trading.quant.moments import ExponentialMoments, weekly_changes
from trading.quant.portfolio_optimiser import PortfolioOptimiser
from trading.quant.returns import BadReturns, Missing
from trading.quant.weight_cleaning import cleaned_weights
from trading.quant.weights_over_time import weights_over_time

WEEKS = pd.date_range("2015-01-04", periods=260, freq="W")


def changes() -> pd.DataFrame:
    """Three instruments, the last of which begins in the third year."""
    table = pd.DataFrame(np.random.default_rng(8).normal(0.1, 1, (260, 3)), index=WEEKS, columns=["A", "B", "LATE"])
    table.loc[:"2017-06-01", "LATE"] = np.nan
    return table


def by_hand(estimates: Estimates, _changes: pd.DataFrame) -> Vector:
    return PortfolioOptimiser().handcrafted(estimates).as_vector()


def weights(table: pd.DataFrame, dates: FittingDates = FittingDates.EXPANDING) -> pd.DataFrame:
    return weights_over_time(table, fitting_periods(pd.DatetimeIndex(table.index), dates), by_hand, SerialExecutor())


def test_periods_follow_each_other_and_end_with_the_data() -> None:
    periods = fitting_periods(WEEKS)
    assert [period.start for period in periods[1:]] == [period.end for period in periods[:-1]]
    assert (periods[0].start, periods[-1].end) == (WEEKS[0], WEEKS[-1])
    assert [period.has_data for period in periods] == [False] + [True] * (len(periods) - 1)


@pytest.mark.parametrize("dates", [FittingDates.EXPANDING, FittingDates.ROLLING])
def test_no_fit_sees_the_period_that_it_is_for(dates: FittingDates) -> None:
    for period in fitting_periods(WEEKS, dates, roll_years=2):
        assert all(row < period.start for row in period.rows(changes()).index)


def test_a_rolling_window_forgets() -> None:
    last = fitting_periods(WEEKS, FittingDates.ROLLING, roll_years=2)[-1]
    assert (last.fit_end - last.fit_start).days == 730


def test_in_sample_sees_everything() -> None:
    period, = fitting_periods(WEEKS, FittingDates.IN_SAMPLE)
    assert len(period.rows(changes())) == len(WEEKS)


def test_a_history_of_less_than_two_years_has_nothing_to_fit_on() -> None:
    assert [period.has_data for period in fitting_periods(WEEKS[:60])] == [False]


def test_what_comes_later_changes_no_weight() -> None:
    # given the same past with another last year
    other = changes()
    other.loc["2019-01-01":] = 17 * other.loc["2019-01-01":].to_numpy()[::-1]

    # then all weights before it are the same
    pd.testing.assert_frame_equal(weights(changes()).loc[:"2019-01-01"], weights(other).loc[:"2019-01-01"])


def test_an_instrument_without_a_past_gets_half_an_equal_share() -> None:
    found = weights(changes())
    assert found.iloc[0].tolist() == pytest.approx([1 / 3] * 3)
    assert found.iloc[1].tolist() == pytest.approx([5 / 12, 5 / 12, 1 / 6])
    np.testing.assert_allclose(found.sum(axis=1), 1.0)


def test_weights_that_are_known_and_wanted_stay() -> None:
    assert cleaned_weights(np.array([0.3, 0.7]), np.array([True, True])).tolist() == [0.3, 0.7]


def test_nobody_wanted_gets_nothing() -> None:
    assert cleaned_weights(np.array([0.3, np.nan]), np.array([False, False])).tolist() == [0.0, 0.0]


def test_weeks_add_up_days_over_holidays() -> None:
    # given a fortnight of one a day, a holiday in it, and no day in the first week for the second instrument
    days = pd.DataFrame({"A": [1.0] * 3 + [np.nan] + [1.0] * 11, "B": [np.nan] * 5 + [2.0] * 10},
                        index=pd.bdate_range("2024-01-01", periods=15))

    # then a week is what its days come to; the first has nothing before it to differ from
    assert weekly_changes(days)["A"].tolist()[1:] == [5.0, 5.0]
    assert weekly_changes(days)["B"].tolist()[2:] == [10.0]
    assert weekly_changes(days).iloc[0].isna().all()


def test_a_year_of_weeks_makes_a_mean_and_a_volatility() -> None:
    moments = ExponentialMoments(span=1e12, periods_in_year=52)
    table = pd.DataFrame({"A": [0.01, 0.03, 0.01, 0.03, 0.02]})
    assert moments.mean(table)["A"] == pytest.approx(52 * 0.02, rel=1e-6)
    assert moments.volatility(table)["A"] == pytest.approx(np.sqrt(52) * 0.01, rel=1e-6)


def test_correlations_over_time_do_not_credit_what_is_unknown() -> None:
    estimator = CorrelationEstimator(missing=Missing.PAIRWISE, cleaning=CorrelationCleaning(repair=False))
    first, *_, last = estimator.estimate_over_time(changes(), fitting_periods(WEEKS))
    assert first.to_numpy()[0].tolist() == [1.0, 0.99, 0.99]
    assert abs(last.loc["A", "LATE"]) < 0.5


def test_pooling_a_table_with_itself_changes_nothing() -> None:
    table = changes().dropna()
    estimator = CorrelationEstimator(span=1e9)
    np.testing.assert_allclose(estimator.estimate_pooled([table, table]), estimator.estimate(table), atol=1e-6)


def test_a_pooled_past_ages_by_time() -> None:
    # given one pair that moves together but against each other in the last 15 weeks
    fast = np.random.default_rng(4).normal(size=260)
    slow = np.where(np.arange(260) < 245, fast, -fast)
    table = pd.DataFrame({"fast": fast, "slow": slow}, index=WEEKS)

    # then three copies have the same recent past as one
    alone = CorrelationEstimator(span=30).estimate(table)
    pooled = CorrelationEstimator(span=30).estimate_pooled([table] * 3)
    assert pooled.loc["fast", "slow"] == pytest.approx(alone.loc["fast", "slow"], abs=0.02)
    assert abs(alone.loc["fast", "slow"]) < 0.5


def test_tables_of_other_columns_are_not_pooled() -> None:
    with pytest.raises(BadReturns, match="all have the same columns"):
        CorrelationEstimator().estimate_pooled([changes(), changes()[["B", "A", "LATE"]]])


def test_an_unknown_pair_of_known_instruments_is_average() -> None:
    raw = np.array([[1, np.nan, 0.2], [np.nan, 1, 0.6], [0.2, 0.6, 1]])
    assert filled(raw, np.ones(3, dtype=bool), 0.99, 0.99)[0, 1] == pytest.approx(0.4)
    assert filled(raw, np.array([False, True, True]), 0.99, 0.99)[0, 1] == 0.99


@pytest.mark.parametrize(("correlation", "multiplier"), [(1.0, 1.0), (0.0, 2**0.5), (-1.0, 2.5), (np.nan, 1.0)])
def test_diversification_is_credited_as_far_as_it_is_known(correlation: float, multiplier: float) -> None:
    pair = np.array([[1.0, correlation], [correlation, 1.0]])
    assert diversification_multiplier(pair, np.array([0.5, 0.5])) == pytest.approx(multiplier)


def test_weak_forecasts_are_mapped_to_nothing() -> None:
    mapping = mapping_of_height(1.5)
    mapped = mapping.mapped(np.array([-40.0, -20.0, -13.0, 0.0, 13.0, 20.0, np.nan]))
    assert mapped.tolist() == pytest.approx([-30.0, -30.0, 0.0, 0.0, 0.0, 30.0, np.nan], nan_ok=True)


def test_a_height_that_leaves_no_room_is_refused() -> None:
    with pytest.raises(ValueError, match="puts the threshold at 24"):
        mapping_of_height(2.0)
