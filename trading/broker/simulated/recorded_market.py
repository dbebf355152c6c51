"""What the record knows about prices: prints of every contract and of every currency pair, as of an instant.

Prices come out in the broker's units (ours times the instrument's price magnifier). Nothing here knows what time
it is: every question names the instant after which the future begins. Read only.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from trading.errors import DataError
from trading.objects.contracts import DeliveryMonth
from trading.objects.instruments import BrokerInstrument, CurrencyPair, Instrument
from trading.objects.rolls import RollParameters

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
COLUMNS: Final = ("PRICE", "CARRY", "FORWARD")  # PRICE first: it wins where several name one contract at one time

Nanoseconds = npt.NDArray[np.int64]
Prices = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class RecordedInstrument:
    """One instrument and its multiple prices: an aware UTC index, sorted and unique, six columns."""

    instrument: Instrument
    broker: BrokerInstrument
    rolls: RollParameters
    prices: pd.DataFrame

    def __post_init__(self) -> None:
        _check_index(self.instrument.code, self.prices.index)
        missing = [name for c in COLUMNS for name in (c, f"{c}_CONTRACT") if name not in self.prices.columns]
        if missing:
            raise DataError(f"{self.instrument.code}: the recorded prices lack {', '.join(missing)}.")


@dataclass(frozen=True)
class Prints:
    """Prices in time order; `times` are nanoseconds since 1970 in UTC."""

    times: Nanoseconds
    prices: Prices

    def __len__(self) -> int:
        return len(self.times)

    def until(self, instant: datetime) -> "Prints":
        """Prints at or before `instant`."""
        end = int(np.searchsorted(self.times, nanoseconds(instant), side="right"))
        return Prints(self.times[:end], self.prices[:end])

    def since(self, instant: datetime) -> "Prints":
        """Prints at or after `instant`."""
        start = int(np.searchsorted(self.times, nanoseconds(instant), side="left"))
        return Prints(self.times[start:], self.prices[start:])

    def after(self, instant: datetime) -> "Prints":
        """Prints strictly after `instant`."""
        start = int(np.searchsorted(self.times, nanoseconds(instant), side="right"))
        return Prints(self.times[start:], self.prices[start:])

    def last(self) -> float | None:
        return float(self.prices[-1]) if len(self.prices) else None


NO_PRINTS: Final = Prints(np.array([], dtype=np.int64), np.array([], dtype=np.float64))


class RecordedMarket:
    """The recorded instruments and currency pairs; the series of an instrument are cut when first asked for."""

    def __init__(self, instruments: Sequence[RecordedInstrument], fx: Mapping[CurrencyPair, pd.Series]) -> None:
        self.instruments: Final = {recorded.instrument.code: recorded for recorded in instruments}
        self.pairs: Final = tuple(fx)
        self._rates: Final = {pair: _series_prints(pair.code, series) for pair, series in fx.items()}
        self._contracts: Final = cache(lambda code: contract_prints(self.instruments[code]))

    def first_named(self, code: str) -> dict[DeliveryMonth, int]:
        """When the record first names each delivery month of an instrument, with or without a price."""
        return _first_named(self.instruments[code].prices)

    def prints(self, code: str, month: DeliveryMonth) -> Prints:
        """All prints of one contract, in the broker's price units."""
        found: Prints = self._contracts(code).get(month, NO_PRINTS)
        return found

    def last_print(self) -> datetime:
        """When the newest price of any instrument was recorded."""
        return instant_of(max(int(_stamps(recorded.prices.index)[-1]) for recorded in self.instruments.values()))

    def pair_prints(self, pair: CurrencyPair) -> Prints:
        """All prints of a pair the way the broker lists it."""
        rates = self._rates[pair]
        return Prints(rates.times, 1.0 / rates.prices) if pair.inverted_at_broker else rates

    def rate(self, currency: str, base: str, now: datetime) -> float | None:
        """Value of one `currency` in `base` at or before `now`; None when the record has no rate between them.

        Before the first record of a pair its first rate stands, so that an account can always be valued.
        """
        if currency == base:
            return 1.0
        path = self._path_between(currency, base)
        steps = pairwise(path)
        return math.prod(self._step_rate(start, end, now) for start, end in steps) if path else None

    def has_rate(self, currency: str, base: str) -> bool:
        """Can the record ever value `currency` in `base`?"""
        return currency == base or self._path_between(currency, base) != ()

    def _path_between(self, currency: str, base: str) -> tuple[str, ...]:
        """Directly, or across one third currency; empty when there is no way."""
        if self._pair_between(currency, base):
            return (currency, base)
        thirds = sorted({third for pair in self.pairs for third in (pair.base, pair.quote)})
        return next(((currency, third, base) for third in thirds
                     if self._pair_between(currency, third) and self._pair_between(third, base)), ())

    def _step_rate(self, currency: str, base: str, now: datetime) -> float:
        pair = self._pair_between(currency, base)
        assert pair is not None  # steps come from a path
        rates = self._rates[pair]
        value = rates.until(now).last() or float(rates.prices[0])
        return value if pair.base == currency else 1.0 / value

    def _pair_between(self, currency: str, base: str) -> CurrencyPair | None:
        return next((pair for pair, rates in self._rates.items()
                     if {pair.base, pair.quote} == {currency, base} and len(rates)), None)


