"""The test for a break of correlation cries wolf as often as it says, and sees a wolf when there is one."""

import numpy as np
import pandas as pd
import pytest

from trading.errors import DataError
from trading.quant.correlation import CorrelationEstimator
from trading.quant.correlation_break import CorrelationBreak, correlation_break, holm


def pair(seed: int, before: float, after: float, periods: int = 500) -> np.ndarray:
    """Two series with fat tails whose correlation changes in the middle."""
    random = np.random.default_rng([1, seed])
    first, second = random.standard_t(6, (2, periods))
    share = np.where(np.arange(periods) < periods // 2, before, after)
    return np.array([first, share * first + np.sqrt(1 - share**2) * second])


def alarms(before: float, after: float, series: int) -> float:
    return float(np.mean([correlation_break(*pair(seed, before, after)).p_value < 0.05 for seed in range(series)]))


def test_false_alarms_are_as_rare_as_the_test_says() -> None:
    assert 0.02 <= alarms(0.4, 0.4, 600) <= 0.08  # six standard errors of 600 series around 5 %


def test_a_true_break_is_seen() -> None:
    assert alarms(0.1, 0.7, 100) > 0.9


def test_the_place_of_a_break_is_near_the_true_one() -> None:
    places = [correlation_break(*pair(seed, 0.0, 0.8)).break_after for seed in range(50)]
    assert abs(np.median(places) - 250) < 25


def test_many_pairs_raise_no_more_alarms_than_one() -> None:
    # given panels of five independent series, ten pairs each, in which nothing changes
    def panel(seed: int) -> pd.DataFrame:
        return pd.DataFrame(np.random.default_rng([2, seed]).standard_normal((300, 5)), columns=list("ABCDE"))

    # then hardly one in twenty is alarmed at all
    alarmed = [bool(CorrelationEstimator().detect_correlation_regime_changes(panel(seed))) for seed in range(150)]
    assert np.mean(alarmed) <= 0.1


def test_the_pair_that_changed_is_named() -> None:
    changed = pd.DataFrame(pair(3, -0.2, 0.8, 800).T, columns=["GOLD", "SILVER"])
    changed["CORN"] = np.random.default_rng(5).standard_normal(800)
    assert set(CorrelationEstimator().detect_correlation_regime_changes(changed)) == {("GOLD", "SILVER")}


def test_holm_multiplies_the_smallest_most() -> None:
    def with_p(p_value: float) -> CorrelationBreak:
        return CorrelationBreak(periods=100, correlation=0.0, long_run_variance=1.0, bandwidth=4, statistic=1.0,
                                p_value=p_value, break_after=50)

    assert [test.p_value for test in holm([with_p(p) for p in (0.04, 0.01, 0.03)])] == pytest.approx([0.06, 0.03, 0.06])


@pytest.mark.parametrize(("series", "said"), [
    ((np.arange(7.0), np.arange(7.0)), "at least 8"), ((np.arange(20.0), np.ones(20)), "The second series is constant"),
    ((np.full(20, np.nan), np.arange(20.0)), "The first series has missing")])
def test_series_that_cannot_be_tested_are_refused(series: tuple[np.ndarray, np.ndarray], said: str) -> None:
    with pytest.raises(DataError, match=said):
        correlation_break(*series)
