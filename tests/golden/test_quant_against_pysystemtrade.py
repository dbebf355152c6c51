"""Estimates, weights, whole contracts and mappings against what pysystemtrade computed from the same inputs.

Needs the reference numbers beside the checkout; test_quant_against_sums.py checks the same code on sums of our own.
Tolerances are those of the oracle's README: 1e-7 for estimates, 1e-6 for handcrafting, 2e-3 for weights that it found
by a search that stops early, of which ours may be better but never worse. Where its numbers follow from a shortcut,
the convention of its name is asked for.
"""

import json
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from oracle import PEER, found, found_in, needs_numbers

from trading.conventions import PYSYSTEMTRADE
from trading.quant.arrays import Matrix, Vector
from trading.quant.correlation import CorrelationEstimator, CorrelationMethod
from trading.quant.correlation_cleaning import CorrelationCleaning, filled
from trading.quant.diversification import average_correlation, diversification_multiplier
from trading.quant.dynamic_positions import DynamicInputs, TradingSpeed, dynamic_positions
from trading.quant.estimates import Estimates, EstimateSettings
from trading.quant.executor import SerialExecutor
from trading.quant.fitting_periods import fitting_periods
from trading.quant.forecast_mapping import mapping_of_height
from trading.quant.handcrafting import handcraft, two_clusters
from trading.quant.methods import FittingDates
from trading.quant.moments import ExponentialMoments, weekly_changes
from trading.quant.portfolio_optimiser import PortfolioOptimiser
from trading.quant.returns import Missing
from trading.quant.sharpe_adjustment import adjusted_for_sharpe, sharpe_multiplier
from trading.quant.sharpe_ratio import sharpe_ratio
from trading.quant.weight_cleaning import cleaned_weights
from trading.quant.weights_over_time import weights_over_time
from trading.systems.buffered_path import TradeTo, buffered_path

pytestmark = needs_numbers
Case = dict[str, Any]
PARITY = PYSYSTEMTRADE
FOLDER, DYNAMIC, BUFFERS = PEER / "08_estimators", PEER / "10_dynopt", PEER / "13_buffers"
FILE = FOLDER / "estimators.json"
THEIRS: Case = json.loads(FILE.read_text()) if FILE.is_file() else {}
SINGLE = ("corr_expw_250_clean_floor", "corr_expw_250_nofloor", "corr_expw_clip_shrink", "corr_plain")
estimators_found = pytest.mark.skipif(not THEIRS, reason="the directory has no 08_estimators")


def each(*keys: str) -> Any:
    return pytest.mark.parametrize("case", found_in(FILE, *keys))


# --- inputs -----------------------------------------------------------------------------------------------------------

@cache
def weekly() -> pd.DataFrame:
    return pd.read_csv(FOLDER / "weekly_returns_as_peer_resamples.csv.gz", index_col=0, parse_dates=True).astype(float)


@cache
def daily() -> pd.DataFrame:
    return pd.read_csv(FOLDER / "daily_gross_subsystem_returns.csv.gz", index_col=0, parse_dates=True).astype(float)


def fitted(columns: list[str]) -> pd.DataFrame:
    """The weeks that the last of the expanding periods may see."""
    return fitting_periods(pd.DatetimeIndex(weekly().index))[-1].rows(weekly()[columns])


def estimator(params: Case) -> CorrelationEstimator:
    cleaning = CorrelationCleaning(
        fill=params["cleaning"], unknown=params.get("offdiag", 0.99), floor=0.0 if params["floor_at_zero"] else None,
        clip=params.get("clip"), shrinkage=params.get("shrinkage_parameter", 0.0), repair=False, conventions=PARITY)
    method = CorrelationMethod.EXPONENTIAL if params["using_exponent"] else CorrelationMethod.SAMPLE
    return CorrelationEstimator(method=method, missing=Missing.PAIRWISE, span=params.get("ew_lookback", 250),
                                min_periods=params.get("min_periods", 2), cleaning=cleaning)


@cache
def last_estimates() -> Estimates:
    return EstimateSettings().estimate(fitted(list(THEIRS["corr_est_for_weights"]["columns"])))


def matrix(case: Case) -> Matrix:
    return np.array(case["values"], dtype=float)


