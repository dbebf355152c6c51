"""What a system sees of the market, read from the store once each."""

import pandas as pd

from trading.data.data_blob import DataBlob
from trading.errors import DataError
from trading.objects.instruments import Instrument


class StoredSimData:
    """SimData over the repositories of a DataBlob."""

    def __init__(self, data: DataBlob) -> None:
        self._data = data
        self._multiple: dict[str, pd.DataFrame] = {}

    def instrument_codes(self) -> tuple[str, ...]:
        return tuple(self._data.db_adjusted_prices.codes())

    def instrument(self, code: str) -> Instrument:
        return self._data.db_instruments.load(code).instrument

    def rolls_per_year(self, code: str) -> int:
        """
        Raises:
            DataError: nobody has said when `code` is rolled.
        """
        rolls = self._data.db_instruments.load(code).rolls
        if rolls is None:
            raise DataError(f"{code} has no roll parameters. Add it to rollconfig.csv and import again.")
        return len(rolls.hold_cycle)

    def adjusted_prices(self, code: str) -> pd.Series:
        return self._data.db_adjusted_prices.load(code)

    def multiple_prices(self, code: str) -> pd.DataFrame:
        if code not in self._multiple:
            self._multiple[code] = self._data.db_multiple_prices.load(code)
        return self._multiple[code]

    def fx(self, currency: str, base: str) -> pd.Series:
        return self._data.db_fx_prices.rate(currency, base)
