"""Weights, covariances and tests for breaks against independent numbers, each of them certified or cross-checked.

Needs the reference numbers beside the checkout; test_quant_against_sums.py checks the same code on sums of our own.
Each case brings its own tolerance. Two of the panels are price differences, badly scaled on purpose, so the limit on
unlike volatilities is lifted here.
"""

import json
import math
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from oracle import QUANT, found_in, needs_numbers

from trading.conventions import PYSYSTEMTRADE
from trading.quant.bootstrap import bootstrapped_weights
from trading.quant.correlation_break import correlation_break
from trading.quant.covariance import CovarianceEstimator, CovarianceMethod
from trading.quant.diversification import diversification_multiplier
from trading.quant.dynamic_positions import DynamicInputs, TradingSpeed, dynamic_positions
from trading.quant.executor import SerialExecutor
from trading.quant.exponential import exponential_correlation
from trading.quant.handcrafting import handcraft, handcraft_with_sharpe
from trading.quant.hierarchical_risk_parity import leaf_order
from trading.quant.mean_break import mean_break
from trading.quant.portfolio_optimiser import PortfolioOptimiser, Uncertainty, UncertaintySet
from trading.quant.robust_covariance import compact_subset, minimum_covariance_determinant
from trading.quant.sharpe_adjustment import sharpe_multiplier
from trading.quant.sharpe_ratio import sharpe_ratio
from trading.quant.shrinkage import (
    chen_intensity,
    ledoit_wolf_constant_correlation,
    ledoit_wolf_correlation,
    ledoit_wolf_identity,
    oracle_approximating,
)
from trading.quant.uncertain_means import EllipsoidShape, Radius, box, ellipsoid_radius, ellipsoid_shape
from trading.quant.weight_bounds import bounds_for

pytestmark = needs_numbers
Case = dict[str, Any]
PARITY = PYSYSTEMTRADE


@cache
def table(name: str) -> pd.DataFrame:
    frame = pd.read_csv(QUANT / name)
    return frame.set_index("date") if "date" in frame else frame


def returns_of(case: Case) -> pd.DataFrame:
    return table(case["input"])


def cases(name: str, *keys: str) -> Any:
    """A parameter for each case of a file, named by the id that the case has."""
    found = found_in(QUANT / f"{name}.json", *keys)
    return pytest.mark.parametrize("case", [pytest.param(*each.values, id=named(name, each)) for each in found])


def named(name: str, param: Any) -> str:
    case = param.values[0]
    return f"{name}/{case['id']}" if "id" in case else str(param.id)


def optimiser(case: Case, shrinkage: float = 0.0) -> PortfolioOptimiser:
    names = returns_of(case).columns
    return PortfolioOptimiser(
        lower=dict(zip(names, case["lower"], strict=True)) if "lower" in case else 0.0,
        upper=dict(zip(names, case["upper"], strict=True)) if "upper" in case else 1.0,
        covariance=CovarianceEstimator(method=CovarianceMethod.SAMPLE, shrinkage=shrinkage), widest_spread=math.inf)


def variance(weights: np.ndarray, returns: pd.DataFrame, shrinkage: float = 0.0) -> float:
    sample = np.cov(returns.to_numpy().T)
    shrunk = (1 - shrinkage) * sample + shrinkage * np.trace(sample) / len(sample) * np.eye(len(sample))
    return float(weights @ shrunk @ weights)


@cases("min_variance")
def test_minimum_variance_equals_the_certified_weights(case: Case) -> None:
    weights = optimiser(case, shrinkage=case["shrinkage"]).minimum_variance(returns_of(case)).as_vector()
    np.testing.assert_allclose(weights, case["weights"], rtol=0, atol=case["tol_weights"])
    assert variance(weights, returns_of(case), case["shrinkage"]) == pytest.approx(
        case["variance"], rel=case["tol_rel_variance"])


