"""Inputs from which nothing, or only something else, can be estimated: each answered by name (quant.md 5)."""

import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from trading.errors import DataError
from trading.quant.correlation import CorrelationEstimator, CorrelationMethod
from trading.quant.covariance import CovarianceEstimator, CovarianceMethod
from trading.quant.portfolio_optimiser import PortfolioOptimiser, UnlikeVolatilities
from trading.quant.returns import BadReturns, Missing, SameReturns, usable_returns
from trading.quant.weight_bounds import InfeasibleBounds

Weigh = Callable[[PortfolioOptimiser, pd.DataFrame], object]
ALL: dict[str, Weigh] = {
    "minimum variance": PortfolioOptimiser.minimum_variance, "Sharpe ratio": PortfolioOptimiser.max_sharpe,
    "risk parity": PortfolioOptimiser.risk_parity, "hierarchical": PortfolioOptimiser.hierarchical,
    "mean-variance": lambda optimiser, returns: optimiser.mean_variance(returns, 1.0),
    "robust": PortfolioOptimiser.get_weights_using_robust_optimization,
    "shrinkage": PortfolioOptimiser.get_weights_using_shrinkage}


def returns(rows: int = 50, names: str = "ABC") -> pd.DataFrame:
    values = np.random.default_rng(7).standard_normal((rows, len(names))) * 0.01 + 0.001
    return pd.DataFrame(values, columns=list(names), index=pd.date_range("2024-01-01", periods=rows))


def with_values(name: str, value: float, rows: slice = slice(None)) -> pd.DataFrame:
    table = returns()
    table.iloc[rows, list(table.columns).index(name)] = value
    return table


def refusal(table: pd.DataFrame, missing: Missing = Missing.REFUSE, *, in_order: bool = False) -> str:
    with pytest.raises(BadReturns) as refused:
        usable_returns(table, missing, in_order=in_order)
    return str(refused.value)


@pytest.mark.parametrize("method", ALL)
@pytest.mark.parametrize("table", [with_values("B", np.nan), with_values("B", np.inf, slice(3, 4)),
                                   with_values("B", 0.01), with_values("B", np.nan, slice(3, 5))],
                         ids=["all missing", "infinite", "constant", "some missing"])
def test_every_method_refuses_and_names_the_instrument(method: str, table: pd.DataFrame) -> None:
    with pytest.raises(BadReturns, match=r"^B "):
        ALL[method](PortfolioOptimiser(), table)


def test_a_column_without_returns_is_refused() -> None:
    assert refusal(with_values("B", np.nan)) == "B has no returns at all. Leave it out."


def test_a_constant_column_is_refused() -> None:
    assert refusal(with_values("C", 0.1)) == "C has constant returns, so no risk can be measured. Leave it out."


def test_missing_returns_need_a_policy() -> None:
    assert refusal(with_values("A", np.nan, slice(0, 2))) == (
        "A lacks returns in some periods. Choose missing=DROP_ROWS or PAIRWISE, or fill them.")


def test_rows_with_holes_are_dropped_when_asked() -> None:
    assert len(usable_returns(with_values("A", np.nan, slice(0, 2)), Missing.DROP_ROWS)) == 48


def test_holes_that_leave_no_period_are_refused() -> None:
    table = returns()
    table.iloc[:25, 0], table.iloc[24:, 1] = np.nan, np.nan
    assert refusal(table, Missing.DROP_ROWS) == (
        "0 of 50 periods have a return of every instrument, at least 2 are needed (A, B lack some). Use a longer "
        "window or missing=PAIRWISE.")


def test_a_name_that_is_there_twice_is_refused() -> None:
    assert refusal(returns(names="ABA")) == "A is there more than once. Give each column its own name."


@pytest.mark.parametrize("rows", [0, 1])
def test_too_few_periods_are_refused(rows: int) -> None:
    assert refusal(returns(rows)).startswith(f"{rows} periods of returns were given, at least 2 are needed.")


def test_no_instruments_are_refused() -> None:
    assert "has no columns" in refusal(returns()[[]])


def test_time_must_ascend_where_the_newest_count_most() -> None:
    # given returns from the newest to the oldest
    backwards = returns()[::-1]

    # then an estimate that depends on the order refuses them, and one that does not answers as ever
    with pytest.raises(BadReturns, match="do not ascend"):
        CorrelationEstimator(method=CorrelationMethod.EXPONENTIAL).estimate(backwards)
    np.testing.assert_allclose(CovarianceEstimator().estimate(backwards), CovarianceEstimator().estimate(returns()))


