"""What every series of prices must be before anything is computed from it. Pure.

A file, a store or a broker can hand over anything. Whoever computes asks here first, so that bad rows end in a sentence
that names the instrument, and never in a number.
"""

import numpy as np
import pandas as pd

from trading.errors import DataError


def check_times(what: str, index: pd.Index) -> None:
    """Raise DataError unless `index` holds times, each later than the one before.

    `what` is the instrument, contract or pair that the message names.
    """
    if not isinstance(index, pd.DatetimeIndex):
        raise DataError(f"{what}: the rows have no times (found: {index.dtype}). Give them a DatetimeIndex.")
    if index.hasnans:
        raise DataError(f"{what}: a row has no time. Drop it, or give it its time.")
    steps = np.diff(index.asi8)
    if (steps > 0).all():
        return
    row = int(np.flatnonzero(steps <= 0)[0]) + 1
    if steps[row - 1] == 0:
        raise DataError(f"{what}: {index[row]} is there twice. Keep one of the two rows.")
    raise DataError(f"{what}: the rows are not in order of time ({index[row]} follows {index[row - 1]}). Sort them.")


def check_numbers(what: str, values: pd.Series) -> None:
    """Raise DataError when a value of `values` is infinite or no number; missing values (NaN) are allowed."""
    if not pd.api.types.is_numeric_dtype(values):
        raise DataError(f"{what}: the prices are no numbers (found: {values.dtype}). Read them as floats.")
    endless = np.isinf(values.to_numpy(dtype=float))
    if endless.any():
        stamp = values.index[int(np.flatnonzero(endless)[0])]
        raise DataError(f"{what}: the price at {stamp} is infinite. Correct it, or make it a missing value.")


def check_series(what: str, series: pd.Series) -> None:
    """Raise DataError unless `series` is in order of time, finite, and known somewhere."""
    check_times(what, series.index)
    check_numbers(what, series)
    if not series.notna().any():
        raise DataError(f"{what}: no price is known (rows: {len(series)}). Import or fetch prices first.")


def check_one_clock(what: str, *series: pd.Series) -> None:
    """Raise DataError when some of `series` have times of a zone and some local times; empty ones do not count."""
    zones = [str(pd.DatetimeIndex(one.index).tz) for one in series if len(one)]
    if "None" in zones and len(set(zones)) > 1:
        raise DataError(f"{what}: some of the rows have a time zone and some have none. Give all of them UTC.")