@cases("mean_variance")
def test_mean_variance_equals_the_certified_weights(case: Case) -> None:
    returns, aversion = returns_of(case), case["risk_aversion"]
    weights = optimiser(case).mean_variance(returns, aversion).as_vector()
    np.testing.assert_allclose(weights, case["weights"], rtol=0, atol=case["tol_weights"])
    utility = float(returns.mean().to_numpy() @ weights) - aversion / 2 * variance(weights, returns)
    assert utility == pytest.approx(case["utility"], abs=case["tol_utility_abs"], rel=0)


@cases("max_sharpe")
def test_the_highest_sharpe_ratio_equals_the_oracle(case: Case) -> None:
    returns = returns_of(case)
    weights = optimiser(case).max_sharpe(returns).as_vector()
    np.testing.assert_allclose(weights, case["weights"], rtol=0, atol=case["tol_weights"])
    assert sharpe_ratio(weights, returns.mean().to_numpy(), np.cov(returns.to_numpy().T)) == pytest.approx(
        case["sharpe_per_period"], rel=case["tol_rel_sharpe"])


@cases("robust_ellipsoidal")
def test_ellipsoidal_uncertainty_equals_the_oracle(case: Case) -> None:
    returns, shape = returns_of(case), EllipsoidShape["DIAGONAL" if case["shape"] == "diag" else "FULL"]
    uncertainty = Uncertainty(confidence=case["confidence"], shape=shape, radius=Radius[case["radius"].upper()])
    weights = optimiser(case).robust(returns, case["risk_aversion"], uncertainty).as_vector()
    radius = ellipsoid_radius(case["confidence"], returns.shape[1], len(returns), uncertainty.radius)
    assert radius == pytest.approx(case["kappa"], rel=1e-10)
    doubt = ellipsoid_shape(np.cov(returns.to_numpy().T), len(returns), shape)
    utility = (float(returns.mean().to_numpy() @ weights) - radius * float(np.sqrt(weights @ doubt @ weights))
               - case["risk_aversion"] / 2 * variance(weights, returns))
    np.testing.assert_allclose(weights, case["weights"], rtol=0, atol=case["tol_weights"])
    assert utility == pytest.approx(case["robust_utility"], rel=case["tol_rel_objective"])


@cases("robust_box")
def test_box_uncertainty_equals_the_oracle(case: Case) -> None:
    returns = returns_of(case)
    uncertainty = Uncertainty(set=UncertaintySet.BOX, confidence=case["confidence"], joint=case["joint"])
    weights = optimiser(case).robust(returns, case["risk_aversion"], uncertainty).as_vector()
    widths = box(np.cov(returns.to_numpy().T), len(returns), case["confidence"], joint=case["joint"])
    utility = (float(returns.mean().to_numpy() @ weights - widths @ np.abs(weights))
               - case["risk_aversion"] / 2 * variance(weights, returns))
    np.testing.assert_allclose(widths, case["delta"], rtol=1e-10)
    np.testing.assert_allclose(weights, case["weights"], rtol=0, atol=case["tol_weights"])
    assert utility == pytest.approx(case["robust_utility"], rel=case["tol_rel_objective"])


@cases("risk_parity_hrp")
def test_shares_of_risk_equal_the_oracle(case: Case) -> None:
    returns, ours = returns_of(case), optimiser(case)
    if case["method"] == "risk_budgeting":
        budget = case["budget"] and dict(zip(returns.columns, case["budget"], strict=True))
        weights = ours.risk_parity(returns, budget)
    elif case["method"] == "hrp":
        weights = ours.hierarchical(returns)
        assert leaf_order(np.cov(returns.to_numpy().T)) == case["leaf_order"]
    else:
        assert case["method"] == "inverse_volatility"
        weights = ours.inverse_volatility(returns)
    np.testing.assert_allclose(weights.as_vector(), case["weights"], rtol=0, atol=case["tol_weights"])


