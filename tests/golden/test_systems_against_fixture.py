"""Volatility, forecasts and positions of a small made-up market against sums written out by hand.

The expected numbers come from plain Python lists and the textbook's weighted sums below: no pandas, none of our code.
The fixture is our own: two generated instruments with holidays, a Sunday price, missing values and a roll.
"""

import csv
import math
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from trading.objects.instruments import Instrument
from trading.systems.production_system import futures_system, system_config
from trading.systems.system import System

FIXTURE = Path(__file__).parent / "fixture"
CODES = {"MADE_BOND": ("EUR", 1000.0, 0.75), "MADE_OIL": ("USD", 100.0, 0.25)}  # currency, point size, weight
CAPITAL, TARGET, CAP, FDM, IDM = 500_000.0, 0.25, 20.0, 1.31, 2.1
RULES: dict[str, dict[str, Any]] = {
    "trend": {"rule": "ewmac", "fast": 8, "slow": 32, "scalar": 5.3, "weight": 0.5},
    "slope": {"rule": "carry", "smooth_days": 20, "scalar": 30.0, "weight": 0.3},
    "range": {"rule": "breakout", "lookback": 20, "scalar": 0.67, "weight": 0.2},
}
Days = dict[date, float]  # in order; NaN where unknown


# --- the sums -------------------------------------------------------------------------------------------------------

def average(values: list[float], decay: float) -> float:
    """Weighted by age, the newest first; missing values keep their place and count nothing."""
    pairs = [((1 - decay) ** age, value) for age, value in enumerate(reversed(values)) if not math.isnan(value)]
    return sum(w * v for w, v in pairs) / sum(w for w, _ in pairs) if pairs else math.nan


def deviation(values: list[float], decay: float, at_least: int) -> float:
    """Square root of the weighted variance, corrected for the few values it is made of."""
    pairs = [((1 - decay) ** age, value) for age, value in enumerate(reversed(values)) if not math.isnan(value)]
    if len(pairs) < at_least:
        return math.nan
    total, squares = sum(w for w, _ in pairs), sum(w * w for w, _ in pairs)
    mean = sum(w * v for w, v in pairs) / total
    return math.sqrt(sum(w * (v - mean) ** 2 for w, v in pairs) / total * total ** 2 / (total ** 2 - squares))


def averages(values: list[float], decay: float) -> list[float]:
    return [average(values[:day + 1], decay) for day in range(len(values))]


def span(days: int) -> float:
    return 2 / (days + 1)


def com(days: float) -> float:
    return 1 / (1 + days)


def filled(values: list[float]) -> list[float]:
    """The newest known value of each day."""
    known, result = math.nan, []
    for value in values:
        known = known if math.isnan(value) else value
        result.append(known)
    return result


def capped(value: float) -> float:
    return value if math.isnan(value) else max(-CAP, min(CAP, value))


# --- the market -----------------------------------------------------------------------------------------------------

def rows(name: str) -> list[dict[str, str]]:
    with (FIXTURE / f"{name}.csv").open() as file:
        return list(csv.DictReader(file))


def number(text: str) -> float:
    return float(text) if text else math.nan


def business_day(stamp: str) -> date:
    day = datetime.strptime(stamp, "%Y-%m-%d %H:%M").date()
    if stamp.endswith("23:00") and date(2023, 3, 26) <= day < date(2023, 10, 29):
        day += timedelta(days=1)  # 23:00 UTC is midnight in London's summer
    return day + timedelta(days=7 - day.weekday() if day.weekday() > 4 else 0)


def by_day(name: str, value: Any) -> dict[date, list[float]]:
    """The known values of every Monday to Friday from the first to the last row."""
    found: dict[date, list[float]] = {}
    for row in rows(name):
        found.setdefault(business_day(row["DATETIME"]), []).append(value(row))
    day, last = min(found), max(found)
    days = [day + timedelta(days=i) for i in range((last - day).days + 1)]
    return {each: [v for v in found.get(each, []) if not math.isnan(v)] for each in days if each.weekday() < 5}


