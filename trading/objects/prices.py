"""Bars of one contract: open, high, low, close, volume on a UTC index. Pure."""

from typing import Final

import pandas as pd

BAR_COLUMNS: Final = ("OPEN", "HIGH", "LOW", "FINAL", "VOLUME")


def without_empty_bars(frame: pd.DataFrame) -> pd.DataFrame:
    """Drop bars that carry no price, or a zero price on zero volume."""
    hollow = (frame["FINAL"] == 0) & (frame["VOLUME"] == 0)
    return frame[frame["FINAL"].notna() & ~hollow]
