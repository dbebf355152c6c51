"""How fast prices of all of history are made of contract prices, and how fast a merge and a cross are. Generated data.

As many instruments and rows as pysystemtrade was timed with: it stitches them in 209 s (0.29 ms a row).
"""

import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import permutations

import numpy as np
import pandas as pd

from trading.objects.adjusted_prices import stitch
from trading.objects.contracts import DeliveryMonth
from trading.objects.fx_prices import FxPrices, rate
from trading.objects.multiple_prices import from_calendar
from trading.objects.price_merge import extended
from trading.objects.roll_calendars import adjusted_calendar, approximate_calendar
from trading.objects.rolls import RollParameters

INSTRUMENTS, ROWS, ROLL_EVERY = 24, 29_675, 300
CURRENCIES, DAYS, YEARS = ["AUD", "CAD", "CHF", "CNH", "EUR", "GBP", "HKD", "JPY", "KRW", "SGD"], 8_000, 25
MONTHLY = RollParameters(hold_cycle="HMUZ", priced_cycle="FGHJKMNQUVXZ", roll_offset_days=-10, carry_offset=-1,
                         expiry_offset_days=15)


def measure() -> dict[str, float]:
    """Seconds of each piece of work, for all instruments, crosses or series together; the best of three."""
    random = np.random.default_rng(7)
    frames = [_multiple(random) for _ in range(INSTRUMENTS)]
    contracts = [_closes(random) for _ in range(INSTRUMENTS)]
    rates = {f"{code}USD": FxPrices(f"{code}USD", _daily(random)) for code in CURRENCIES}
    series = [frame["PRICE"] for frame in frames]
    crosses = list(permutations([*CURRENCIES, "USD"], 2))
    return {"rows": float(INSTRUMENTS * ROWS), "crosses": float(len(crosses)),
            "contracts": float(sum(map(len, contracts))),
            "stitch_s": _best(lambda: [stitch("X", frame) for frame in frames]),
            "history_s": _best(lambda: [_history(closes) for closes in contracts]),
            "crosses_s": _best(lambda: [rate(one, other, rates.__getitem__) for one, other in crosses]),
            "merge_s": _best(lambda: [extended("X", old.iloc[:-24], old.iloc[-48:]) for old in series])}


def _best(work: Callable[[], Sequence[object]]) -> float:
    taken = []
    for _ in range(3):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return min(taken)


def _history(closes: dict[DeliveryMonth, pd.Series]) -> pd.Series:
    """From prices of contracts to adjusted prices: both calendars, multiple prices, stitching."""
    calendar = adjusted_calendar("X", approximate_calendar("X", MONTHLY, closes), closes)
    return stitch("X", from_calendar("X", calendar, closes, MONTHLY))


def _multiple(random: np.random.Generator) -> pd.DataFrame:
    price = 100 + random.normal(0, 1, ROWS).cumsum()
    label = np.char.mod("%d", 20_000_000 + np.arange(ROWS) // ROLL_EVERY).astype(object)
    return pd.DataFrame({"PRICE": price, "FORWARD": price + 0.5, "PRICE_CONTRACT": label},
                        index=pd.date_range("2000-01-01", periods=ROWS, freq="h", tz="UTC"))


def _closes(random: np.random.Generator) -> dict[DeliveryMonth, pd.Series]:
    """A contract a month, each with a year of daily closes."""
    first, closes = DeliveryMonth(1997, 1), {}
    for month in (first.shifted(n) for n in range(12 * YEARS)):
        days = pd.bdate_range(month.first_day - timedelta(days=365), month.first_day, tz="UTC")
        closes[month] = pd.Series(100 + random.normal(0, 1, len(days)).cumsum(), index=days)
    return closes


def _daily(random: np.random.Generator) -> pd.Series:
    days = pd.bdate_range("1991-03-05", periods=DAYS, tz="UTC")
    return pd.Series(np.exp(random.normal(0, 0.005, DAYS).cumsum()), index=days)[random.random(DAYS) < 0.99]
