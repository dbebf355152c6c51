"""One continuous price series of an instrument: Panama back-adjustment (pysystemtrade.md 3.5). Pure.

Adjusted prices may be zero or negative: never divide by them.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from trading.errors import DataError
from trading.objects.sound_series import check_numbers, check_one_clock, check_series


def stitch(instrument: str, multiple: pd.DataFrame) -> pd.Series:
    """Adjusted prices from multiple prices: at each change of contract the older prices move by the roll gap.

    Args:
        multiple: columns PRICE, FORWARD, PRICE_CONTRACT; rows in order of time. A missing PRICE stays missing.

    Returns:
        Floats on the index of `multiple`; the newest contract's prices are true, all differences within a contract too.

    Raises:
        DataError: no rows, no price, unsorted or repeated times, infinite prices, a row without contract; or price or
            forward price is missing on the row before a roll.

    Source: pysystemtrade.md 3.5; its walk over the rows is one sum over the gaps here.
    """
    _check(instrument, multiple)
    rolls = _rolls(instrument, multiple)
    adjusted: pd.Series = multiple["PRICE"] + rolls.shifts(len(multiple))
    return adjusted


def extended(instrument: str, adjusted: pd.Series, last: pd.DataFrame, newer: pd.DataFrame) -> pd.Series:
    """`adjusted` carried on over `newer` rows of multiple prices: the same as stitching all rows anew.

    Args:
        adjusted: the series so far; it may begin before our multiple prices do, and lack rows without a price.
        last: the newest row of the multiple prices that `adjusted` was made of (columns as for `stitch`).
        newer: rows behind it; they may roll, more than once.

    Raises:
        DataError: as `stitch`; or `adjusted` ends behind `last`.
    """
    check_one_clock(instrument, adjusted, last["PRICE"], newer["PRICE"])
    joined = pd.concat([last, newer])
    _check(instrument, joined)
    if len(last) != 1 or (len(adjusted) and adjusted.index[-1] > last.index[0]):
        raise DataError(f"{instrument}: the adjusted prices do not end at the last multiple price. Stitch them anew.")
    rolls = _rolls(instrument, joined)
    later = newer["PRICE"] + rolls.shifts(len(joined))[1:]
    continued: pd.Series = pd.concat([adjusted + rolls.gaps.sum(), later])
    return continued


def roll_gaps(instrument: str, multiple: pd.DataFrame) -> pd.Series:
    """FORWARD less PRICE on each row before a change of contract (arguments and errors as for `stitch`)."""
    _check(instrument, multiple)
    rolls = _rolls(instrument, multiple)
    return pd.Series(rolls.gaps, index=multiple.index[rolls.rows])


@dataclass(frozen=True)
class _Rolls:
    """The last row of each contract but the newest, and what the older prices move by there."""

    rows: np.ndarray
    gaps: np.ndarray

    def shifts(self, count: int) -> np.ndarray:
        """For each of `count` rows the sum of the gaps from it on."""
        shift = np.zeros(count)
        shift[self.rows] = self.gaps
        return shift[::-1].cumsum()[::-1]


def _rolls(instrument: str, multiple: pd.DataFrame) -> _Rolls:
    contracts = multiple["PRICE_CONTRACT"].to_numpy()
    rows = np.flatnonzero(contracts[1:] != contracts[:-1])
    gaps = multiple["FORWARD"].to_numpy(dtype=float)[rows] - multiple["PRICE"].to_numpy(dtype=float)[rows]
    missing = rows[np.isnan(gaps)]
    if len(missing):
        stamp = multiple.index[int(missing[0])]
        raise DataError(f"{instrument}: price or forward price is missing at {stamp}, the row before a roll. Write the "
                        f"missing price, or move the roll to a row on which both are known.")
    return _Rolls(rows, gaps)


def _check(instrument: str, multiple: pd.DataFrame) -> None:
    check_series(instrument, multiple["PRICE"])
    check_numbers(instrument, multiple["FORWARD"])
    labels = multiple["PRICE_CONTRACT"]
    unnamed = (labels.isna() | labels.eq("")).to_numpy()
    if unnamed.any():
        stamp = multiple.index[int(unnamed.argmax())]
        raise DataError(f"{instrument}: the price at {stamp} has no contract. Write down which one it is a price of.")