# --- estimates --------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("dates", [pytest.param(dates, id=f"fit_dates_{dates}") for dates in FittingDates
                                   if f"fit_dates_{dates}" in THEIRS])
def test_fitting_periods_equal_the_oracle(dates: FittingDates) -> None:
    ours = fitting_periods(pd.DatetimeIndex(weekly().index), dates)
    theirs = THEIRS[f"fit_dates_{dates}"]
    assert [(str(period.fit_start), str(period.start), str(period.end), not period.has_data) for period in ours] == [
        (case["fit_start"], case["period_start"], case["period_end"], case["no_data"]) for case in theirs]
    if dates is not FittingDates.IN_SAMPLE:
        assert [str(period.fit_end) for period in ours] == [case["fit_end"] for case in theirs]


@pytest.mark.parametrize("name", [name for name in SINGLE if name in THEIRS])
def test_correlations_equal_the_oracle(name: str) -> None:
    case = THEIRS[name]
    rows = weekly()[case["columns"]]
    rows = rows[(rows.index >= case["fit_start"]) & (rows.index < case["fit_end"])]
    np.testing.assert_allclose(estimator(case["params"]).estimate(rows), matrix(case), rtol=1e-7, atol=1e-9)


@cache
def over_time() -> dict[pd.Timestamp, pd.DataFrame]:
    changes = weekly_changes(daily())
    periods = fitting_periods(pd.DatetimeIndex(changes.index))
    found = estimator(THEIRS["corr_IDM_params"]).estimate_over_time(changes, periods)
    return {period.start: correlation for period, correlation in zip(periods, found, strict=True)}


@each("corr_IDM")
def test_correlations_over_time_equal_the_oracle(case: Case) -> None:
    ours = over_time()[pd.Timestamp(case["period_start"])].loc[case["columns"], case["columns"]]
    np.testing.assert_allclose(ours, matrix(case), rtol=1e-7, atol=1e-9, equal_nan=True)


@estimators_found
def test_the_multiplier_over_time_equals_the_oracle() -> None:
    expected = pd.read_csv(FOLDER / "idm_equal_weights.csv.gz", index_col=0, parse_dates=True)["idm"]
    multipliers = pd.Series({start: diversification_multiplier(table.to_numpy(), np.full(len(table), 1 / len(table)))
                             for start, table in over_time().items()})
    days = multipliers.reindex(multipliers.index.union(expected.index)).ffill().reindex(expected.index)
    smoothed = days.ewm(span=125).mean()
    np.testing.assert_allclose(smoothed, expected, rtol=1e-7)
    assert smoothed.iloc[-1] == pytest.approx(THEIRS["idm_last"], rel=1e-7)


@estimators_found
@pytest.mark.parametrize("name", ["mean", "stdev"])
def test_moments_equal_the_oracle(name: str) -> None:
    case = THEIRS[f"{name}_est"]
    moments = ExponentialMoments(span=case["params"]["ew_lookback"], min_periods=case["params"]["min_periods"])
    changes = fitted(list(case["values"]))
    ours = moments.mean(changes) if name == "mean" else moments.volatility(changes)
    assert ours.to_dict() == pytest.approx(case["values"], rel=1e-7)


