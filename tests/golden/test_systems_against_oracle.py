"""Volatility, forecasts and positions against numbers that pysystemtrade computed from the same files.

Needs the reference data beside the checkout; test_systems_against_fixture.py checks the same code on data of our own.
Instruments, rules and weights are those of the directory that is compared with. Tolerances are those of the oracle's
README: 1e-7 where it writes 10 digits, 1e-6 for forecasts.
"""

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
import yaml
from oracle import DATA, PEER, found, found_in, needs_numbers

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

pytestmark = needs_numbers
CONFIG = PEER / "system_config.yaml"
THEIRS: dict[str, Any] = yaml.safe_load(CONFIG.read_text()) if CONFIG.is_file() else {}
RULES, WEIGHTS = THEIRS.get("trading_rules", {}), THEIRS.get("forecast_weights", {})
OUR_WORDS = {"Lfast": "fast", "Lslow": "slow"}


def each_instrument(folder: str) -> pytest.MarkDecorator:
    """The files of `folder` that are named after an instrument of the system."""
    return pytest.mark.parametrize("file", [param for param in found(PEER / folder, "*.csv.gz")
                                            if code_of(param.values[0]) in THEIRS.get("instrument_weights", {})])


def code_of(file: Path) -> str:
    return file.name.removesuffix(".csv.gz")


def rule_of(name: str, weight: float) -> dict[str, Any]:
    """One rule of the peer's configuration in our words."""
    kind = RULES[name]["function"].rpartition(".")[2].removesuffix("2")
    arguments = {OUR_WORDS.get(key, key): value for key, value in RULES[name]["other_args"].items()}
    return {"rule": kind, "scalar": RULES[name]["forecast_scalar"], "weight": weight, **arguments}


class RecordedSimData:
    """SimData straight from the csv files."""

    def __init__(self) -> None:
        self._source = PysystemtradeFolder(DATA, ZoneInfo("Europe/London"))
        self._instruments = self._source.instruments()

    def instrument_codes(self) -> tuple[str, ...]:
        return tuple(THEIRS["instrument_weights"])

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


def system_with(weights: dict[str, float]) -> System:
    same = ("instrument_weights", "forecast_div_multiplier", "instrument_div_multiplier", "percentage_vol_target",
            "forecast_cap", "base_currency")
    settings = {"forecast_rules": {name: rule_of(name, weight) for name, weight in weights.items()},
                **{name: THEIRS[name] for name in same}}
    return build_system(RecordedSimData(), system_config(
        settings, notional_trading_capital=THEIRS["notional_trading_capital"]))


@pytest.fixture(scope="module")
def system() -> System:
    return system_with(WEIGHTS)


@pytest.fixture(scope="module")
def system_of_all_rules() -> System:
    return system_with(dict.fromkeys(RULES, 1.0))


@pytest.fixture(scope="module")
def system_with_buffers_by_forecast(system: System) -> System:
    return build_system(system.data, system.config.model_copy(update={"buffer_method": "forecast"}))


def oracle(file: Path) -> pd.DataFrame:
    return pd.read_csv(file, index_col=0, parse_dates=True)


def check_equal(ours: pd.Series, theirs: pd.Series, rel: float, what: str, absolute: float = 1e-12) -> None:
    """Equal on every row that the oracle holds, missing values included.

    Before there is any forecast the oracle calls a position zero; we call it unknown.
    """
    found = ours.reindex(theirs.index).astype(float)
    too_early = found.isna() & (theirs == 0) & (theirs.index < (found.first_valid_index() or theirs.index[-1]))
    found = found.mask(too_early, 0.0).to_numpy()
    np.testing.assert_allclose(found, theirs.to_numpy(), rtol=rel, atol=absolute, equal_nan=True, err_msg=what)


@each_instrument("03_vol")
def test_volatility_equals_the_oracle(system: System, file: Path) -> None:
    expected, raw, code = oracle(file), system.stage(RawData), code_of(file)
    check_equal(raw.daily_prices(code), expected["price"], 1e-7, "price")
    check_equal(raw.daily_volatility(code), expected["mixed_vol_default"], 1e-7, "volatility")
    check_equal(raw.percentage_volatility(code), expected["perc_vol"], 1e-7, "percentage volatility")


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
    for rule in WEIGHTS:
        check_equal(stage.forecast_weights(code)[rule], expected[f"fw_{rule}"], 1e-7, f"weight of {rule}")


@each_instrument("05_positions")
def test_positions_equal_the_oracle(system: System, file: Path) -> None:
    expected, portfolio, sizes = oracle(file), system.stage(Portfolio), system.stage(PositionSize)
    code = code_of(file)
    check_equal(sizes.value_volatility(code), expected["instr_value_vol"], 1e-7, "value volatility")
    check_equal(sizes.volatility_scalar(code), expected["vol_scalar"], 1e-7, "volatility scalar")
    check_equal(sizes.subsystem_position(code), expected["subsystem_position"], 1e-7, "subsystem position")
    check_equal(portfolio.notional_position(code), expected["notional_position"], 1e-7, "notional position")


@pytest.mark.parametrize("file", found(PEER / "05_positions", "instrument_weights.csv.gz"))
def test_instrument_weights_equal_the_oracle(system: System, file: Path) -> None:
    for code, expected in oracle(file).items():
        check_equal(system.stage(Portfolio).weight(str(code)), expected, 1e-7, f"weight of {code}")


@each_instrument("05_positions")
def test_buffers_equal_the_oracle(system: System, system_with_buffers_by_forecast: System, file: Path) -> None:
    expected, other, code = oracle(file), system_with_buffers_by_forecast.stage(Portfolio), code_of(file)
    check_equal(system.stage(Portfolio).buffer(code), expected["buffer"], 1e-7, "buffer")
    check_equal(other.buffer(code), expected["forecast_method_buffer"], 1e-7, "buffer by forecast")


@each_instrument("05_positions")
def test_held_positions_equal_the_oracle(system: System, file: Path) -> None:
    expected, held = oracle(file), system.stage(Portfolio).held_position(code_of(file), TradeTo.OPTIMUM)
    check_equal(held, expected["buffered_rounded"], 1e-7, "whole contracts")


@each_instrument("06_accounts")
def test_gross_gains_equal_the_oracle(system: System, file: Path) -> None:
    expected, accounts, code = oracle(file), system.stage(Accounts), code_of(file)
    whole = system.stage(Portfolio).held_position(code, TradeTo.OPTIMUM)
    subsystem = system.stage(PositionSize).subsystem_position(code)
    check_equal(accounts.gains_of(code, whole), expected["gross"], 1e-6, "whole contracts", absolute=1e-6)
    check_equal(accounts.gains_of(code, subsystem), expected["sub_gross"], 1e-6, "subsystem", absolute=1e-6)


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
