"""The system of the directory that is compared with: its instruments, rules and weights, over its csv files."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from oracle import DATA, PEER, found

from trading.data.csv.csv_sim_data import CsvSimData
from trading.systems.production_system import futures_system, system_config
from trading.systems.system import System

CONFIG = PEER / "system_config.yaml"
THEIRS: dict[str, Any] = yaml.safe_load(CONFIG.read_text()) if CONFIG.is_file() else {}
needs_system = pytest.mark.skipif(not THEIRS, reason="the directory has no system_config.yaml")
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


def system_with(weights: dict[str, float] = WEIGHTS) -> System:
    same = ("instrument_weights", "forecast_div_multiplier", "instrument_div_multiplier", "percentage_vol_target",
            "forecast_cap", "base_currency")
    settings = {"forecast_rules": {name: rule_of(name, weight) for name, weight in weights.items()},
                **{name: THEIRS[name] for name in same}}
    return futures_system(CsvSimData(DATA, tuple(THEIRS["instrument_weights"])), system_config(
        settings, notional_trading_capital=THEIRS["notional_trading_capital"], conventions="pysystemtrade"))


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
