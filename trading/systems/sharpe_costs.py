"""Costs in units of risk: how much of a Sharpe ratio trading takes. Pure.

Source: pysystemtrade.md 4.7, oracle README 07. They compare instruments and rules, whatever their size; what an account
really pays is in trading.systems.trading_costs.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from trading.objects.instruments import Instrument
from trading.systems.account_curve import DAYS_IN_YEAR

_SMOOTHING = 250  # centre of mass in business days of what a position is measured by
_AVERAGE_FORECAST = 10.0
_CALENDAR_YEAR = 365.25  # days


@dataclass(frozen=True, kw_only=True)
class SharpeCosts:
    """Of one instrument: what buying and selling again takes from a year's Sharpe ratio, and what holding does."""

    per_trade: float
    rolls_per_year: int

    @property
    def holding(self) -> float:
        """Of a position that is only rolled: a roll is one trade, half of buying and selling again."""
        return self.per_trade * self.rolls_per_year / 2

    def of(self, turnover: float) -> float:
        """Of a position that is bought and sold again `turnover` times a year."""
        return self.per_trade * turnover + self.holding


def sharpe_cost_per_trade(instrument: Instrument, price: pd.Series, volatility: pd.Series) -> float:
    """What buying and selling one contract costs, over the annual risk of holding it; both of the last year.

    Args:
        price, volatility: of each business day, in points.
    """
    average, risk = _last_year(price), _last_year(volatility)
    cost = instrument.slippage * instrument.point_size + instrument.commission(1, average)
    return 2 * cost / (risk * math.sqrt(DAYS_IN_YEAR) * instrument.point_size)


def spread_over_time(costs: float, days: pd.Index) -> pd.Series:
    """`costs` of a year on each of `days`, by the calendar days since the one before; unknown on the first."""
    since: pd.Series = pd.Series(days, index=days).diff().dt.total_seconds()
    return since * (costs / (_CALENDAR_YEAR * 86_400))


def turnover_of(values: pd.Series, measure: pd.Series | float) -> float:
    """How often a year `values` are bought and sold again, in units of `measure`, what they are on average."""
    if isinstance(measure, pd.Series):
        measure = measure.ewm(com=_SMOOTHING).mean().reindex(values.index, method="ffill")
    return DAYS_IN_YEAR * float((values / measure).diff().abs().mean())


def forecast_turnover(forecast: pd.Series) -> float:
    """How often a year a forecast changes by the size of an average one and back."""
    return turnover_of(forecast, _AVERAGE_FORECAST)


def pooled_turnover(forecasts: Sequence[pd.Series]) -> float:
    """The turnover of one rule over all instruments: those with a longer history count more."""
    lengths = [len(forecast) for forecast in forecasts]
    return sum(length * forecast_turnover(forecast) for length, forecast in zip(lengths, forecasts, strict=True)) \
        / sum(lengths)


def _last_year(values: pd.Series) -> float:
    return float(values[values.index[-1] - pd.DateOffset(years=1):].mean())
