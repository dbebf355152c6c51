"""Volatility, forecasts and positions against numbers that pysystemtrade computed from the same files.

Needs the reference data beside the checkout; test_systems_against_fixture.py checks the same code on data of our own.
Instruments, rules and weights are those of the directory that is compared with. Tolerances are those of the oracle's
README: 1e-7 where it writes 10 digits, 1e-6 for forecasts.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from oracle import PEER, found, found_in, needs_numbers
from peer_system import RULES, WEIGHTS, check_equal, code_of, each_instrument, oracle, system_with

from trading.execution.buffered import required_trade
from trading.systems.buffered_path import TradeTo, buffered_path
from trading.systems.combined_forecasts import CombineForecasts
from trading.systems.contract_risk import ContractRisk
from trading.systems.estimation_config import SmallAccount, Volatility, WeightEstimate
from trading.systems.forecast_weights import ForecastWeights
from trading.systems.forecasts import ForecastScaleCap, Rules
from trading.systems.instrument_weights import InstrumentWeights
from trading.systems.optimised_positions import OptimisedPositions
from trading.systems.portfolio import Portfolio
from trading.systems.position_size import PositionSize
from trading.systems.production_system import futures_system
from trading.systems.rawdata import RawData
from trading.systems.system import System

pytestmark = needs_numbers


@pytest.fixture(scope="module")
def system() -> System:
    return system_with(WEIGHTS)


@pytest.fixture(scope="module")
def system_of_all_rules() -> System:
    return system_with(dict.fromkeys(RULES, 1.0))


@pytest.fixture(scope="module")
def system_with_buffers_by_forecast(system: System) -> System:
    return futures_system(system.data, system.config.model_copy(update={"buffer_method": "forecast"}))


@each_instrument("03_vol")
def test_volatility_equals_the_oracle(system: System, file: Path) -> None:
    expected, raw, code = oracle(file), system.stage(RawData), code_of(file)
    check_equal(raw.daily_prices(code), expected["price"], 1e-7, "price")
    check_equal(raw.daily_volatility(code), expected["mixed_vol_default"], 1e-7, "volatility")
    check_equal(raw.percentage_volatility(code), expected["perc_vol"], 1e-7, "percentage volatility")
    check_equal(raw.percentage_returns(code) / 100, expected["perc_return"], 1e-7, "percentage returns")
    moves = raw.normalised_price(code).diff().reindex(expected.index)  # unknown on the day after a day without a price
    known = moves.notna() & (moves.index > expected.index[0])
    assert known.mean() > 0.8
    check_equal(moves, expected["norm_return"][known], 1e-7, "normalised returns", absolute=1e-7)


VOLATILITIES = {"ewvol35": Volatility(slow_weight=0.0), "robust_vol_default": Volatility(method="robust"),
                "simple_vol25": Volatility(method="simple"),
                "mixed_vol_rob": Volatility(slow_years=20.0, slow_weight=0.35)}


@each_instrument("03_vol")
@pytest.mark.parametrize("column", VOLATILITIES)
def test_other_volatilities_equal_the_oracle(system: System, file: Path, column: str) -> None:
    """The peer's last one is known before there is anything to know it from: from then on."""
    expected, code = oracle(file)[column], code_of(file)
    ours = system_like(system, volatility=VOLATILITIES[column]).stage(RawData).daily_volatility(code)
    known = expected.index >= ours.first_valid_index() if column == "mixed_vol_rob" else slice(None)
    check_equal(ours, expected[known], 1e-7, column)


@each_instrument("04_forecasts")
@pytest.mark.parametrize("rule", RULES)
def test_forecasts_equal_the_oracle(system_of_all_rules: System, file: Path, rule: str) -> None:
    expected, system, code = oracle(file), system_of_all_rules, code_of(file)
    capped = system.stage(ForecastScaleCap).capped_forecast(code, rule)
    check_equal(system.stage(Rules).raw_forecast(code, rule), expected[f"{rule}_raw"], 1e-6, f"{rule} raw")
    check_equal(capped, expected[f"{rule}_capped"], 1e-6, f"{rule} capped")


@each_instrument("05_positions")
def test_forecasts_are_combined_as_by_the_oracle(system: System, file: Path) -> None:
    expected, stage, code = oracle(file), system.stage(CombineForecasts), code_of(file)
    check_equal(stage.combined_forecast(code), expected["combined_forecast"], 1e-7, "combined")
    weights = system.stage(ForecastWeights).weights(code)
    for rule in WEIGHTS:
        check_equal(weights[rule], expected[f"fw_{rule}"], 1e-7, f"weight of {rule}")


@each_instrument("05_positions")
def test_positions_equal_the_oracle(system: System, file: Path) -> None:
    expected, portfolio, sizes = oracle(file), system.stage(Portfolio), system.stage(PositionSize)
    code, risk = code_of(file), system.stage(ContractRisk)
    check_equal(risk.value_volatility(code), expected["instr_value_vol"], 1e-7, "value volatility")
    check_equal(risk.volatility_scalar(code), expected["vol_scalar"], 1e-7, "volatility scalar")
    check_equal(sizes.subsystem_position(code), expected["subsystem_position"], 1e-7, "subsystem position")
    check_equal(portfolio.notional_position(code), expected["notional_position"], 1e-7, "notional position")


