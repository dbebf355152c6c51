"""How long a system takes from prices to optimal positions and to an account, and how that grows.

Generated random walks in memory: what a store adds is measured with the day. Rules and weights are those of
RULES below, thirteen of them, fixed.
"""

import time
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from trading.objects.instruments import Instrument
from trading.systems.accounts import Accounts
from trading.systems.portfolio import Portfolio
from trading.systems.production_system import futures_system, system_config
from trading.systems.system import System

DAYS, INSTRUMENTS = 10_000, 16
PEER_DAYS, PEER_INSTRUMENTS, PEER_RULES = 12_823, 6, 7  # what pysystemtrade was timed with: 14.5 s, estimated 73.4 s
PEER_FIXED_S, PEER_ESTIMATED_S = 14.5, 73.4
GROWING = (8, 16, 64, 256)
RULES = {
    **{f"ewmac{fast}": {"rule": "ewmac", "fast": fast, "slow": 4 * fast, "scalar": 5.0, "weight": 1.0}
       for fast in (2, 4, 8, 16, 32, 64)},
    **{f"breakout{days}": {"rule": "breakout", "lookback": days, "scalar": 0.7, "weight": 1.0}
       for days in (10, 20, 40, 80, 160, 320)},
    "carry": {"rule": "carry", "smooth_days": 90, "scalar": 30.0, "weight": 1.0}}


@dataclass(frozen=True)
class WalkingSimData:
    """SimData over random walks; the same number of business days for each."""

    instruments: int
    days: int

    @cached_property
    def _index(self) -> pd.DatetimeIndex:
        return pd.bdate_range(end="2024-01-05", periods=self.days, tz="UTC") + pd.Timedelta(hours=20)

    @cached_property
    def _prices(self) -> dict[str, pd.Series]:
        return {code: pd.Series(1000 + np.random.default_rng(number).standard_normal(self.days).cumsum(), self._index)
                for number, code in enumerate(self.instrument_codes())}

    def look_again(self) -> None:
        """They never change."""

    def instrument_codes(self) -> tuple[str, ...]:
        return tuple(f"I{number:03d}" for number in range(self.instruments))

    def instrument(self, code: str) -> Instrument:
        return Instrument(code=code, point_size=10.0, currency="USD", slippage=0.1)

    def rolls_per_year(self, _code: str) -> int:
        return 4

    def adjusted_prices(self, code: str) -> pd.Series:
        return self._prices[code]

    def multiple_prices(self, code: str) -> pd.DataFrame:
        price = self._prices[code]
        return pd.DataFrame({"PRICE": price, "CARRY": price + 0.5, "FORWARD": price - 0.5, "PRICE_CONTRACT": "20240300",
                             "CARRY_CONTRACT": "20231200", "FORWARD_CONTRACT": "20240600"})

    def fx(self, _currency: str, _base: str) -> pd.Series:
        return pd.Series([1.0], index=pd.DatetimeIndex(["1970-01-01"], tz="UTC"))


def measure() -> dict[str, float]:
    """Seconds for `INSTRUMENTS` instruments and `DAYS` days, and for each size that it grows to."""
    made = system(INSTRUMENTS, DAYS)
    found = {"positions_s": positions_s(made), "account_s": account_s(made)}
    for count in GROWING:
        found[f"instruments_{count}_s"] = positions_s(system(count, DAYS))
    found["half_the_days_s"] = positions_s(system(INSTRUMENTS, DAYS // 2))
    found["fixed_s"] = whole_s(system(PEER_INSTRUMENTS, PEER_DAYS, rules=dict(list(RULES.items())[:PEER_RULES])))
    found["estimated_s"] = whole_s(system(PEER_INSTRUMENTS, PEER_DAYS, **estimates()))
    found["whole_contracts_s"] = whole_s(system(INSTRUMENTS, DAYS, small_account={}))
    found["fixed_times"] = PEER_FIXED_S / found["fixed_s"]
    found["estimated_times"] = PEER_ESTIMATED_S / found["estimated_s"]
    return found


def estimates() -> dict[str, Any]:
    """Settings that estimate scalars, weights of rules and instruments, and both multipliers."""
    rules = {name: {**{key: value for key, value in rule.items() if key != "weight"}, "scalar": "pooled"}
             for name, rule in list(RULES.items())[:PEER_RULES]}
    return {"rules": rules, "instrument_weight_estimate": {}, "instrument_div_multiplier": "estimated",
            "forecast_weight_estimate": {}, "forecast_div_multiplier": "estimated"}


def whole_s(made: System) -> float:
    """Seconds from prices to the account of the portfolio."""
    return positions_s(made) + account_s(made)


def system(instruments: int, days: int, rules: dict[str, Any] | None = None, **settings: Any) -> System:
    """A system whose prices are there already."""
    data = WalkingSimData(instruments, days)
    for code in data.instrument_codes():
        data.adjusted_prices(code)
    return futures_system(data, system_config({"forecast_rules": rules or RULES, **settings}))


def positions_s(made: System) -> float:
    """Seconds until every optimal position is known."""
    began = time.perf_counter()
    for code in made.instrument_codes():
        made.stage(Portfolio).optimal_position(code)
    return time.perf_counter() - began


def account_s(made: System) -> float:
    """Seconds until the account of the portfolio is known, the positions being known."""
    began = time.perf_counter()
    made.stage(Accounts).portfolio()
    return time.perf_counter() - began


if __name__ == "__main__":
    import json

    print(json.dumps(measure(), indent=2))
