"""What a system sees of the market, read from the store once each."""

from functools import cache

import pandas as pd

from trading.data.data_blob import DataBlob
from trading.objects.instruments import Instrument


class StoredSimData:
    """SimData over the repositories of a DataBlob."""

    def __init__(self, data: DataBlob) -> None:
        self._data = data
        self._instrument = cache(lambda code: data.db_instruments.load(code).instrument)

    def instrument_codes(self) -> tuple[str, ...]:
        return tuple(self._data.db_adjusted_prices.codes())

    def instrument(self, code: str) -> Instrument:
        found: Instrument = self._instrument(code)
        return found

    def adjusted_prices(self, code: str) -> pd.Series:
        return self._data.db_adjusted_prices.load(code)

    def multiple_prices(self, code: str) -> pd.DataFrame:
        return self._data.db_multiple_prices.load(code)

    def fx(self, currency: str, base: str) -> pd.Series:
        return self._data.db_fx_prices.rate(currency, base)
