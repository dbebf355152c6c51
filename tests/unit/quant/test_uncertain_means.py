"""How far a mean may be off, against figures of printed tables; and how little a good ratio proves."""

import numpy as np
import pytest

from trading.errors import DataError
from trading.quant.sharpe_adjustment import adjusted_for_sharpe, sharpe_multiplier
from trading.quant.uncertain_means import EllipsoidShape, Radius, box, ellipsoid_radius, ellipsoid_shape

COVARIANCE = np.array([[4.0, 1.0], [1.0, 9.0]])


def test_a_box_is_so_many_standard_errors_wide() -> None:
    assert box(COVARIANCE, 100, 0.95).tolist() == pytest.approx([1.959964 * 0.2, 1.959964 * 0.3], rel=1e-6)


def test_intervals_that_hold_together_are_wider() -> None:
    assert box(COVARIANCE, 100, 0.90, joint=True).tolist() == pytest.approx(box(COVARIANCE, 100, 0.95).tolist())


def test_an_ellipsoid_is_as_large_as_the_tables_say() -> None:
    assert ellipsoid_radius(0.95, 3, 100) ** 2 == pytest.approx(7.814728, rel=1e-6)  # chi-squared
    # F of 2 and 10 is 4.102821; 2 * 11 / 10 of it for twelve periods of two instruments
    assert ellipsoid_radius(0.95, 2, 12, Radius.HOTELLING) ** 2 == pytest.approx(2.2 * 4.102821, rel=1e-6)


def test_the_axes_of_an_ellipsoid() -> None:
    assert ellipsoid_shape(COVARIANCE, 100).tolist() == [[0.04, 0.0], [0.0, 0.09]]
    assert ellipsoid_shape(COVARIANCE, 100, EllipsoidShape.FULL).tolist() == [[0.04, 0.01], [0.01, 0.09]]


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95.0])
def test_a_confidence_in_percent_is_refused(confidence: float) -> None:
    with pytest.raises(DataError, match=r"Write 0\.95 for 95 %"):
        box(COVARIANCE, 100, confidence)


def test_too_few_periods_for_hotelling_are_refused() -> None:
    with pytest.raises(DataError, match="needs more periods than instruments"):
        ellipsoid_radius(0.95, 3, 3, Radius.HOTELLING)


def test_a_better_ratio_never_costs_weight() -> None:
    # given little data and no correlation, where the four answers average below one although the ratio is better
    assert sharpe_multiplier(0.1, 0.0, 5) == 1.0


def test_the_same_ratios_change_nothing() -> None:
    weights = np.array([0.2, 0.3, 0.5])
    assert adjusted_for_sharpe(weights, np.full(3, 0.7), 0.4, 10).tolist() == pytest.approx(weights.tolist())


def test_more_years_prove_more() -> None:
    assert 1 < sharpe_multiplier(0.3, 0.5, 5) < sharpe_multiplier(0.3, 0.5, 50) <= 2