@cases("shrinkage_estimators")
def test_shrinkage_equals_the_oracle(case: Case) -> None:
    values = returns_of(case).to_numpy()
    found = {"lw_identity_delta": ledoit_wolf_identity(values).intensity,
             "lw_constcorr_delta": ledoit_wolf_constant_correlation(values).intensity,
             "oas_sklearn": oracle_approximating(values).intensity, "oas_paper": chen_intensity(values),
             "lw_corr_identity_delta": ledoit_wolf_correlation(values).intensity}
    for name, intensity in found.items():
        assert intensity == pytest.approx(case[name], abs=case["tol_abs_delta"], rel=0), name


@cases("shrinkage_estimators")
def test_shrunk_matrices_equal_the_oracle(case: Case) -> None:
    returns = returns_of(case)
    by_method = {"lw_identity_cov": CovarianceMethod.LEDOIT_WOLF, "oas_cov": CovarianceMethod.OAS,
                 "lw_constcorr_cov": CovarianceMethod.CONSTANT_CORRELATION}
    for name, method in by_method.items():
        if case[name] is not None:
            found = CovarianceEstimator(method=method).estimate(returns)
            np.testing.assert_allclose(found, case[name], rtol=case["tol_rel_matrix"], err_msg=name)
    shrunk = ledoit_wolf_correlation(returns.to_numpy()).covariance
    np.testing.assert_allclose(shrunk, case["lw_corr"], rtol=case["tol_rel_matrix"], atol=1e-12)


@cases("mcd")
def test_the_minimum_covariance_determinant_equals_the_oracle(case: Case) -> None:
    if "best_subset" in case:
        check_compact_subset(case)
        return
    fit = minimum_covariance_determinant(returns_of(case).to_numpy(), seed=case["random_state"])
    assert int(fit.kept.sum()) == case["support_count"]
    np.testing.assert_allclose(fit.location, case["location"], rtol=case["tol_rel"])
    np.testing.assert_allclose(fit.covariance, case["covariance"], rtol=case["tol_rel"])


def check_compact_subset(case: Case) -> None:
    values = returns_of(case).to_numpy()[slice(*case["rows"])][:, case["columns"]]
    chosen = compact_subset(values, case["h"])
    scatter = np.cov(values[chosen].T, ddof=0)
    assert list(chosen) == case["best_subset"]
    assert float(np.linalg.det(scatter)) == pytest.approx(case["det"], rel=case["tol_rel"])
    np.testing.assert_allclose(values[chosen].mean(axis=0), case["location"], rtol=case["tol_rel"])
    np.testing.assert_allclose(scatter, case["scatter"], rtol=case["tol_rel"])


@cases("ew_correlation")
def test_exponential_correlations_equal_the_oracle(case: Case) -> None:
    values = returns_of(case).to_numpy()
    last = exponential_correlation(values, case["span"], case["min_periods"])
    np.testing.assert_allclose(last, case["last_row"], rtol=0, atol=case["tol_abs"])
    if "as_of" in case:
        then = exponential_correlation(values[:case["as_of_row"]], case["span"], case["min_periods"])
        np.testing.assert_allclose(then, case["as_of"], rtol=0, atol=case["tol_abs"])


@cases("correlation_constancy", "tests")
def test_breaks_of_correlation_equal_the_oracle(case: Case) -> None:
    returns = returns_of(case)
    found = correlation_break(returns[case["x"]].to_numpy(), returns[case["y"]].to_numpy())
    assert (found.periods, found.bandwidth, found.break_after) == (case["T"], case["bandwidth"], case["argmax_k"])
    assert found.correlation == pytest.approx(case["rho"], abs=1e-10)
    assert found.long_run_variance == pytest.approx(case["lrv"], rel=1e-8)
    assert found.statistic == pytest.approx(case["stat"], abs=case["tol_stat"])
    assert found.p_value == pytest.approx(case["pvalue"], abs=case["tol_pvalue"])
    assert (found.p_value < 0.05) is case["reject_5pct"]


