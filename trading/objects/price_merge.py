"""How new rows of a series join what is stored (pysystemtrade.md 3.3, 3.4). Pure.

`extended` is the daily way and changes nothing that is stored. The others are for a person who repairs a series.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from trading.conventions import OURS, Conventions
from trading.objects.price_spikes import check_spike
from trading.objects.sound_series import check_numbers, check_one_clock, check_times


def newer_than(old: pd.Series, new: pd.Series) -> pd.Series:
    """The rows of `new` behind the last row of `old`; all of them when nothing is stored."""
    return new if old.empty else new[new.index > old.index[-1]]


def extended(what: str, old: pd.Series, new: pd.Series, conventions: Conventions = OURS) -> pd.Series:
    """`old` with the newer rows of `new` behind it.

    Args:
        what: contract or pair, for messages. old, new: floats on increasing times; either may be empty.

    Raises:
        PriceSpike: a newer price is out of proportion; nothing of `new` is taken.
        DataError: `new` is unsorted, has a time twice or an infinite price.
    """
    if new.empty:
        return old
    check_times(what, new.index)
    check_one_clock(what, old, new)
    newer = newer_than(old, new)
    check_spike(what, old, newer, conventions)
    return pd.concat([old, newer]) if len(old) else newer


def gaps_filled(what: str, old: pd.Series, new: pd.Series) -> pd.Series:
    """`old` where it is known, else `new`, and the newer rows of `new`: repairs holes, changes no known price."""
    _check_both(what, old, new)
    filled: pd.Series = old.combine_first(new)
    return filled


def corrected(what: str, old: pd.Series, new: pd.Series, conventions: Conventions = OURS) -> pd.Series:
    """`new` where it is known, else `old`: a vendor's correction, wanted by a person."""
    _check_both(what, old, new)
    merged: pd.Series = new.combine_first(old)
    return merged if conventions.corrections_bring_new_rows or old.empty else merged[merged.index <= old.index.max()]


@dataclass(frozen=True)
class LabelledPrices:
    """A column of multiple prices with its contract labels; both on the same increasing times."""

    prices: pd.Series
    labels: pd.Series

    def merged(self, what: str, new: "LabelledPrices") -> "LabelledPrices":
        """Holes filled and newer rows added from `new`, only where the contracts agree without a break to the end.

        When they do not agree at the last common moment (the one side has rolled) nothing is taken. Without a common
        moment the newer rows must go on with our last contract.

        Raises:
            DataError: the rows of either are not in order of time.
        """
        _check_both(what, self.prices, new.prices)
        start = self._agrees_from(new)
        if start is None:
            return self
        prices = new.prices[new.prices.index >= start]
        labels = new.labels[new.labels.index >= start]
        return LabelledPrices(self.prices.combine_first(prices), self.labels.combine_first(labels))

    def _agrees_from(self, new: "LabelledPrices") -> pd.Timestamp | None:
        common = self.labels.index.intersection(new.labels.index)
        if self.labels.empty or common.empty:
            return self._goes_on_at(new)
        differs = (self.labels[common] != new.labels[common]).to_numpy()
        first = int(np.flatnonzero(differs)[-1]) + 1 if differs.any() else 0
        return None if first == len(common) else common[first]

    def _goes_on_at(self, new: "LabelledPrices") -> pd.Timestamp | None:
        newer = newer_than(self.labels, new.labels)
        if newer.empty or (len(self.labels) and newer.iloc[0] != self.labels.iloc[-1]):
            return None
        start: pd.Timestamp = newer.index[0]
        return start


def _check_both(what: str, *both: pd.Series) -> None:
    for series in both:
        if len(series):
            check_times(what, series.index)
            check_numbers(what, series)
    check_one_clock(what, *both)
