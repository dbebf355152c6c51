"""One continuous price series of an instrument: Panama back-adjustment (pysystemtrade.md 3.5). Pure.

Adjusted prices may be zero or negative: never divide by them.
"""

import numpy as np
import pandas as pd

from trading.errors import DataError


def stitch(multiple: pd.DataFrame) -> pd.Series:
    """Adjusted prices from multiple prices: at each change of contract the older prices move by the roll gap.

    Args:
        multiple: see `multiple_prices`; rows in order of time.

    Raises:
        DataError: price or forward price is missing on the row before a roll.
    """
    contracts = multiple["PRICE_CONTRACT"].to_numpy()
    rolls = np.flatnonzero(contracts[1:] != contracts[:-1])  # the last row of each contract but the newest
    gaps = (multiple["FORWARD"] - multiple["PRICE"]).to_numpy()[rolls]
    if np.isnan(gaps).any():
        stamp = multiple.index[rolls[np.isnan(gaps)][0]]
        raise DataError(f"The prices cannot be stitched: price or forward price is missing at {stamp}, "
                        f"the row before a roll.")
    shift = np.zeros(len(multiple))
    shift[rolls] = gaps
    adjusted: pd.Series = multiple["PRICE"] + _sum_from_here_on(shift)
    return adjusted


def rolled(adjusted: pd.Series, gap: float) -> pd.Series:
    """The older prices moved by `gap`, so that the new contract's prices can follow them."""
    return adjusted + gap


def _sum_from_here_on(shift: np.ndarray) -> np.ndarray:
    return shift[::-1].cumsum()[::-1]
