"""Which days a set of recorded prices can play: those on which at least half of the instruments have a price. Pure."""

from collections import Counter
from collections.abc import Iterable
from datetime import date
from zoneinfo import ZoneInfo

import pandas as pd


def recorded_days(prices: Iterable[pd.Series], zone: ZoneInfo) -> list[date]:
    """The local dates of `zone` on which at least half of `prices` (UTC index, NaN: unknown) have a value, in order.

    Weekends, on which a few markets print a stray price, and the tail in which one file is longer than the others
    fall out by themselves.
    """
    counts: Counter[date] = Counter()
    total = 0
    for series in prices:
        total += 1
        stamps = series.dropna().index
        assert isinstance(stamps, pd.DatetimeIndex)
        counts.update(set(stamps.tz_convert(zone).date))
    return sorted(day for day, count in counts.items() if count * 2 >= total)