@estimators_found
def test_estimates_for_weights_equal_the_oracle() -> None:
    ours = last_estimates()
    np.testing.assert_allclose(ours.correlation, matrix(THEIRS["corr_est_for_weights"]), rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(ours.covariance, matrix(THEIRS["covariance"]), rtol=1e-7, atol=1e-3)
    assert average_correlation(ours.correlation) == pytest.approx(THEIRS["average_corr"], rel=1e-7)
    assert len(fitted(list(ours.names))) == THEIRS["data_length_weeks"]


@estimators_found
def test_two_clusters_equal_the_oracle() -> None:
    ours = last_estimates()
    groups = [sorted(ours.names[place] for place in group) for group in two_clusters(ours.correlation)]
    assert sorted(groups) == sorted(sorted(group) for group in THEIRS["clusters"])


@estimators_found
def test_the_multiplier_of_equal_weights_equals_the_oracle() -> None:
    ours = last_estimates()
    equal = np.full(len(ours.names), 1 / len(ours.names))
    found = diversification_multiplier(ours.correlation, equal)
    assert found == pytest.approx(THEIRS["div_mult_single_equal"], rel=1e-7)


@each("clean_correlation")
def test_unknown_correlations_are_filled_as_by_the_oracle(case: Case) -> None:
    raw = np.array([[1, np.nan, 0.5], [np.nan, 1, 0.75], [0.5, 0.75, 1]])
    np.testing.assert_allclose(filled(raw, np.array(case["must"]), 0.99, 0.99), case["result"], rtol=1e-12)


# --- weights ----------------------------------------------------------------------------------------------------------

@each("clean_list_of_weights")
def test_weights_are_cleaned_as_by_the_oracle(case: Case) -> None:
    ours = cleaned_weights(np.array(case["weights"], dtype=float), np.array(case["must"]), case["fraction"])
    np.testing.assert_allclose(ours, case["result"], rtol=0, atol=1e-12)


@each("mini_bootstrap_ratio")
def test_multipliers_for_sharpe_ratios_equal_the_oracle(case: Case) -> None:
    ours = sharpe_multiplier(case["SR_diff"], case["avg_corr"], case["years"], PARITY)
    assert ours == pytest.approx(case["ratio"], abs=1e-6)


@each("adjust_weights_for_SR")
def test_weights_are_adjusted_for_sharpe_ratios_as_by_the_oracle(case: Case) -> None:
    ours = adjusted_for_sharpe(np.array(case["weights"]), np.array(case["SR"]), case["avg_corr"], case["years"], PARITY)
    np.testing.assert_allclose(ours, case["result"], rtol=0, atol=1e-6)


def prepared(params: Case) -> Estimates:
    ours = last_estimates()
    ours = ours.with_equal_volatility() if params.get("equalise_vols") else ours
    ours = ours.with_equal_sharpe(params.get("ann_target_SR", 0.5)) if params.get("equalise_SR") else ours
    return ours.shrunk(params["shrinkage_SR"], params["shrinkage_corr"]) if "shrinkage_SR" in params else ours


def in_order(weights: dict[str, float]) -> Vector:
    return np.array([weights[name] for name in last_estimates().names])


@pytest.mark.parametrize(("name", "case"), [
    pytest.param(name, case, id=name) for name, case in THEIRS.get("optimiser_single_period", {}).items()])
def test_weights_of_one_period_equal_the_oracle(name: str, case: Case) -> None:
    ours, theirs = prepared(case["params"]), in_order(case["weights"])
    optimiser = PortfolioOptimiser(conventions=PARITY)
    if name.startswith("equal"):
        np.testing.assert_allclose(optimiser.equal(ours.names).as_vector(), theirs, rtol=0, atol=1e-12)
    elif name == "handcraft_eqSR":
        np.testing.assert_allclose(handcraft(ours.correlation).unscaled, theirs, rtol=0, atol=1e-6)
        np.testing.assert_allclose(optimiser.handcrafted(ours).as_vector(), theirs / case["sum"], rtol=0, atol=1e-6)
    elif name.startswith("handcraft"):
        np.testing.assert_allclose(optimiser.handcrafted_with_sharpe(ours).as_vector(), theirs, rtol=0, atol=1e-6)
    else:
        found = optimiser.one_period(ours).as_vector()
        np.testing.assert_allclose(found, theirs, rtol=0, atol=2e-3)
        ratio = sharpe_ratio(found, ours.mean, ours.covariance)
        assert ratio >= sharpe_ratio(theirs, ours.mean, ours.covariance) * (1 - 1e-9)


def by_hand(estimates: Estimates, _changes: pd.DataFrame) -> Vector:
    return handcraft(estimates.correlation).unscaled


def shrunk(estimates: Estimates, _changes: pd.DataFrame) -> Vector:
    return PortfolioOptimiser().shrunk_one_period(estimates.with_equal_volatility().with_equal_sharpe()).as_vector()


def one_period(estimates: Estimates, _changes: pd.DataFrame) -> Vector:
    return PortfolioOptimiser().one_period(estimates.with_equal_volatility().with_equal_sharpe()).as_vector()


WEIGH = {"weights_over_time_handcraft": (by_hand, 1e-6), "weights_over_time_shrinkage": (shrunk, 2e-3),
         "weights_over_time_one_period": (one_period, 2e-3)}


@pytest.mark.parametrize("file", found(FOLDER, "weights_over_time_*.csv.gz"))
def test_weights_over_time_equal_the_oracle(file: Any) -> None:
    expected = pd.read_csv(file, index_col=0, parse_dates=True)
    weigh, tolerance = WEIGH[file.name.partition(".")[0]]
    changes = weekly()[list(expected.columns)]
    ours = weights_over_time(changes, fitting_periods(pd.DatetimeIndex(changes.index)), weigh, SerialExecutor())
    assert list(ours.index) == list(expected.index)
    np.testing.assert_allclose(ours, expected, rtol=0, atol=tolerance)


# --- whole contracts --------------------------------------------------------------------------------------------------

def inputs_of(case: Case, theirs: dict[str, float], overrides: Case) -> DynamicInputs:
    """The case in the order in which its answer lists the instruments, which is the order of its search."""
    names, columns = tuple(theirs), case["covariance"]["columns"]
    places = [columns.index(name) for name in names]
    limits, restricted = overrides.get("maxp"), overrides.get("cons") or {}
    prior = overrides.get("prior", True) and case.get("previous_positions")
    return DynamicInputs(
        names=names, optimal=ordered(case["contracts_optimal"], names), cost=ordered(case["costs"], names),
        value=ordered(case["per_contract_value"], names), covariance=matrix(case["covariance"])[np.ix_(places, places)],
        held=ordered(case["previous_positions"], names).astype(np.int64) if prior else None,
        maximum=ordered(limits, names) if limits else None,
        reduce_only=frozenset(restricted.get("reduce_only_keys") or case.get("reduce_only") or ()),
        no_trade=frozenset(restricted.get("no_trade_keys") or ()))


def ordered(values: dict[str, float | None], names: tuple[str, ...]) -> Vector:
    return np.array([values[name] for name in names], dtype=float)


def check_contracts(case: Case, answer: Case, overrides: Case) -> None:
    control, theirs = case["speed_control"], answer["result_float_contracts"]
    speed = TradingSpeed(shadow_cost=overrides.get("shadow", control["trade_shadow_cost"]),
                         buffer=overrides.get("buf", control["tracking_error_buffer"]), conventions=PARITY)
    found = dynamic_positions(inputs_of(case, theirs, overrides), speed)
    assert found.contracts.tolist() == [round(lots) for lots in theirs.values()]


@pytest.mark.parametrize("case", found_in(DYNAMIC / "real_cases.json", "cases"))
def test_contracts_of_real_days_equal_the_oracle(case: Case) -> None:
    check_contracts(case, case, {})


@pytest.mark.parametrize("case", found_in(DYNAMIC / "synthetic_cases.json", "cases"))
def test_contracts_of_synthetic_days_equal_the_oracle(case: Case) -> None:
    check_contracts(case["inputs"], case, {"prior": case["prior"]})


@pytest.mark.parametrize("case", found_in(DYNAMIC / "constraint_cases.json", "cases"))
def test_contracts_under_limits_equal_the_oracle(case: Case) -> None:
    base = json.loads((DYNAMIC / "constraint_cases.json").read_text())["base_case"]
    assert case["base_date"] == base["date"]
    check_contracts(base, case, case["overrides"])


# --- buffers and mappings ---------------------------------------------------------------------------------------------

@pytest.mark.parametrize("case", found_in(BUFFERS / "cases.json", "single_period"))
def test_one_day_in_a_buffer_equals_the_oracle(case: Case) -> None:
    last = case["last"]
    optimal, lower, upper = (pd.Series([last, case[name]], dtype="float64") for name in ("optimal", "bot", "top"))
    path = buffered_path(optimal, lower, upper, TradeTo.EDGE if case["trade_to_edge"] else TradeTo.OPTIMUM)
    assert path.iloc[-1] == pytest.approx(case["result"], rel=1e-12)


@pytest.mark.parametrize("case", found_in(BUFFERS / "forecast_mapping.json"))
def test_mapped_forecasts_equal_the_oracle(case: Case) -> None:
    mapping, params = mapping_of_height(case["a"], case["params"]["capped_value"]), case["params"]
    assert (mapping.threshold, mapping.slope) == pytest.approx((params["threshold"], params["b_param"]), rel=1e-9)
    np.testing.assert_allclose(mapping.mapped(np.array(case["x"])), case["y"], rtol=1e-9, atol=1e-12)
