"""Volatility, forecasts and positions against numbers that pysystemtrade computed from the same files.

Needs the reference data beside the checkout; test_systems_against_fixture.py checks the same code on data of our own.
Tolerances are those of the oracle's README: 1e-7 where it writes 10 digits, 1e-6 for forecasts.
"""

import json
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from trading.data.csv.pysystemtrade import PysystemtradeFolder
from trading.execution.buffered import required_trade
from trading.objects.instruments import Instrument
from trading.systems.accounts import Accounts
from trading.systems.buffered_path import TradeTo, buffered_path
from trading.systems.forecasts import CombineForecasts, ForecastScaleCap, Rules
from trading.systems.portfolio import Portfolio
from trading.systems.position_size import PositionSize
from trading.systems.production_system import build_system, system_config
from trading.systems.rawdata import RawData
from trading.systems.system import System

SHARED = Path(__file__).resolve().parents[2].parent / "shared"
ORACLE = SHARED / "oracle" / "pysystemtrade"
CODES = ("SP500", "EUROSTX", "SMI", "KOSPI", "US2", "KR10", "JGB", "SOYBEAN", "CRUDE_W", "COPPER-mini", "CNH", "V2X")
WEIGHTS = {"SP500": 0.04, "EUROSTX": 0.06, "SMI": 0.08, "KOSPI": 0.1, "US2": 0.12, "KR10": 0.05, "JGB": 0.07,
           "SOYBEAN": 0.09, "CRUDE_W": 0.11, "COPPER-mini": 0.08, "CNH": 0.1, "V2X": 0.1}
RULES = {
    "ewmac16_64": {"rule": "ewmac", "fast": 16, "slow": 64, "scalar": 3.75, "weight": 0.21},
    "ewmac32_128": {"rule": "ewmac", "fast": 32, "slow": 128, "scalar": 2.65, "weight": 0.08},
    "ewmac64_256": {"rule": "ewmac", "fast": 64, "slow": 256, "scalar": 1.87, "weight": 0.21},
    "carry": {"rule": "carry", "smooth_days": 90, "scalar": 30, "weight": 0.40},
    "breakout80": {"rule": "breakout", "lookback": 80, "scalar": 0.726260784624834, "weight": 0.10},
}

pytestmark = [pytest.mark.shared,
              pytest.mark.skipif(not ORACLE.is_dir(), reason="the reference numbers are not beside this checkout")]


class RecordedSimData:
    """SimData straight from the csv files."""

    def __init__(self) -> None:
        self._source = PysystemtradeFolder(SHARED / "data", ZoneInfo("Europe/London"))
        self._instruments = self._source.instruments()

    def instrument_codes(self) -> tuple[str, ...]:
        return CODES

    def instrument(self, code: str) -> Instrument:
        return self._instruments[code]

    def adjusted_prices(self, code: str) -> pd.Series:
        return self._source.adjusted_prices(self._source.files("adjusted_prices_csv")[code]).frame["PRICE"]

    def multiple_prices(self, code: str) -> pd.DataFrame:
        return self._source.multiple_prices(self._source.files("multiple_prices_csv")[code]).frame

    def fx(self, currency: str, base: str) -> pd.Series:
        if currency == base:
            return pd.Series([1.0], index=pd.DatetimeIndex(["1970-01-01"], tz="UTC"))
        return self._source.fx_prices(self._source.files("fx_prices_csv")[currency + base]).frame["PRICE"]


@pytest.fixture(scope="module")
def system() -> System:
    settings = {"forecast_rules": RULES, "instrument_weights": WEIGHTS}
    return build_system(RecordedSimData(), system_config(settings, notional_trading_capital=5_000_000))


@pytest.fixture(scope="module")
def system_with_buffers_by_forecast(system: System) -> System:
    return build_system(system.data, system.config.model_copy(update={"buffer_method": "forecast"}))


def oracle(folder: str, code: str) -> pd.DataFrame:
    return pd.read_csv(ORACLE / folder / f"{code}.csv.gz", index_col=0, parse_dates=True)


def check_equal(ours: pd.Series, theirs: pd.Series, rel: float, what: str, absolute: float = 1e-12) -> None:
    """Equal on every row that the oracle holds, missing values included.

    Before there is any forecast the oracle calls a position zero; we call it unknown.
    """
    found = ours.reindex(theirs.index).astype(float)
    too_early = found.isna() & (theirs == 0) & (theirs.index < (found.first_valid_index() or theirs.index[-1]))
    found = found.mask(too_early, 0.0).to_numpy()
    np.testing.assert_allclose(found, theirs.to_numpy(), rtol=rel, atol=absolute, equal_nan=True, err_msg=what)


