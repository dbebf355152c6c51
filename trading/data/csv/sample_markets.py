"""Sample markets that we generate ourselves, in pysystemtrade's layout: seeded, so the same seed makes the same files.

For trying things out and for tests. The prices are random walks with a drift that turns slowly; nothing in them is
anybody's data, and nothing can be learned from them about real markets.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from trading.objects.adjusted_prices import stitch
from trading.objects.roll_calendars import backed_out_calendar
from trading.objects.rolls import RollParameters

LAST_DAY: Final = date(2023, 6, 30)
YEARS: Final = 4
_ROLL_DAYS: Final = -30  # from the expiry: well before a long position would have to be left
INTRADAY_DAYS: Final = 60  # hourly rows only in the newest part, as in real files
HOURS: Final = (9, 11, 13, 15, 17)


@dataclass(frozen=True)
class Market:
    """One invented instrument, in the order of the table below."""

    code: str
    symbol: str
    exchange: str
    currency: str
    asset_class: str
    point_size: float
    price: float
    volatility: float  # annual, as a fraction
    hold: str
    tick: float


MARKETS: Final = tuple(Market(*row) for row in (
        ("ALPHA", "AL", "CME", "USD", "Equity", 50.0, 3200.0, 0.18, "HMUZ", 0.25),
        ("BRAVO", "BR", "CME", "USD", "Equity", 20.0, 1500.0, 0.22, "HMUZ", 0.10),
        ("CHARLIE", "CH", "EUREX", "EUR", "Equity", 10.0, 3600.0, 0.20, "HMUZ", 1.0),
        ("DELTA", "DE", "EUREX", "EUR", "Bond", 1000.0, 160.0, 0.06, "HMUZ", 0.01),
        ("ECHO", "EC", "CBOT", "USD", "Bond", 1000.0, 120.0, 0.05, "HMUZ", 0.015625),
        ("FOXTROT", "FO", "CBOT", "USD", "Bond", 2000.0, 105.0, 0.02, "HMUZ", 0.0078125),
        ("GOLF", "GO", "NYMEX", "USD", "Metals", 100.0, 1800.0, 0.15, "GJMQZ", 0.1),
        ("HOTEL", "HO", "NYMEX", "USD", "OilGas", 1000.0, 70.0, 0.32, "FGHJKMNQUVXZ", 0.01),
        ("INDIA", "IN", "NYMEX", "USD", "OilGas", 10000.0, 4.0, 0.45, "FGHJKMNQUVXZ", 0.001),
        ("JULIETT", "JU", "OSE.JPN", "JPY", "Equity", 1000.0, 2000.0, 0.20, "HMUZ", 0.5),
        ("KILO", "KI", "OSE.JPN", "JPY", "Bond", 1000000.0, 150.0, 0.03, "HMUZ", 0.01),
        ("LIMA", "LI", "CBOT", "USD", "Ags", 50.0, 550.0, 0.26, "HKNUZ", 0.25),
        ("MIKE", "MI", "CBOT", "USD", "Ags", 50.0, 1300.0, 0.22, "FHKNX", 0.25),
        ("NOVEMBER", "NO", "CME", "USD", "FX", 125000.0, 1.15, 0.08, "HMUZ", 0.00005),
        ("OSCAR", "OS", "CME", "USD", "FX", 100000.0, 0.75, 0.10, "HMUZ", 0.00005),
        ("PAPA", "PA", "EUREX", "CHF", "Equity", 10.0, 10500.0, 0.16, "HMUZ", 1.0)))
RATES: Final = {"EURUSD": 1.1, "JPYUSD": 0.0085, "CHFUSD": 1.05, "GBPUSD": 1.3}


def write_sample_markets(folder: Path, seed: int, last_day: date = LAST_DAY,
                         markets: Sequence[Market] = MARKETS) -> int:
    """Write all files of `markets` under `folder`, with prices up to `last_day`; the number of instruments."""
    for name in ("csvconfig", "ib_config", "multiple_prices_csv", "adjusted_prices_csv", "roll_calendars_csv",
                 "fx_prices_csv"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    _write_configuration(folder, markets)
    for index, market in enumerate(markets):
        _write_market(folder, market, last_day, np.random.default_rng([seed, index]))
    _write_rates(folder, last_day, np.random.default_rng([seed, 10_000]))
    return len(markets)


def _write_market(folder: Path, market: Market, last_day: date, random: np.random.Generator) -> None:
    stamps = _stamps(last_day)
    rolls = _rolls(market)
    front = _front_prices(market, len(stamps), random)
    held = [rolls.held_on(stamp.date()) for stamp in stamps]
    spread = market.price * random.normal(0.0, 0.004)  # what one step along the curve costs
    forward, carry = [rolls.next_held(month) for month in held], [rolls.carry(month) for month in held]
    multiple = pd.DataFrame({
        "CARRY": _on_grid(front + spread, market.tick), "CARRY_CONTRACT": list(map(str, carry)),
        "PRICE": _on_grid(front, market.tick), "PRICE_CONTRACT": list(map(str, held)),
        "FORWARD": _on_grid(front + spread, market.tick), "FORWARD_CONTRACT": list(map(str, forward))}, index=stamps)
    _save(multiple, folder / "multiple_prices_csv" / f"{market.code}.csv", "DATETIME")
    adjusted = stitch(market.code, multiple).round(8).to_frame("price")
    _save(adjusted, folder / "adjusted_prices_csv" / f"{market.code}.csv", "DATETIME")
    calendar = backed_out_calendar(market.code, multiple)
    _save(calendar, folder / "roll_calendars_csv" / f"{market.code}.csv", "DATE_TIME")


def _stamps(last_day: date) -> pd.DatetimeIndex:
    days = pd.bdate_range(end=last_day, periods=YEARS * 261)
    closes = days + pd.Timedelta(hours=23)
    hourly = [days[-INTRADAY_DAYS:] + pd.Timedelta(hours=hour) for hour in HOURS]
    return pd.DatetimeIndex(closes.append(hourly).sort_values())


def _front_prices(market: Market, rows: int, random: np.random.Generator) -> np.ndarray:
    """A walk whose drift turns slowly, so that there is a trend to follow; never below a tenth of the start."""
    daily = market.volatility / 16
    drift = np.convolve(random.normal(0.0, 1.0, rows + 249), np.ones(250) / 250, mode="valid")[:rows]
    steps = random.normal(0.0, daily, rows) + drift * daily * 2.0
    return np.maximum(market.price * np.exp(np.cumsum(steps)), market.price / 10)


def _write_configuration(folder: Path, markets: Sequence[Market]) -> None:
    pd.DataFrame([{
        "Instrument": market.code, "Pointsize": market.point_size, "Percentage": 0, "PerBlock": 2.0, "PerTrade": 0,
        "AssetClass": market.asset_class, "Currency": market.currency, "Slippage": market.tick / 2,
        "Description": f"Sample market {market.code}"} for market in markets]).to_csv(
            folder / "csvconfig" / "instrumentconfig.csv", index=False)
    pd.DataFrame([{
        "Instrument": market.code, "HoldRollCycle": market.hold, "RollOffsetDays": _ROLL_DAYS, "CarryOffset": 1,
        "PricedRollCycle": market.hold, "ExpiryOffset": 14} for market in markets]).to_csv(
            folder / "csvconfig" / "rollconfig.csv", index=False)
    pd.DataFrame([{
        "Instrument": market.code, "IBSymbol": market.symbol, "IBExchange": market.exchange,
        "IBCurrency": market.currency, "IBMultiplier": market.point_size, "MyMultiplier": 1, "IgnoreWeekly": "FALSE"}
        for market in markets]).to_csv(folder / "ib_config" / "ib_config_futures.csv", index=False)
    inverted = {"JPYUSD", "CHFUSD"}
    pd.DataFrame([{
        "CODE": pair, "CCY1": "USD" if pair in inverted else pair[:3], "CCY2": pair[:3] if pair in inverted else "USD",
        "INVERT": "YES" if pair in inverted else "NO"} for pair in RATES]).to_csv(
            folder / "ib_config" / "ib_config_spot_FX.csv", index=False)


def _write_rates(folder: Path, last_day: date, random: np.random.Generator) -> None:
    stamps = pd.bdate_range(end=last_day, periods=YEARS * 261) + pd.Timedelta(hours=23)
    for pair, start in RATES.items():
        rates = start * np.exp(np.cumsum(random.normal(0.0, 0.07 / 16, len(stamps))))
        _save(pd.DataFrame({"PRICE": rates.round(8)}, index=stamps), folder / "fx_prices_csv" / f"{pair}.csv",
              "DATETIME")


def _rolls(market: Market) -> RollParameters:
    return RollParameters(hold_cycle=market.hold, priced_cycle=market.hold, roll_offset_days=_ROLL_DAYS, carry_offset=1,
                          expiry_offset_days=14)


def _on_grid(prices: np.ndarray, tick: float) -> np.ndarray:
    return np.round(np.round(prices / tick) * tick, 10)


def _save(frame: pd.DataFrame, path: Path, label: str) -> None:
    frame.to_csv(path, index_label=label, date_format="%Y-%m-%d %H:%M:%S")

