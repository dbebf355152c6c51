"""What a system sees of the market, straight from files in pysystemtrade's layout: for notebooks and comparisons."""

from collections.abc import Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd

from trading.data.csv.pysystemtrade import PysystemtradeFolder
from trading.errors import DataError
from trading.objects.instruments import Instrument


class CsvSimData:
    """SimData over a folder; `codes` are its instruments, None: all that have adjusted prices.

    `timezone` is that of times which the files write without one.
    """

    def __init__(self, folder: Path, codes: Sequence[str] | None = None, timezone: str = "Europe/London") -> None:
        self._source = PysystemtradeFolder(folder, ZoneInfo(timezone))
        self._instruments, self._rolls = self._source.instruments(), self._source.roll_parameters()
        self._codes = tuple(sorted(self._source.files("adjusted_prices_csv")) if codes is None else codes)

    def look_again(self) -> None:
        """Nothing to do: prices are read from the files each time."""

    def instrument_codes(self) -> tuple[str, ...]:
        return self._codes

    def instrument(self, code: str) -> Instrument:
        """
        Raises:
            DataError: instrumentconfig.csv does not say what `code` is.
        """
        if code not in self._instruments:
            raise DataError(f"{code} is not in instrumentconfig.csv. Add its line, or leave it out.")
        return self._instruments[code]

    def rolls_per_year(self, code: str) -> int:
        """
        Raises:
            DataError: rollconfig.csv does not say when `code` is rolled.
        """
        if code not in self._rolls:
            raise DataError(f"{code} is not in rollconfig.csv. Add its line, or leave it out.")
        return len(self._rolls[code].hold_cycle)

    def adjusted_prices(self, code: str) -> pd.Series:
        return self._source.adjusted_prices(self._file("adjusted_prices_csv", code)).frame["PRICE"]

    def multiple_prices(self, code: str) -> pd.DataFrame:
        return self._source.multiple_prices(self._file("multiple_prices_csv", code)).frame

    def fx(self, currency: str, base: str) -> pd.Series:
        if currency == base:
            return pd.Series([1.0], index=pd.DatetimeIndex(["1970-01-01"], tz="UTC"))
        return self._source.fx_prices(self._file("fx_prices_csv", currency + base)).frame["PRICE"]

    def _file(self, kind: str, name: str) -> Path:
        files = self._source.files(kind)
        if name not in files:
            raise DataError(f"There is no {kind}/{name}.csv. Add the file, or leave out what needs it.")
        return files[name]
