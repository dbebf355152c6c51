"""Which past an estimate may see, for each period in which it is used: never the period itself, unless asked. Pure.

Source: the oracle's README 08: steps of 365 days backwards from the last date; before the second step there is nothing
to fit on.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import pandas as pd

from trading.quant.methods import FittingDates

STEP: Final = timedelta(days=365)


@dataclass(frozen=True, kw_only=True)
class FittingPeriod:
    """Fit on the rows from `fit_start` to before `fit_end`; use the result from `start` to `end`."""

    fit_start: pd.Timestamp
    fit_end: pd.Timestamp
    start: pd.Timestamp
    end: pd.Timestamp
    has_data: bool

    def rows(self, table: pd.DataFrame) -> pd.DataFrame:
        """The rows of `table` that the fit may see."""
        return table[(table.index >= self.fit_start) & (table.index < self.fit_end)]


def fitting_periods(index: pd.DatetimeIndex, dates: FittingDates = FittingDates.EXPANDING,
                    roll_years: int = 20) -> tuple[FittingPeriod, ...]:
    """Periods that cover the time from the first to the last of `index`; the first has no data to fit on.

    Args:
        index: ascending. roll_years: length of a rolling window, in steps of 365 days.
    """
    first, last = index[0], index[-1]
    if dates is FittingDates.IN_SAMPLE:
        after = last + timedelta(microseconds=1)
        return (FittingPeriod(fit_start=first, fit_end=after, start=first, end=last, has_data=True),)
    steps = [last - STEP * back for back in range((last - first) // STEP + 1)][::-1]
    if len(steps) < 2:
        return (FittingPeriod(fit_start=first, fit_end=first, start=first, end=last, has_data=False),)
    periods = [FittingPeriod(fit_start=first, fit_end=first, start=first, end=steps[1], has_data=False)]
    for place in range(1, len(steps) - 1):
        begin = first if dates is FittingDates.EXPANDING else steps[max(0, place - roll_years)]
        periods.append(FittingPeriod(fit_start=begin, fit_end=steps[place], start=steps[place], end=steps[place + 1],
                                     has_data=True))
    return tuple(periods)