def test_many_names_are_cut_short() -> None:
    table = pd.DataFrame(np.ones((9, 8)), columns=list("ABCDEFGH"))
    assert refusal(table).startswith("A, B, C, D, E (and 3 more) has constant returns")


def test_copies_are_allowed_with_a_warning() -> None:
    table = returns().assign(D=lambda frame: frame["A"])
    with pytest.warns(SameReturns, match="A and D have the same returns"):
        weights = PortfolioOptimiser().minimum_variance(table)
    assert sum(weights.values) == pytest.approx(1)


@pytest.mark.parametrize("method", [CovarianceMethod.SAMPLE, CovarianceMethod.MCD])
def test_more_instruments_than_periods_are_refused_by_estimates_that_cannot(method: CovarianceMethod) -> None:
    with pytest.raises(DataError, match=r"(3|4) periods are too few .* 4 instruments"):
        CovarianceEstimator(method=method).estimate(returns(4, "ABCD"))


@pytest.mark.parametrize("method", [CovarianceMethod.LEDOIT_WOLF, CovarianceMethod.OAS,
                                    CovarianceMethod.LEDOIT_WOLF_CORRELATION, CovarianceMethod.CONSTANT_CORRELATION])
def test_more_instruments_than_periods_are_allowed_where_something_is_shrunk(method: CovarianceMethod) -> None:
    estimator = CovarianceEstimator(method=method)
    found = PortfolioOptimiser(covariance=estimator).minimum_variance(returns(8, "ABCDEFGHIJKL"))
    assert sum(found.values) == pytest.approx(1)


def test_the_determinant_of_a_plane_is_refused() -> None:
    table = returns(40, "AB").assign(C=lambda frame: frame["A"] + frame["B"])
    with pytest.raises(DataError, match="lie in a plane"):
        CovarianceEstimator(method=CovarianceMethod.MCD).estimate(table)


@pytest.mark.parametrize("method", ["minimum variance", "hierarchical", "risk parity", "shrinkage"])
def test_one_instrument_gets_everything(method: str) -> None:
    weights = ALL[method](PortfolioOptimiser(), returns(names="A"))
    assert getattr(weights, "values") == (1.0,)  # noqa: B009 - ALL does not say what it returns


def test_one_instrument_under_a_cap_is_refused() -> None:
    with pytest.raises(InfeasibleBounds):
        PortfolioOptimiser(upper=0.5).minimum_variance(returns(names="A"))


@pytest.mark.parametrize("method", ["minimum variance", "Sharpe ratio", "risk parity", "hierarchical", "shrinkage"])
@pytest.mark.parametrize("scale", [1e-9, 1e6])
def test_answers_are_free_of_scale(method: str, scale: float) -> None:
    plain, scaled = (ALL[method](PortfolioOptimiser(), returns() * factor) for factor in (1.0, scale))
    assert getattr(scaled, "values") == pytest.approx(getattr(plain, "values"), abs=1e-8)  # noqa: B009 - as above


def test_volatilities_too_unlike_are_refused_by_what_solves() -> None:
    table = returns()
    table["C"] *= 1e6
    with pytest.raises(UnlikeVolatilities, match=r"^C moves \d+ times as much as [AB], at most 10000 is allowed."):
        PortfolioOptimiser().minimum_variance(table)


def test_infeasible_bounds_are_refused_before_anything_is_estimated() -> None:
    # given returns that nobody could use, and a cap that three instruments cannot meet
    unusable = with_values("B", np.nan)

    # then the bounds are what is said
    for weigh in ALL.values():
        with pytest.raises(InfeasibleBounds) as refused:
            weigh(PortfolioOptimiser(upper=0.3), unusable)
        assert str(refused.value) == (
            "The upper bounds of 3 weights sum to 0.9 (lower to 0, upper to 0.9), but the weights must sum to 1. Raise "
            "them, or change the number of instruments.")


def test_ten_weights_of_a_tenth_are_worth_one() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        weights = PortfolioOptimiser(upper=0.1).minimum_variance(returns(names="ABCDEFGHIJ"))
    assert weights.values == pytest.approx((0.1,) * 10)


def test_pairwise_covariances_need_the_sample() -> None:
    estimator = CovarianceEstimator(missing=Missing.PAIRWISE)
    with pytest.raises(BadReturns, match="cannot be estimated pair by pair"):
        estimator.estimate(returns())
