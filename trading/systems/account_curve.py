"""AccountCurve: what positions gained and cost, day by day, and as a share of the capital. Plain values, pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import reduce
from typing import Final

import pandas as pd

DAYS_IN_YEAR: Final = 256.0  # business days


class Frequency(StrEnum):
    """Over what gains are added up."""

    DAILY = "1B"
    WEEKLY = "W"
    MONTHLY = "ME"
    ANNUAL = "YE"

    @property
    def per_year(self) -> float:
        return {"1B": DAYS_IN_YEAR, "W": 365.25 / 7, "ME": 12.0, "YE": 1.0}[self.value]


@dataclass(frozen=True, kw_only=True)
class AccountCurve:
    """`gross` and `costs` (negative) of each business day in the base currency; `capital` in the same.

    A day without costs may be missing among them.
    """

    gross: pd.Series
    costs: pd.Series
    capital: float

    @property
    def net(self) -> pd.Series:
        """After costs; unknown while the gross gain is, and before anything is known of the costs."""
        return self.gross + self.costs.fillna(0.0).where(self.costs.ffill().notna())

    def percent(self, frequency: Frequency = Frequency.DAILY) -> pd.Series:
        """Net gain of each period in percent of the capital, which stays what it is: nothing is compounded."""
        return self.percent_of(self.net, frequency)

    def percent_of(self, gains: pd.Series, frequency: Frequency = Frequency.DAILY) -> pd.Series:
        """`gains` of each day as percent of the capital, added up over each period."""
        share = 100 * gains / self.capital
        return share if frequency is Frequency.DAILY else share.resample(frequency.value).sum(min_count=1)

    def curve(self) -> pd.Series:
        """What was earned until each day, in percent of the capital."""
        return self.percent().cumsum().ffill()

    def drawdown(self) -> pd.Series:
        """How far the curve is below its highest point so far, in percent of the capital; never positive."""
        return drawdown_of(self.percent())


def drawdown_of(percent: pd.Series) -> pd.Series:
    """How far the sum of `percent` is below its highest so far."""
    curve = percent.cumsum().ffill()
    return curve - curve.cummax()


def together(curves: Iterable[AccountCurve], capital: float) -> AccountCurve:
    """The curve of all `curves` on one capital; a day on which one of them is unknown counts the others."""
    given = list(curves)
    return AccountCurve(gross=_sum(curve.gross for curve in given), costs=_sum(curve.costs for curve in given),
                        capital=capital)


def _sum(series: Iterable[pd.Series]) -> pd.Series:
    return reduce(lambda one, other: one.add(other, fill_value=0.0), series)