@pytest.mark.parametrize("code", CODES)
def test_volatility_equals_the_oracle(system: System, code: str) -> None:
    expected, raw = oracle("03_vol", code), system.stage(RawData)
    check_equal(raw.daily_prices(code), expected["price"], 1e-7, "price")
    check_equal(raw.daily_volatility(code), expected["mixed_vol_default"], 1e-7, "volatility")
    check_equal(raw.percentage_volatility(code), expected["perc_vol"], 1e-7, "percentage volatility")


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("rule", RULES)
def test_forecasts_equal_the_oracle(system: System, code: str, rule: str) -> None:
    expected = oracle("04_forecasts", code)
    check_equal(system.stage(Rules).raw_forecast(code, rule), expected[f"{rule}_raw"], 1e-6, f"{rule} raw")
    check_equal(system.stage(ForecastScaleCap).capped_forecast(code, rule), expected[f"{rule}_capped"], 1e-6,
                f"{rule} capped")


@pytest.mark.parametrize("code", CODES)
def test_forecasts_are_combined_as_by_the_oracle(system: System, code: str) -> None:
    expected, stage = oracle("05_positions", code), system.stage(CombineForecasts)
    check_equal(stage.combined_forecast(code), expected["combined_forecast"], 1e-7, "combined")
    for rule in RULES:
        check_equal(stage.forecast_weights(code)[rule], expected[f"fw_{rule}"], 1e-7, f"weight of {rule}")


@pytest.mark.parametrize("code", CODES)
def test_positions_equal_the_oracle(system: System, code: str) -> None:
    expected, portfolio, sizes = oracle("05_positions", code), system.stage(Portfolio), system.stage(PositionSize)
    check_equal(sizes.value_volatility(code), expected["instr_value_vol"], 1e-7, "value volatility")
    check_equal(sizes.volatility_scalar(code), expected["vol_scalar"], 1e-7, "volatility scalar")
    check_equal(sizes.subsystem_position(code), expected["subsystem_position"], 1e-7, "subsystem position")
    check_equal(portfolio.notional_position(code), expected["notional_position"], 1e-7, "notional position")


def test_instrument_weights_equal_the_oracle(system: System) -> None:
    expected = pd.read_csv(ORACLE / "05_positions" / "instrument_weights.csv.gz", index_col=0, parse_dates=True)
    for code in CODES:
        check_equal(system.stage(Portfolio).weight(code), expected[code], 1e-7, f"weight of {code}")


@pytest.mark.parametrize("code", CODES)
def test_buffers_equal_the_oracle(system: System, system_with_buffers_by_forecast: System, code: str) -> None:
    expected, other = oracle("05_positions", code), system_with_buffers_by_forecast.stage(Portfolio)
    check_equal(system.stage(Portfolio).buffer(code), expected["buffer"], 1e-7, "buffer")
    check_equal(other.buffer(code), expected["forecast_method_buffer"], 1e-7, "buffer by forecast")


@pytest.mark.parametrize("code", CODES)
def test_held_positions_equal_the_oracle(system: System, code: str) -> None:
    expected, portfolio = oracle("05_positions", code), system.stage(Portfolio)
    check_equal(portfolio.held_position(code, TradeTo.OPTIMUM), expected["buffered_rounded"], 1e-7, "whole contracts")


@pytest.mark.parametrize("code", CODES)
def test_gross_gains_equal_the_oracle(system: System, code: str) -> None:
    expected, accounts = oracle("06_accounts", code), system.stage(Accounts)
    whole = system.stage(Portfolio).held_position(code, TradeTo.OPTIMUM)
    subsystem = system.stage(PositionSize).subsystem_position(code)
    check_equal(accounts.gains_of(code, whole), expected["gross"], 1e-6, "whole contracts", absolute=1e-6)
    check_equal(accounts.gains_of(code, subsystem), expected["sub_gross"], 1e-6, "subsystem", absolute=1e-6)


def buffer_cases(kind: str) -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = json.loads((ORACLE / "13_buffers" / "cases.json").read_text())[kind]
    return cases


def test_paths_through_a_buffer_equal_the_oracle() -> None:
    for case in buffer_cases("apply_buffer"):
        optimal, lower, upper = (pd.Series(case[name], dtype="float64") for name in ("optimal", "bot", "top"))
        if case["roundpositions"]:
            optimal, lower, upper = optimal.round(), lower.round(), upper.round()
        path = buffered_path(optimal, lower, upper, TradeTo.EDGE if case["trade_to_edge"] else TradeTo.OPTIMUM)
        np.testing.assert_allclose(path, case["result"], rtol=1e-12, err_msg=case["label"])


def test_trades_of_production_equal_the_oracle() -> None:
    for case in buffer_cases("production_classic_buffered_trade"):
        assert required_trade(case["actual"], 0, case["lower"], case["upper"]) == case["trade"], case