@pytest.mark.parametrize("file", found(PEER / "05_positions", "instrument_weights.csv.gz"))
def test_instrument_weights_equal_the_oracle(system: System, file: Path) -> None:
    for code, expected in oracle(file).items():
        check_equal(system.stage(InstrumentWeights).weight(str(code)), expected, 1e-7, f"weight of {code}")


@each_instrument("05_positions")
def test_buffers_equal_the_oracle(system: System, system_with_buffers_by_forecast: System, file: Path) -> None:
    expected, other, code = oracle(file), system_with_buffers_by_forecast.stage(Portfolio), code_of(file)
    check_equal(system.stage(Portfolio).buffer(code), expected["buffer"], 1e-7, "buffer")
    check_equal(other.buffer(code), expected["forecast_method_buffer"], 1e-7, "buffer by forecast")


@each_instrument("05_positions")
def test_held_positions_equal_the_oracle(system: System, file: Path) -> None:
    expected, held = oracle(file), system.stage(Portfolio).held_position(code_of(file), TradeTo.OPTIMUM)
    check_equal(held, expected["buffered_rounded"], 1e-7, "whole contracts")


BUFFER_CASES = PEER / "13_buffers" / "cases.json"


@pytest.mark.parametrize("case", found_in(BUFFER_CASES, "apply_buffer"))
def test_paths_through_a_buffer_equal_the_oracle(case: dict[str, Any]) -> None:
    optimal, lower, upper = (pd.Series(case[name], dtype="float64") for name in ("optimal", "bot", "top"))
    if case["roundpositions"]:
        optimal, lower, upper = optimal.round(), lower.round(), upper.round()
    path = buffered_path(optimal, lower, upper, TradeTo.EDGE if case["trade_to_edge"] else TradeTo.OPTIMUM)
    np.testing.assert_allclose(path, case["result"], rtol=1e-12, err_msg=case["label"])


@pytest.mark.parametrize("case", found_in(BUFFER_CASES, "production_classic_buffered_trade"))
def test_trades_of_production_equal_the_oracle(case: dict[str, Any]) -> None:
    assert required_trade(case["actual"], 0, case["lower"], case["upper"]) == case["trade"], case


# --- estimated weights, whole contracts -------------------------------------------------------------------------------

def system_like(system: System, **other: Any) -> System:
    return futures_system(system.data, system.config.model_copy(update=other))


@pytest.mark.parametrize("file", found(PEER / "08_estimators", "weights_over_time_*.csv.gz"))
def test_estimated_weights_of_the_whole_system_equal_the_oracle(system: System, file: Path) -> None:
    expected, method, tolerance = oracle(file), *METHODS[code_of(file).removeprefix("weights_over_time_")]
    estimate = WeightEstimate(method=method, cost_multiplier=0.0)
    estimating = system_like(system, instrument_weight_estimate=estimate, instrument_weights=None,
                             instruments=tuple(expected.columns))
    ours = estimating.stage(InstrumentWeights).fitted()
    assert list(ours.index) == list(expected.index)
    np.testing.assert_allclose(ours[expected.columns], expected, rtol=0, atol=tolerance)


METHODS: dict[str, tuple[Any, float]] = {"handcraft": ("handcrafted", 1e-6), "shrinkage": ("shrunk_one_period", 2e-3),
                                         "one_period": ("one_period", 2e-3)}
DYNAMIC = PEER / "10_dynopt"


@pytest.fixture(scope="module")
def small_system(system: System) -> System:
    theirs = yaml.safe_load((DYNAMIC / "system_config.yaml").read_text())
    return system_like(system, notional_trading_capital=float(theirs["notional_trading_capital"]),
                       small_account=SmallAccount(shadow_cost=theirs["small_system"]["shadow_cost"]))


@pytest.mark.parametrize("case", found_in(DYNAMIC / "real_cases.json", "cases"))
def test_the_question_of_a_small_account_is_that_of_the_oracle(small_system: System, case: dict[str, Any]) -> None:
    """What is wanted, what a contract is worth, and its volatility; the peer's correlations are defined nowhere.

    Without a price of the day the peer values a contract at the currency's rate of an earlier one.
    """
    stage, day = small_system.stage(OptimisedPositions), pd.Timestamp(case["date"])
    ours = stage.inputs_on(int(stage.days().get_loc(day)), None)
    priced = [small_system.stage(RawData).daily_prices(code).notna().get(day, False) for code in ours.names]
    for name, theirs in (("optimal", "contracts_optimal"), ("value", "per_contract_value")):
        expected = np.array([case[theirs][code] for code in ours.names])
        np.testing.assert_allclose(getattr(ours, name)[priced], expected[priced], rtol=1e-7, err_msg=name)
    places = [case["covariance"]["columns"].index(code) for code in ours.names]
    variances = np.diag(np.array(case["covariance"]["values"]))[places]
    np.testing.assert_allclose(np.diag(ours.covariance), variances, rtol=1e-7)
