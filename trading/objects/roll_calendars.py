"""When each contract of an instrument was left for the next one (pysystemtrade.md 3.7). Pure.

A calendar is a frame on increasing times, a row a roll: until its time, inclusive, `current_contract` is held, then
`next_contract`; `carry_contract` is what carry is measured against until then. Contracts are texts YYYYMM00.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from itertools import pairwise
from typing import Final

import numpy as np
import pandas as pd

from trading.conventions import OURS, Conventions
from trading.errors import DataError
from trading.objects.contracts import DeliveryMonth
from trading.objects.rolls import RollParameters
from trading.objects.sound_series import check_series, check_times

CALENDAR_COLUMNS: Final = ("current_contract", "next_contract", "carry_contract")
_NANOSECONDS_A_DAY: Final = 86_400_000_000_000
Closes = Mapping[DeliveryMonth, pd.Series]  # one price series a contract, floats on increasing times


@dataclass(frozen=True)
class Roll:
    """One row of a calendar."""

    at: pd.Timestamp
    current: DeliveryMonth
    following: DeliveryMonth
    carry: DeliveryMonth


def approximate_calendar(instrument: str, rolls: RollParameters, closes: Closes,
                         conventions: Conventions = OURS) -> pd.DataFrame:
    """Rolls on the days that the roll parameters desire, through the contracts that have prices.

    It starts with the earliest held contract that has prices and a carry contract with prices, and goes on while
    there is a next held contract with prices; months without are stepped over. Times are midnights.

    Raises:
        DataError: a series of `closes` is unsound, or no two contracts of the hold cycle have prices.
    """
    zone = _zone(instrument, closes)
    priced = _Priced(rolls, sorted(closes))
    current, found = priced.first_held(conventions.calendars_begin_with_a_held_contract), []
    while current is not None and (following := priced.next_held(current)) is not None:
        carry = priced.carry(current)
        if carry is None:
            break
        at = pd.Timestamp(rolls.desired_roll_date(current), tz=zone)
        found.append(Roll(at, current, following, carry))
        current = following
    if not found:
        raise DataError(f"{instrument}: no contract of the hold cycle {rolls.hold_cycle} has prices together with its "
                        f"next and its carry contract ({len(closes)} contracts have prices). Fetch more contracts, or "
                        f"correct its roll parameters.")
    return _frame(found)


@dataclass(frozen=True)
class _Priced:
    """Steps through the months that have prices."""

    rolls: RollParameters
    months: Sequence[DeliveryMonth]  # sorted

    def first_held(self, must_be_held: bool) -> DeliveryMonth | None:
        held = (month for month in self.months if not must_be_held or month.letter in self.rolls.hold_cycle)
        first = next(held, None)
        while first is not None and self.carry(first) is None:
            first = self.next_held(first)
        return first

    def next_held(self, month: DeliveryMonth) -> DeliveryMonth | None:
        return self._next(month, self.rolls.next_held)

    def carry(self, month: DeliveryMonth) -> DeliveryMonth | None:
        return self._next(month, self.rolls.carry)

    def _next(self, month: DeliveryMonth, step: Callable[[DeliveryMonth], DeliveryMonth]) -> DeliveryMonth | None:
        month = step(month)
        while self.months[0] <= month <= self.months[-1]:
            if month in self.months:
                return month
            month = step(month)
        return None


def adjusted_calendar(instrument: str, approximate: pd.DataFrame, closes: Closes,
                      conventions: Conventions = OURS) -> pd.DataFrame:
    """Each roll moved to the nearest day on which it can be made: both contracts have prices then.

    When carry is measured against an earlier contract, the carry contracts before and after the roll must have prices
    too, if there is any such day. Days count whole, the earlier of two wins, and each roll comes after the one before.
    What has not happened by the newest price is left out.

    Raises:
        DataError: a series is unsound; the approximate calendar is empty or out of order; a contract has no prices; or
            a pair of contracts was never priced together.
    """
    if approximate.empty:
        raise DataError(f"{instrument}: the approximate roll calendar is empty. Make one from the roll parameters.")
    check_times(f"{instrument}: roll calendar", approximate.index)
    zone, priced = _zone(instrument, closes), _Times(instrument, closes)
    rows, happened = rolls_of(approximate), _happened(approximate, closes, conventions)
    adjusted: list[Roll] = []
    after: int | None = None
    for row, later in zip(rows[:happened], [*rows[1:], None][:happened], strict=True):
        desired = row.at.as_unit("ns").value
        nearest = _nearest(instrument, row, desired, priced.possible(row, later, after))
        adjusted.append(replace(row, at=pd.Timestamp(nearest, tz=zone)))
        after = nearest if conventions.rolls_follow_the_roll_before else desired
    return _frame(adjusted)


def _happened(approximate: pd.DataFrame, closes: Closes, conventions: Conventions) -> int:
    """How many rows of the calendar are rolls that can have been made."""
    if not conventions.rolls_later_than_prices_are_open:
        return len(approximate) - 1
    newest = max(series.index[-1] for series in closes.values())
    return int((approximate.index <= newest).sum())


@dataclass(frozen=True)
class _Times:
    """When contracts have prices, as nanoseconds: dozens of intersections of pandas' indices would take seconds."""

    instrument: str
    closes: Closes

    def possible(self, row: Roll, later: Roll | None, after: int | None) -> np.ndarray:
        """When `row` can be made after `after`; with carry prices if they are needed and there is such a time."""
        both = self._common((row.current, row.following), after)
        if row.carry >= row.current:
            return both
        with_carry = np.intersect1d(both, self._common((row.carry, (later or row).carry), after), assume_unique=True)
        return with_carry if len(with_carry) else both

    def _common(self, months: tuple[DeliveryMonth, DeliveryMonth], after: int | None) -> np.ndarray:
        one, other = map(self._known, months)
        common: np.ndarray = np.intersect1d(one, other, assume_unique=True)
        return common if after is None else common[common > after]

    def _known(self, month: DeliveryMonth) -> np.ndarray:
        if month not in self.closes:
            raise DataError(f"{self.instrument}: the roll calendar needs prices of {month}, and there are none. Fetch "
                            f"them, or take the contract out of the calendar.")
        series = self.closes[month]
        known: np.ndarray = pd.DatetimeIndex(series.index).as_unit("ns").asi8[series.notna().to_numpy()]
        return known


