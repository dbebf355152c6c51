"""Daily rates of one currency pair: a float series on a UTC index, the value of one base unit in the quote. Pure."""

from dataclasses import dataclass

import pandas as pd

from trading.objects.prices import check_spike


@dataclass(frozen=True)
class FxPrices:
    """The rates of `pair`, for example JPYUSD."""

    pair: str
    rates: pd.Series

    def newer_than_ours(self, fetched: pd.Series) -> pd.Series:
        """What `fetched` adds behind the last rate.

        Raises:
            PriceSpike: a new rate is out of proportion (a DataError).
        """
        newer = fetched if self.rates.empty else fetched[fetched.index > self.rates.index[-1]]
        newer = newer[newer > 0].dropna()
        check_spike(self.pair, self.rates, newer)
        return newer
