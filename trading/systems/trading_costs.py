"""What trading costs: each fill and each roll. Pure.

Source: pysystemtrade.md 4.7, oracle README 06. Costs are negative, in the base currency. A roll is charged as one
trade, as it is when it is dealt as a spread; its dates are spread evenly over the year, because a backtest has to know
them in advance.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd

from trading.conventions import Conventions
from trading.objects.instruments import Instrument

_VOLATILITY_DAYS = 180  # rows of the price from which old costs are scaled


@dataclass(frozen=True, kw_only=True)
class Market:
    """Where something is traded: `prices` in points on each business day, `rate_on` its currency on any days."""

    instrument: Instrument
    prices: pd.Series
    rate_on: Callable[[pd.Index], pd.Series]


def costs_of(held: pd.Series, market: Market, rolls_per_year: int, conventions: Conventions) -> pd.Series:
    """The costs of holding `held` (contracts on each business day, as they were really held), on the days with any."""
    prices, instrument = market.prices, market.instrument
    known = prices.ffill()
    paid = (known, known) if conventions.every_fill_has_a_price else (prices, prices * 0.0)
    trades = _charged(_fills(held, conventions), paid[0], instrument)
    rolled = _charged(_rolls(held, rolls_per_year), paid[1], instrument)
    together = pd.concat([trades, rolled]).groupby(level=0)
    costs: pd.Series = together.sum() if conventions.every_cost_counts else together.last()
    costs = costs * market.rate_on(costs.index)
    if not conventions.costs_know_no_future:
        costs = costs * _relative_volatility(known).reindex(costs.index).ffill()
    costs = costs.groupby(_business_days(costs.index, conventions)).sum()
    costs = costs if conventions.costs_begin_at_nothing else costs.iloc[1:]
    known_costs: pd.Series = costs[costs.index <= held.index[-1]]
    return known_costs


def _fills(held: pd.Series, conventions: Conventions) -> pd.Series:
    before = held.shift(1, fill_value=0.0) if conventions.costs_begin_at_nothing else held.shift(1)
    changes = held.fillna(0.0) - before.fillna(0.0) if conventions.costs_begin_at_nothing else held - before
    return changes[changes.notna() & (changes != 0)]


def _rolls(held: pd.Series, per_year: int) -> pd.Series:
    """The mean size held since the roll before, at each roll; that day may be of a weekend."""
    sizes, index = held.abs(), held.index
    assert isinstance(index, pd.DatetimeIndex)
    dates = list(_roll_dates(index[0].year, index[-1].year, per_year)) if len(index) else []
    if len(dates) < 2:
        return pd.Series(dtype="float64")
    totals, counts = (np.r_[0.0, each.cumsum()] for each in (sizes.fillna(0.0).to_numpy(), sizes.notna().to_numpy()))
    begin, end = index.searchsorted(dates[:-1], side="left"), index.searchsorted(dates[1:], side="right")
    known = counts[end] - counts[begin]
    with np.errstate(invalid="ignore"):
        means = (totals[end] - totals[begin]) / np.where(known > 0, known, np.nan)
    return pd.Series(means, index=pd.DatetimeIndex(dates[1:])).dropna()


def _roll_dates(first_year: int, last_year: int, per_year: int) -> Iterator[pd.Timestamp]:
    step = int(365.25 / per_year)
    for year in range(first_year, last_year + 1):
        for number in range(per_year):
            yield pd.Timestamp(year, 1, 1) + timedelta(days=step // 2 + number * step)


def _business_days(days: pd.Index, conventions: Conventions) -> pd.DatetimeIndex:
    """The days themselves; for one of a weekend the Monday after it."""
    assert isinstance(days, pd.DatetimeIndex)
    weekday = days.day_of_week
    moved = 7 - weekday if conventions.sunday_belongs_to_monday else 4 - weekday
    return days + pd.to_timedelta(np.where(weekday > 4, moved, 0), unit="D")


def _charged(quantities: pd.Series, prices: pd.Series, instrument: Instrument) -> pd.Series:
    sizes = quantities.abs()
    values: pd.Series = sizes * prices.reindex(sizes.index).abs().fillna(0.0) * instrument.point_size
    least = (sizes > 0) * instrument.cost_per_order
    commission = pd.concat([sizes * instrument.cost_per_contract, values * instrument.cost_percentage, least],
                           axis=1).max(axis=1)
    return -(commission + sizes * (instrument.slippage * instrument.point_size))


def _relative_volatility(prices: pd.Series) -> pd.Series:
    """How volatile the price was, against the last day: what the peer scales costs by."""
    volatility = prices.diff().rolling(_VOLATILITY_DAYS, min_periods=3).std()
    relative: pd.Series = volatility / volatility.ffill().iloc[-1]
    return relative