@cases("ols_cusum")
def test_breaks_of_the_mean_equal_the_oracle(case: Case) -> None:
    found = mean_break(returns_of(case)[case["column"]].to_numpy())
    assert (found.statistic, found.p_value) == pytest.approx((case["stat"], case["pvalue"]), abs=case["tol"])


@cases("handcraft")
def test_handcrafted_weights_equal_the_oracle(case: Case) -> None:
    correlation = np.array(case["corr"])
    crafted, weights, theirs = handcraft(correlation), handcraft(correlation).weights, handcraft(correlation).unscaled
    if not case["equalise_SR"]:
        ratios, years = np.array(case["mean"]) / np.array(case["stdev"]), case["years_of_data"]
        weights = handcraft_with_sharpe(correlation, ratios, years)
        theirs = handcraft_with_sharpe(correlation, ratios, years, PARITY)
    else:
        np.testing.assert_allclose(crafted.unscaled, case["raw_weights"], rtol=0, atol=case["tol_weights"])
    np.testing.assert_allclose(weights, case["weights"], rtol=0, atol=case["tol_weights"])
    np.testing.assert_allclose(theirs, case["pysystemtrade_output"], rtol=0, atol=case["tol_vs_pysystemtrade"])


@cases("sr_and_diversification_multipliers", "sr_multiplier")
def test_multipliers_for_sharpe_ratios_equal_the_oracle(case: Case) -> None:
    asked = case["relative_SR"], case["avg_corr"], case["years"]
    assert sharpe_multiplier(*asked) == pytest.approx(case["exact"], abs=case["tol_exact"])
    assert sharpe_multiplier(*asked, PARITY) == pytest.approx(case["pysystemtrade"], abs=1e-6)


@cases("sr_and_diversification_multipliers", "diversification_multiplier")
def test_diversification_multipliers_equal_the_oracle(case: Case) -> None:
    found = diversification_multiplier(np.array(case["corr"]), np.array(case["weights"]), case["dm_max"])
    assert found == pytest.approx(case["value"], abs=case["tol"])


@cases("greedy_integer")
def test_whole_contracts_equal_the_oracle(case: Case) -> None:
    held, maximum = case["previous"], case["maximum"]
    inputs = DynamicInputs(
        names=tuple(case["names"]), optimal=np.array(case["optimal"], dtype=float), cost=np.array(case["costs"]),
        value=np.array(case["per_contract_value"]), covariance=np.array(case["cov"]),
        held=None if held is None else np.array(held).astype(np.int64),
        maximum=None if maximum is None else np.array(maximum), no_trade=frozenset(case["no_trade"] or ()),
        reduce_only=frozenset(case["reduce_only"] or ()))
    found = dynamic_positions(inputs, TradingSpeed(shadow_cost=case["shadow_cost"], buffer=case["buffer"],
                                                   conventions=PARITY))
    before = None if found.before_buffer is None else found.before_buffer.tolist()
    assert (found.contracts.tolist(), before) == (case["positions"], case["before_buffer"])


@pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in QUANT.glob("bootstrap_weights.json")])
def test_bootstrapped_weights_equal_the_oracle(path: Path) -> None:
    case = json.loads(path.read_text())
    returns = returns_of(case)
    drawn = list(np.loadtxt(QUANT / case["indices"], delimiter=",", dtype=int, ndmin=2))
    found = bootstrapped_weights(returns.to_numpy(), drawn, bounds_for(list(returns.columns)), SerialExecutor())
    assert found.skipped == case["skipped"]
    np.testing.assert_allclose(found.weights, case["weights"], rtol=0, atol=case["tol_weights"])
    for ours, theirs in zip(found.samples, case["per_sample"], strict=True):
        assert (ours is None) == (theirs is None)
        if ours is not None:
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=case["tol_weights"])
