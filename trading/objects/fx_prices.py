"""Rates of currency pairs: a float series on a UTC index, the value of one base unit in the quote. Pure.

Pairs are stored against the dollar (EURUSD); every other rate is made of two of them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import pandas as pd

from trading.errors import DataError
from trading.objects.price_merge import newer_than
from trading.objects.price_spikes import check_spike
from trading.objects.sound_series import check_one_clock, check_series, check_times

DOLLAR: Final = "USD"
_FIRST_DAY: Final = "1970-01-01"


@dataclass(frozen=True)
class FxPrices:
    """The rates of `pair`, for example JPYUSD."""

    pair: str
    rates: pd.Series

    def newer_than_ours(self, fetched: pd.Series) -> pd.Series:
        """What `fetched` adds behind the last rate.

        Raises:
            PriceSpike: a new rate is out of proportion (a DataError).
            DataError: the times of `fetched` are unsorted or repeated, or of another kind than ours.
        """
        if len(fetched):
            check_times(self.pair, fetched.index)
        check_one_clock(self.pair, self.rates, fetched)
        newer = newer_than(self.rates, fetched)
        newer = newer[newer > 0].dropna()
        check_spike(self.pair, self.rates, newer)
        return newer

    def sound(self) -> pd.Series:
        """The known rates.

        Raises:
            DataError: there are none, one is not above zero or infinite, or times are unsorted or repeated.
        """
        if self.rates.dropna().empty:
            raise DataError(f"There are no rates {self.pair}; {self.pair[:3]} cannot be valued in {self.pair[3:]}. "
                            f"Import them, or add the pair to ib_config_spot_FX.csv.")
        check_series(self.pair, self.rates)
        known = self.rates.dropna()
        if not (known > 0).all():
            raise DataError(f"{self.pair}: the rate at {known.index[known <= 0][0]} is not above zero. Correct it.")
        return known


def rate(currency: str, base: str, load: Callable[[str], FxPrices]) -> pd.Series:
    """The value of one `currency` in `base` over time.

    Args:
        currency, base: three capital letters. load: the stored pair of a code such as EURUSD; empty when there is none.

    Returns:
        Floats above zero on increasing times. A cross has a row where either of its two pairs has one, from the time
        on at which both are known. Of a currency in itself there is one row, 1.0 at the beginning of 1970.

    Raises:
        DataError: a pair against the dollar is not stored, or unsound.
    """
    if currency == base:
        return pd.Series([1.0], index=pd.DatetimeIndex([_FIRST_DAY], tz="UTC"))
    if base == DOLLAR:
        return load(f"{currency}{DOLLAR}").sound()
    if currency == DOLLAR:
        return 1.0 / load(f"{base}{DOLLAR}").sound()
    one, other = rate(currency, DOLLAR, load), rate(base, DOLLAR, load)
    check_one_clock(f"{currency}{base}", one, other)
    both = pd.concat([one, other], axis=1, sort=True).ffill().dropna()
    cross: pd.Series = both.iloc[:, 0] / both.iloc[:, 1]
    return cross
