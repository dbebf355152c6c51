"""SeenData: market data as a system saw them. Whatever is computed from them is known to stand on them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar, cast

import pandas as pd

from trading.errors import DataError
from trading.objects.instruments import Instrument
from trading.objects.multiple_prices import MULTIPLE_COLUMNS, PRICE_COLUMNS
from trading.objects.sound_series import check_numbers, check_times
from trading.systems.cache import SystemCache
from trading.systems.sim_data import SimData

Value = TypeVar("Value")


@dataclass
class _Read:
    value: object
    again: Callable[[], object]


class SeenData:
    """SimData over `data`, each answer the same until `look_again`."""

    def __init__(self, data: SimData, cache: SystemCache) -> None:
        self._data, self._cache = data, cache
        self._reads: dict[tuple[str, ...], _Read] = {}
        self.changed: tuple[str, ...] = ()  # whose data were others, when it was looked again the last time

    def look_again(self) -> None:
        """Ask for everything again, and forget what was computed from an answer that is another now."""
        self._data.look_again()
        changed = []
        for key, read in self._reads.items():
            value = _answer(read.again)
            if not _same(value, read.value):
                self._cache.invalidate(("data", *key))
                changed.append(key[1])
            read.value = value
        self.changed = tuple(dict.fromkeys(changed))

    def instrument_codes(self) -> tuple[str, ...]:
        return self._read(("codes", "the list of instruments"), self._data.instrument_codes)

    def instrument(self, code: str) -> Instrument:
        return self._read(("instrument", code), lambda: self._data.instrument(code))

    def rolls_per_year(self, code: str) -> int:
        return self._read(("rolls", code), lambda: self._data.rolls_per_year(code))

    def adjusted_prices(self, code: str) -> pd.Series:
        """
        Raises:
            DataError: nothing is known, or the rows are unsorted, repeated, infinite, or without a time zone.
        """
        return self._read(("adjusted", code), lambda: _sound(code, self._data.adjusted_prices(code)))

    def multiple_prices(self, code: str) -> pd.DataFrame:
        """Raises what `adjusted_prices` does."""
        return self._read(("multiple", code), lambda: _sound_multiple(code, self._data.multiple_prices(code)))

    def fx(self, currency: str, base: str) -> pd.Series:
        """Raises what `adjusted_prices` does."""
        return self._read(("fx", currency + base), lambda: _sound(currency + base, self._data.fx(currency, base)))

    def _read(self, key: tuple[str, ...], read: Callable[[], Value]) -> Value:
        def compute() -> Value:
            if key not in self._reads:  # else it only had to make room
                self._reads[key] = _Read(_answer(read), read)
            value = self._reads[key].value
            if isinstance(value, DataError):
                raise value
            return cast(Value, value)
        return self._cache.get_item(("data", *key), compute)


def _sound(what: str, series: pd.Series) -> pd.Series:
    check_times(what, series.index)
    check_numbers(what, series)
    if not isinstance(series.index, pd.DatetimeIndex) or str(series.index.tz) != "UTC":
        raise DataError(f"{what}: the rows have no times in UTC. Convert the index first.")
    return series


def _sound_multiple(what: str, table: pd.DataFrame) -> pd.DataFrame:
    missing = [name for name in MULTIPLE_COLUMNS if name not in table]
    if missing:
        raise DataError(f"{what}: its multiple prices lack the columns {', '.join(missing)}. Add them.")
    for name in PRICE_COLUMNS:
        _sound(f"{what}, {name}", table[name])
    return table


def _answer(read: Callable[[], object]) -> object:
    """What `read` says; that there is nothing is an answer, too."""
    try:
        return read()
    except DataError as error:
        return error


def _same(one: object, other: object) -> bool:
    if one is other:
        return True
    if isinstance(one, pd.Series) or isinstance(other, pd.Series):
        return isinstance(one, pd.Series) and isinstance(other, pd.Series) and one.equals(other)
    if isinstance(one, pd.DataFrame) or isinstance(other, pd.DataFrame):
        return isinstance(one, pd.DataFrame) and isinstance(other, pd.DataFrame) and one.equals(other)
    if isinstance(one, DataError):
        return isinstance(other, DataError)
    return one == other
