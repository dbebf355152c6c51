"""Markets made up for tests of systems: a SimData over plain series, and short ways to build them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from trading.objects.instruments import Instrument
from trading.systems.production_system import futures_system, system_config
from trading.systems.system import System

RULES = {"fast_trend": {"rule": "ewmac", "fast": 4, "slow": 16, "scalar": 5.0, "weight": 0.5},
         "carry": {"rule": "carry", "smooth_days": 10, "scalar": 30.0, "weight": 0.5}}
CLOSE = pd.Timedelta(hours=20)  # UTC; the same day in London in summer and winter


def business_days(count: int, start: str = "2024-01-01") -> pd.DatetimeIndex:
    """Closes of `count` business days."""
    return pd.bdate_range(start, periods=count, tz="UTC") + CLOSE


def prices(values: Any, start: str = "2024-01-01") -> pd.Series:
    """One close a business day."""
    return pd.Series(np.asarray(values, dtype="float64"), index=business_days(len(values), start))


def wandering(count: int = 200, level: float = 100.0, start: str = "2024-01-01") -> pd.Series:
    """Closes that rise and fall; no random numbers, the same on every machine."""
    days = np.arange(count)
    return prices(level + 0.05 * days + 3 * np.sin(days / 9) + np.cos(days * 1.7), start)


def multiple(held: pd.Series, carry: pd.Series | float = np.nan, months: tuple[str, str] = ("20260300", "20260600"),
             ) -> pd.DataFrame:
    """Multiple prices around the price of the held contract; no carry prices unless given."""
    return pd.DataFrame({"PRICE": held, "CARRY": carry, "FORWARD": np.nan, "PRICE_CONTRACT": months[0],
                         "CARRY_CONTRACT": months[1], "FORWARD_CONTRACT": months[1]}, index=held.index)


@dataclass
class MadeSimData:
    """SimData over dictionaries; multiple prices follow the adjusted ones unless given."""

    adjusted: Mapping[str, pd.Series]
    multiples: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    rates: Mapping[str, pd.Series] = field(default_factory=dict)  # currency to its value in the base currency
    currency: str = "USD"
    point_size: float = 10.0
    slippage: float = 0.0
    cost_per_contract: float = 0.0

    def look_again(self) -> None:
        """Nothing is kept."""

    def instrument_codes(self) -> tuple[str, ...]:
        return tuple(self.adjusted)

    def instrument(self, code: str) -> Instrument:
        return Instrument(code=code, point_size=self.point_size, currency=self.currency, slippage=self.slippage,
                          cost_per_contract=self.cost_per_contract)

    def rolls_per_year(self, code: str) -> int:
        return 4

    def adjusted_prices(self, code: str) -> pd.Series:
        return self.adjusted[code]

    def multiple_prices(self, code: str) -> pd.DataFrame:
        return self.multiples.get(code, multiple(self.adjusted[code], self.adjusted[code] + 0.5))

    def fx(self, currency: str, base: str) -> pd.Series:
        return self.rates.get(currency, pd.Series([1.0], index=pd.DatetimeIndex(["1970-01-01"], tz="UTC")))


def a_system(data: MadeSimData, **settings: Any) -> System:
    """The standard stages with the two rules above unless others are given."""
    return futures_system(data, system_config({"forecast_rules": RULES, **settings}))