def last_of(name: str, column: str) -> list[float]:
    return [values[-1] if values else math.nan for values in by_day(name, lambda row: number(row[column])).values()]


def roll_a_year(row: dict[str, str]) -> float:
    gap = number(row["PRICE"]) - number(row["CARRY"])
    held, other = row["PRICE_CONTRACT"], row["CARRY_CONTRACT"]
    years = int(other[:4]) - int(held[:4]) + (int(other[4:6]) - int(held[4:6])) / 12
    return math.nan if gap == 0 else gap / years


def rate_known_at(code: str) -> list[float]:
    """The newest rate before midnight in London, for each business day of `code`."""
    days = by_day(code, lambda row: 1.0)
    if CODES[code][0] == "USD":
        return [1.0] * len(days)
    known = [(datetime.strptime(row["DATETIME"], "%Y-%m-%d %H:%M"), float(row["PRICE"])) for row in rows("EURUSD")]
    return [[rate for stamp, rate in known if stamp <= datetime.combine(day, datetime.min.time())
             - timedelta(hours=date(2023, 3, 26) < day <= date(2023, 10, 29))][-1] for day in days]


# --- the system by hand ---------------------------------------------------------------------------------------------

def volatility(code: str) -> list[float]:
    price = last_of(code, "ADJUSTED")
    changes = [math.nan] + [b - a for a, b in pairwise(price)]
    fast = [deviation(changes[:day + 1], span(35), at_least=10) for day in range(len(changes))]
    return [0.7 * f + 0.3 * s for f, s in zip(fast, averages(fast, com(2560)), strict=True)]


def trend(code: str) -> list[float]:
    price = last_of(code, "ADJUSTED")
    fast, slow = averages(price, span(8)), averages(price, span(32))
    return [(f - s) / v for f, s, v in zip(fast, slow, volatility(code), strict=True)]


def slope(code: str) -> list[float]:
    rolls = [sum(v) / len(v) if v else math.nan for v in by_day(code, roll_a_year).values()]
    return averages([r / (16 * v) for r, v in zip(rolls, volatility(code), strict=True)], com(20))


def price_range(code: str) -> list[float]:
    price, places = last_of(code, "ADJUSTED"), []
    for day in range(len(price)):
        window = [p for p in price[max(0, day - 19):day + 1] if not math.isnan(p)]
        known = len(window) >= 10 and not math.isnan(price[day])
        places.append(40 * (price[day] - (max(window) + min(window)) / 2) / (max(window) - min(window)) if known
                      else math.nan)
    return [average(places[:day + 1], span(5)) if sum(not math.isnan(p) for p in places[:day + 1]) >= 3 else math.nan
            for day in range(len(places))]


def raw_forecasts(code: str) -> dict[str, list[float]]:
    return {"trend": trend(code), "slope": slope(code), "range": price_range(code)}


def combined(code: str) -> list[float]:
    forecasts = {name: filled([capped(RULES[name]["scalar"] * f) for f in raw])
                 for name, raw in raw_forecasts(code).items()}
    count = len(next(iter(forecasts.values())))
    shares: dict[str, list[float]] = {name: [] for name in RULES}
    for day in range(count):
        known = {name: RULES[name]["weight"] for name in RULES if not math.isnan(forecasts[name][day])}
        for name in RULES:
            shares[name].append(known.get(name, 0.0) / sum(known.values()) if known else 0.0)
    weights = {name: averages(values, span(125)) for name, values in shares.items()}
    result = []
    for day in range(count):
        parts = [weights[n][day] * forecasts[n][day] for n in RULES if not math.isnan(forecasts[n][day])]
        result.append(capped(FDM * sum(parts)) if parts else math.nan)
    return result


