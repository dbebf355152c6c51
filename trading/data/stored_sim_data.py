"""What a system sees of the market, read from the store once each; `look_again` reads what changed."""

import pandas as pd

from trading.data.data_blob import DataBlob
from trading.data.mongo.instruments import InstrumentRecord
from trading.data.mongo.remembered_series import RememberedSeries
from trading.errors import DataError
from trading.objects.fx_prices import FxPrices, rate
from trading.objects.instruments import Instrument
from trading.objects.multiple_prices import normalised


class StoredSimData:
    """SimData over the repositories of a DataBlob."""

    def __init__(self, data: DataBlob) -> None:
        self._data = data
        self._adjusted = RememberedSeries(data.db_adjusted_prices.series)
        self._multiple = RememberedSeries(data.db_multiple_prices.series)
        self._fx = RememberedSeries(data.db_fx_prices.series)
        self._normalised: dict[str, tuple[pd.DataFrame, pd.DataFrame]] = {}  # as stored, and with the right types
        self._codes: tuple[str, ...] | None = None
        self._records: dict[str, InstrumentRecord] | None = None

    def look_again(self) -> None:
        for series in (self._adjusted, self._multiple, self._fx):
            series.look_again()
        self._codes, self._records = None, None

    def instrument_codes(self) -> tuple[str, ...]:
        if self._codes is None:
            self._codes = tuple(self._data.db_adjusted_prices.codes())
        return self._codes

    def instrument(self, code: str) -> Instrument:
        """
        Raises:
            DataError: nobody has said what `code` is, or it has no prices.
        """
        return self._record(code).instrument

    def rolls_per_year(self, code: str) -> int:
        """
        Raises:
            DataError: see `instrument`, or nobody has said when `code` is rolled.
        """
        rolls = self._record(code).rolls
        if rolls is None:
            raise DataError(f"{code} has no roll parameters. Add it to rollconfig.csv and import again.")
        return len(rolls.hold_cycle)

    def adjusted_prices(self, code: str) -> pd.Series:
        return self._adjusted.load(code)["PRICE"]

    def multiple_prices(self, code: str) -> pd.DataFrame:
        stored = self._multiple.load(code)
        if code not in self._normalised or self._normalised[code][0] is not stored:
            self._normalised[code] = (stored, normalised(stored))
        return self._normalised[code][1]

    def fx(self, currency: str, base: str) -> pd.Series:
        return rate(currency, base, lambda pair: FxPrices(pair, self._fx.load(pair)["PRICE"]))

    def _record(self, code: str) -> InstrumentRecord:
        if self._records is None:
            self._records = self._data.db_instruments.load_all(self.instrument_codes())
        if code not in self._records:
            raise DataError(f"{code} lacks prices or settings. Import them: tradectl import pysystemtrade DIR")
        return self._records[code]
