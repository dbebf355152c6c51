"""The priced contract beside its carry and forward contracts, row by row, and how they follow each other. Pure.

A frame with a sorted, unique UTC index and the columns below; prices are floats (NaN: not known at that moment),
contracts are texts YYYYMM00 ('' : none).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import pandas as pd

from trading.conventions import OURS, Conventions
from trading.errors import DataError
from trading.objects.contracts import DeliveryMonth
from trading.objects.roll_calendars import Closes, check_calendar, rolls_of
from trading.objects.rolls import RollParameters

PRICE_COLUMNS: Final = ("PRICE", "CARRY", "FORWARD")
CONTRACT_COLUMNS: Final = ("PRICE_CONTRACT", "CARRY_CONTRACT", "FORWARD_CONTRACT")
MULTIPLE_COLUMNS: Final = PRICE_COLUMNS + CONTRACT_COLUMNS


@dataclass(frozen=True)
class ContractSet:
    """Which months are priced, measured for carry, and next to be held."""

    price: DeliveryMonth
    carry: DeliveryMonth
    forward: DeliveryMonth

    @classmethod
    def of(cls, price: DeliveryMonth, rolls: RollParameters) -> "ContractSet":
        return cls(price, rolls.carry(price), rolls.next_held(price))

    def months(self) -> tuple[DeliveryMonth, ...]:
        return tuple(dict.fromkeys((self.price, self.carry, self.forward)))

    def labels(self) -> tuple[str, str, str]:
        """What stands in the columns of contracts."""
        return str(self.price), str(self.carry), str(self.forward)

    def by_column(self) -> Iterator[tuple[str, DeliveryMonth]]:
        """The column of prices of each contract."""
        return zip(PRICE_COLUMNS, (self.price, self.carry, self.forward), strict=True)


def current_contracts(instrument: str, frame: pd.DataFrame) -> ContractSet:
    """The contracts of the newest row.

    Raises:
        DataError: there is no row yet.
    """
    if frame.empty:
        raise DataError(f"{instrument} has no multiple prices yet. Import some: tradectl import pysystemtrade DIR")
    row = frame.iloc[-1]
    return ContractSet(*(DeliveryMonth.parse(row[column]) for column in CONTRACT_COLUMNS))


def rows_of(contracts: ContractSet, closes: Mapping[DeliveryMonth, pd.Series]) -> pd.DataFrame:
    """Multiple prices of one set of contracts from the close series of each month.

    Rows are the moments at which PRICE or FORWARD is known.

    `closes`: float series on a UTC index; a month without prices may be missing.
    """
    nothing = pd.Series(dtype="float64", index=pd.DatetimeIndex([], tz="UTC"))
    prices = pd.DataFrame({column: closes.get(month, nothing) for column, month in contracts.by_column()}).sort_index()
    return _labelled(prices[prices["PRICE"].notna() | prices["FORWARD"].notna()], contracts)


def from_calendar(instrument: str, calendar: pd.DataFrame, closes: Closes, rolls: RollParameters,
                  conventions: Conventions = OURS) -> pd.DataFrame:
    """Multiple prices of all of history: between two rolls the contracts that the calendar names.

    A row is a time at which any of the three is known. Before the first roll its contract is priced, behind the last
    one the contract that is held since, with the contracts that `rolls` put beside it.

    Args:
        calendar: see `roll_calendars`. closes: of every contract that the calendar names.

    Raises:
        DataError: the calendar is empty, out of order, or names a roll without prices.
    """
    fewest = 1 if conventions.calendars_have_open_ends else 2
    if len(calendar) < fewest:
        raise DataError(f"{instrument}: the roll calendar has {len(calendar)} rolls, prices need {fewest}. Make one "
                        f"from prices of more contracts.")
    check_calendar(instrument, calendar, closes)
    stretches = _stretches(calendar, rolls)
    if not conventions.calendars_have_open_ends:
        return _joined(stretches[1:-1], closes)
    frame = _joined(stretches, closes)
    return frame[frame["PRICE"].notna().cummax()]


@dataclass(frozen=True)
class _Stretch:
    """From one roll, exclusive, to the next, inclusive; None: to the end of what is known."""

    contracts: ContractSet
    after: pd.Timestamp | None
    until: pd.Timestamp | None

    def of(self, series: pd.Series) -> pd.Series:
        start = 0 if self.after is None else series.index.searchsorted(self.after, side="right")
        end = len(series) if self.until is None else series.index.searchsorted(self.until, side="right")
        return series.iloc[int(start):int(end)]


def _stretches(calendar: pd.DataFrame, rolls: RollParameters) -> list[_Stretch]:
    rows = rolls_of(calendar)
    befores = [None, *(row.at for row in rows)]
    stretches = [_Stretch(ContractSet(row.current, row.carry, row.following), before, row.at)
                 for row, before in zip(rows, befores, strict=False)]
    return [*stretches, _Stretch(ContractSet.of(rows[-1].following, rolls), rows[-1].at, None)]


def _joined(stretches: Sequence[_Stretch], closes: Closes) -> pd.DataFrame:
    """The rows of all stretches; column by column, because joining stretch by stretch takes ten times as long."""
    nothing = next(iter(closes.values())).head(0)
    parts: dict[str, list[pd.Series]] = {column: [nothing] for column in PRICE_COLUMNS}
    for stretch in stretches:
        for column, month in stretch.contracts.by_column():
            parts[column].append(stretch.of(closes.get(month, nothing)))
    prices = pd.DataFrame({column: pd.concat(part).dropna() for column, part in parts.items()}).sort_index()
    ends = pd.DatetimeIndex([stretch.until for stretch in stretches[:-1]], tz=pd.DatetimeIndex(nothing.index).tz)
    which = ends.searchsorted(prices.index, side="left")
    labels = pd.DataFrame([stretch.contracts.labels() for stretch in stretches], columns=list(CONTRACT_COLUMNS))
    return prices.assign(**{column: labels[column].astype(str).array.take(which) for column in CONTRACT_COLUMNS})


def _labelled(prices: pd.DataFrame, contracts: ContractSet) -> pd.DataFrame:
    return prices.assign(**dict(zip(CONTRACT_COLUMNS, contracts.labels(), strict=True)))[list(MULTIPLE_COLUMNS)]


def roll_reason(contracts: ContractSet, rolls: RollParameters, newer: pd.DataFrame, today: date) -> str | None:
    """Why the instrument should be rolled to its forward contract now, as a sentence; None when it should not.

    `newer`: rows since the last update, with the contracts of `contracts`. A roll needs a forward price to splice on.
    """
    if not newer["FORWARD"].notna().any():
        return None
    desired = rolls.desired_roll_date(contracts.price)
    if today >= desired:
        return f"{contracts.price} was to be left on {desired}"
    if not newer["PRICE"].notna().any():
        return f"{contracts.price} is no longer quoted while {contracts.forward} is"
    return None


def roll_gap(instrument: str, frame: pd.DataFrame, within_rows: int = 200) -> float:
    """Forward minus price at the last moment at which both are known: what a roll adds to the older prices.

    Raises:
        DataError: the two were not known together within the last `within_rows` rows.
    """
    both = frame.tail(within_rows)
    both = both[both["PRICE"].notna() & both["FORWARD"].notna()]
    if both.empty:
        raise DataError(f"{instrument} cannot be rolled: price and forward price were not known at the same moment "
                        f"within the last {within_rows} rows.")
    return float(both["FORWARD"].iloc[-1] - both["PRICE"].iloc[-1])


def roll_rows(instrument: str, frame: pd.DataFrame, after: ContractSet) -> pd.DataFrame:
    """The rows that roll `frame` to the contracts `after`, one second apart behind its last row.

    The last of them prices `after` for the first time, at the forward price. When price or forward price is missing on
    the last row of `frame` a row of the old contracts comes before, with the two a last known gap apart: so that the
    rows say what the roll was made of, and stitching them anew gives the same series.

    Raises:
        DataError: see `roll_gap`.
    """
    gap, last, second = roll_gap(instrument, frame), frame.iloc[-1], pd.Timedelta(seconds=1)
    known = frame[["PRICE", "FORWARD"]].ffill().iloc[-1]
    forward = known["FORWARD"] if np.isnan(last["PRICE"]) else last["PRICE"] + gap
    forward = forward if np.isnan(last["FORWARD"]) else last["FORWARD"]
    is_spliced = bool(last[["PRICE", "FORWARD"]].isna().any())
    stamps = pd.DatetimeIndex([frame.index[-1] + n * second for n in range(1, 2 + is_spliced)])
    row = _labelled(pd.DataFrame({"PRICE": [forward], "CARRY": np.nan, "FORWARD": np.nan}, index=stamps[-1:]), after)
    if not is_spliced:
        return row
    splice = _labelled(pd.DataFrame({"PRICE": [forward - gap], "CARRY": np.nan, "FORWARD": forward}, index=stamps[:1]),
                       current_contracts(instrument, frame))
    return pd.concat([splice, row])


def normalised(frame: pd.DataFrame) -> pd.DataFrame:
    """Columns in their order, floats as float64, contract labels as texts."""
    kinds = ["float64"] * len(PRICE_COLUMNS) + ["str"] * len(CONTRACT_COLUMNS)
    is_normal = tuple(frame.columns) == MULTIPLE_COLUMNS and [str(kind) for kind in frame.dtypes] == kinds
    if is_normal and not frame[list(CONTRACT_COLUMNS)].isna().to_numpy().any():
        return frame  # as it comes from the store
    prices, labels = frame[list(PRICE_COLUMNS)].astype("float64"), frame[list(CONTRACT_COLUMNS)].astype(object)
    return pd.concat([prices, labels.where(labels.notna(), "").astype(str)], axis=1)


def last_price(frame: pd.DataFrame) -> float:
    """The newest known PRICE; NaN when there is none."""
    known = frame["PRICE"].dropna()
    return float(known.iloc[-1]) if len(known) else float(np.nan)