def subsystem(code: str) -> list[float]:
    _, point_size, _ = CODES[code]
    held, rates = filled(last_of(code, "PRICE")), rate_known_at(code)
    daily_cash = CAPITAL * TARGET / 16
    return [daily_cash / (abs(p) * point_size / 100 * (100 * v / abs(p)) * r) * f / 10
            for p, v, r, f in zip(held, volatility(code), rates, combined(code), strict=True)]


def notional(code: str) -> list[float]:
    positions = {name: filled(subsystem(name)) for name in CODES}
    shares = []
    for day in range(len(positions[code])):
        known = {name: CODES[name][2] for name in CODES if not math.isnan(positions[name][day])}
        shares.append(known.get(code, 0.0) / sum(known.values()) if known else 0.0)
    return [p * w * IDM for p, w in zip(subsystem(code), averages(shares, com(125)), strict=True)]


# --- the comparison -------------------------------------------------------------------------------------------------

class FixtureSimData:
    """SimData over the fixture."""

    def look_again(self) -> None:
        """Files do not change under a test."""

    def instrument_codes(self) -> tuple[str, ...]:
        return tuple(CODES)

    def instrument(self, code: str) -> Instrument:
        return Instrument(code=code, point_size=CODES[code][1], currency=CODES[code][0])

    def rolls_per_year(self, code: str) -> int:
        return 4

    def adjusted_prices(self, code: str) -> pd.Series:
        return self._table(code)["ADJUSTED"]

    def multiple_prices(self, code: str) -> pd.DataFrame:
        return self._table(code).drop(columns="ADJUSTED").assign(FORWARD=math.nan, FORWARD_CONTRACT="")

    def fx(self, currency: str, base: str) -> pd.Series:
        if currency == base:
            return pd.Series([1.0], index=pd.DatetimeIndex(["1970-01-01"], tz="UTC"))
        return self._table(currency + base)["PRICE"]

    def _table(self, name: str) -> pd.DataFrame:
        texts = {"PRICE_CONTRACT": str, "CARRY_CONTRACT": str}
        table = pd.read_csv(FIXTURE / f"{name}.csv", dtype=texts, index_col="DATETIME", parse_dates=True)
        return table.tz_localize("UTC")


@pytest.fixture(scope="module")
def system() -> System:
    settings = {"forecast_rules": RULES, "instrument_weights": {code: fact[2] for code, fact in CODES.items()},
                "forecast_div_multiplier": FDM, "instrument_div_multiplier": IDM, "percentage_vol_target": 100 * TARGET}
    return futures_system(FixtureSimData(), system_config(settings, notional_trading_capital=CAPITAL))


def check(ours: pd.Series, by_hand: list[float]) -> None:
    assert ours.tolist() == pytest.approx(by_hand, rel=1e-9, abs=1e-12, nan_ok=True)


@pytest.mark.parametrize("code", CODES)
def test_volatility_equals_the_sums(system: System, code: str) -> None:
    check(system.rawdata.daily_volatility(code), volatility(code))


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("rule", RULES)
def test_forecasts_equal_the_sums(system: System, code: str, rule: str) -> None:
    check(system.rules.raw_forecast(code, rule), raw_forecasts(code)[rule])


@pytest.mark.parametrize("code", CODES)
def test_combined_forecasts_equal_the_sums(system: System, code: str) -> None:
    check(system.combForecast.combined_forecast(code), combined(code))


@pytest.mark.parametrize("code", CODES)
def test_positions_equal_the_sums(system: System, code: str) -> None:
    check(system.positionSize.subsystem_position(code), subsystem(code))
    check(system.portfolio.notional_position(code), notional(code))


@pytest.mark.parametrize("code", CODES)
def test_the_optimal_position_is_the_last_sum_with_a_tenth_around_it(system: System, code: str) -> None:
    position, expected = system.portfolio.optimal_position(code), notional(code)[-1]
    assert position.optimal == pytest.approx(expected, rel=1e-9)
    assert [position.lower, position.upper] == pytest.approx(sorted((0.9 * expected, 1.1 * expected)), rel=1e-9)
    assert position.reference_price == float(rows(code)[-1]["PRICE"])