def nanoseconds(instant: datetime) -> int:
    """Nanoseconds since 1970 in UTC, exact to the microsecond."""
    since = instant - EPOCH
    return ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1000


def instant_of(stamp: int) -> datetime:
    """The aware UTC instant of `stamp` nanoseconds, rounded up to the microsecond: never before the print."""
    return EPOCH + timedelta(microseconds=-(-stamp // 1000))


def contract_prints(recorded: RecordedInstrument) -> dict[DeliveryMonth, Prints]:
    """Rebuild each contract's series from every row in which some column names it; NaN is skipped."""
    rows = pd.concat([_column_rows(recorded.prices, column) for column in COLUMNS], ignore_index=True)
    rows = rows.dropna(subset=["price"])
    rows = rows.drop_duplicates(subset=["label", "time"], keep="first").sort_values("time", kind="stable")
    scale = recorded.broker.price_magnifier
    return {DeliveryMonth.parse(str(label)): _prints_of(group, scale) for label, group in rows.groupby("label")}


def _prints_of(group: pd.DataFrame, scale: int) -> Prints:
    return Prints(group["time"].to_numpy(np.int64), group["price"].to_numpy(np.float64) * scale)


def _column_rows(prices: pd.DataFrame, column: str) -> pd.DataFrame:
    labels = prices[f"{column}_CONTRACT"].astype(object).to_numpy()
    rows = pd.DataFrame({"time": _stamps(prices.index), "label": labels,
                         "price": prices[column].to_numpy(np.float64)})
    return rows[rows["label"].notna() & (rows["label"] != "")]


def _first_named(prices: pd.DataFrame) -> dict[DeliveryMonth, int]:
    named: dict[DeliveryMonth, int] = {}
    for column in COLUMNS:
        rows = _column_rows(prices, column).drop_duplicates(subset=["label"], keep="first")
        for label, stamp in zip(rows["label"], rows["time"], strict=True):
            month = DeliveryMonth.parse(label)
            named[month] = min(int(stamp), named.get(month, int(stamp)))
    return named


def _series_prints(code: str, series: pd.Series) -> Prints:
    _check_index(code, series.index)
    known = series.dropna()
    return Prints(_stamps(known.index), known.to_numpy(np.float64))


def _stamps(index: pd.Index) -> Nanoseconds:
    return np.asarray(pd.DatetimeIndex(index).as_unit("ns").asi8, dtype=np.int64)


def _check_index(code: str, index: pd.Index) -> None:
    if not (isinstance(index, pd.DatetimeIndex) and index.tz is not None):
        raise DataError(f"{code}: the record needs an index of aware times in UTC.")
    if not index.is_monotonic_increasing or index.has_duplicates:
        raise DataError(f"{code}: the record must be sorted by time, each time once.")