def _nearest(instrument: str, row: Roll, desired: int, possible: np.ndarray) -> int:
    if not len(possible):
        raise DataError(f"{instrument}: {row.current} cannot be rolled to {row.following}: they have no price at the "
                        f"same time after the roll before. Fetch more of their prices, or take one of them out.")
    whole_days = (possible - desired) // _NANOSECONDS_A_DAY
    return int(possible[np.abs(whole_days).argmin()])


def check_calendar(instrument: str, calendar: pd.DataFrame, closes: Closes) -> None:
    """Raise DataError unless rolls follow each other in time and by contract, and each can be made at its time."""
    check_times(f"{instrument}: roll calendar", calendar.index)
    rows = rolls_of(calendar)
    for one, other in pairwise(rows):
        if other.current != one.following:
            raise DataError(f"{instrument}: the roll calendar goes from {one.current} to {one.following} at {one.at}, "
                            f"and on from {other.current}. Put in the roll between them.")
    for row in rows:
        for month in (row.current, row.following):
            prices = closes.get(month)
            if prices is None or row.at not in prices.index or bool(np.isnan(prices[row.at])):
                raise DataError(f"{instrument}: {month} has no price at {row.at}, when the roll calendar goes from "
                                f"{row.current} to {row.following}. Move the roll to a time with both prices.")


def backed_out_calendar(instrument: str, multiple: pd.DataFrame, conventions: Conventions = OURS) -> pd.DataFrame:
    """The calendar that multiple prices were made with: each time at which PRICE_CONTRACT moved on.

    Raises:
        DataError: times are unsorted or repeated, a label is no contract, or the contracts go back in time.
    """
    check_times(instrument, multiple.index)
    labels = multiple["PRICE_CONTRACT"].to_numpy()
    last = np.flatnonzero(labels[1:] != labels[:-1])
    contracts = [DeliveryMonth.parse(label) for label in labels[[*last, -1]]]
    carries = [DeliveryMonth.parse(label) for label in multiple["CARRY_CONTRACT"].to_numpy()[[*last, -1]]]
    for (old, new), row in zip(pairwise(contracts), last, strict=True):
        if new < old:
            raise DataError(f"{instrument}: the priced contract goes back from {old} to {new} after "
                            f"{multiple.index[int(row)]}. Correct the contracts of the multiple prices.")
    stamps = multiple.index[last if conventions.rolls_stand_on_the_last_old_row else last + 1]
    rolls = list(map(Roll, stamps, contracts[:-1], contracts[1:], carries[:-1]))
    if not conventions.rolls_stand_on_the_last_old_row:
        forward = DeliveryMonth.parse(multiple["FORWARD_CONTRACT"].iloc[-1])
        rolls.append(Roll(multiple.index[-1], contracts[-1], forward, carries[-1]))
    return _frame(rolls)


def rolls_of(calendar: pd.DataFrame) -> list[Roll]:
    """The rows as values.

    Raises:
        DataError: a label is no contract.
    """
    labels = zip(*(calendar[column] for column in CALENDAR_COLUMNS), strict=True)
    return [Roll(at, *(DeliveryMonth.parse(label) for label in row))
            for at, row in zip(calendar.index, labels, strict=True)]


def _frame(rolls: Sequence[Roll]) -> pd.DataFrame:
    rows = [(str(roll.current), str(roll.following), str(roll.carry)) for roll in rolls]
    index = pd.DatetimeIndex([roll.at for roll in rolls])
    return pd.DataFrame(rows, columns=list(CALENDAR_COLUMNS), index=index, dtype=object)


def _zone(instrument: str, closes: Closes) -> tzinfo | None:
    """The one time zone of all series, once each was found sound."""
    for month, series in closes.items():
        check_series(f"{instrument}/{month}", series)
    zones = {pd.DatetimeIndex(series.index).tz for series in closes.values()}
    if len(zones) != 1:
        raise DataError(f"{instrument}: the contracts have no prices, or times of several zones. Store them in UTC.")
    return zones.pop()
