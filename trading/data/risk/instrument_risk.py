"""What one lot of an instrument risks and is worth today, from stored prices and rates; None for what is not known."""

import math
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from trading.data.data_blob import DataBlob
from trading.errors import DataError
from trading.objects.instruments import Instrument
from trading.risk.snapshot import FxRate

_SPAN_DAYS: Final = 35  # of the exponential standard deviation (pysystemtrade.md 4.3)
_LEAST_DAYS: Final = 10
DAYS_A_YEAR: Final = 256


@dataclass
class InstrumentRisk:
    """Numbers of one instrument on a day; read once, when first asked for."""

    data: DataBlob
    instrument: Instrument
    base_currency: str
    today: datetime

    @cached_property
    def changes(self) -> pd.Series:
        """Daily price changes of the last two years, in points; empty when there are no prices."""
        prices = self.data.db_adjusted_prices.series.load_since(self.instrument.code, self.today.year - 1)["PRICE"]
        return prices.dropna().resample("B").last().diff().dropna() if len(prices) else pd.Series(dtype=float)

    @cached_property
    def last_year(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The days (counted from 1970) of the last year's changes, and these; both of shape (n,), n <= 256."""
        newest = self.changes.tail(DAYS_A_YEAR)
        days = pd.DatetimeIndex(newest.index).tz_localize(None).to_numpy("datetime64[D]").astype(np.int64)
        return days, newest.to_numpy(float)

    @cached_property
    def sigma_d(self) -> float | None:
        """Standard deviation of a day, in points."""
        if len(self.changes) < _LEAST_DAYS:
            return None
        found = float(self.changes.ewm(span=_SPAN_DAYS).std().iloc[-1])
        return found if math.isfinite(found) and found > 0 else None

    @cached_property
    def settlement(self) -> Decimal | None:
        """The last price of the contract that is traded."""
        known = self._multiple["PRICE"].dropna()
        return None if known.empty else Decimal(repr(float(known.iloc[-1])))

    @cached_property
    def spread_sigma_d(self) -> float | None:
        """Standard deviation of a day of the forward price less the price, in points; rolls of the prices left out."""
        both = self._spread_prices
        if len(both) < _LEAST_DAYS:
            return None
        days = both.resample("B").last().dropna()
        same = (days[["PRICE_CONTRACT", "FORWARD_CONTRACT"]] == days[["PRICE_CONTRACT", "FORWARD_CONTRACT"]].shift())
        changes = (days["FORWARD"] - days["PRICE"]).astype(float).diff()[same.all(axis=1)].dropna()
        found = float(changes.ewm(span=_SPAN_DAYS).std().iloc[-1]) if len(changes) >= _LEAST_DAYS else math.nan
        return found if math.isfinite(found) and found > 0 else None

    @cached_property
    def spread_settlement(self) -> Decimal | None:
        """The last difference of both prices."""
        both = self._spread_prices
        if both.empty:
            return None
        return Decimal(repr(float(both["FORWARD"].iloc[-1]))) - Decimal(repr(float(both["PRICE"].iloc[-1])))

    @property
    def _spread_prices(self) -> pd.DataFrame:
        columns = ["PRICE", "FORWARD", "PRICE_CONTRACT", "FORWARD_CONTRACT"]
        return self._multiple[columns].dropna()

    @cached_property
    def fx(self) -> FxRate | None:
        """The rate into the base currency, and its age."""
        if self.instrument.currency == self.base_currency:
            return FxRate(rate=1.0, at=self.today)
        try:
            rates = self.data.db_fx_prices.rate(self.instrument.currency, self.base_currency).dropna()
        except DataError:
            return None
        return FxRate(rate=float(rates.iloc[-1]), at=rates.index[-1].to_pydatetime()) if len(rates) else None

    @cached_property
    def money_per_point(self) -> float | None:
        """Base currency for a lot and a point."""
        return None if self.fx is None else self.instrument.point_size * self.fx.rate

    @cached_property
    def annual_risk(self) -> float | None:
        """Standard deviation of the money that one lot makes in a year."""
        if self.sigma_d is None or self.money_per_point is None:
            return None
        return self.sigma_d * math.sqrt(DAYS_A_YEAR) * self.money_per_point

    @cached_property
    def notional(self) -> float | None:
        """What one lot is worth."""
        if self.settlement is None or self.money_per_point is None:
            return None
        return abs(float(self.settlement)) * self.money_per_point

    @cached_property
    def median_spread(self) -> Decimal | None:
        """Twice the usual half spread; None when nobody has said what is usual."""
        half = self.instrument.slippage
        return Decimal(repr(2 * half)) if half > 0 else None

    @cached_property
    def _multiple(self) -> pd.DataFrame:
        return self.data.db_multiple_prices.load_since(self.instrument.code, self.today.year - 1)
