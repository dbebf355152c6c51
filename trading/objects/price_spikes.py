"""A new price that is far from its neighbours is a question for a person, not a price (pysystemtrade.md 3.3). Pure."""

from typing import Final

import numpy as np
import pandas as pd

from trading.conventions import OURS, Conventions
from trading.errors import DataError
from trading.objects.sound_series import check_numbers, check_times

MAX_SPIKE: Final = 8.0  # a move this many times the usual one
_USUAL_MOVES_NEEDED: Final = 20
_SPAN: Final = 500  # rows that the usual move remembers
_MILLISECONDS_A_DAY: Final = 86_400_000


class PriceSpike(DataError):
    """A new price is far from its neighbours, and nothing confirms it."""

    def __init__(self, what: str, stamp: pd.Timestamp, value: float, ratio: float) -> None:
        instrument = what.partition("/")[0]
        super().__init__(f"{what}: {value:g} at {stamp:%Y-%m-%d %H:%M} is a move {ratio:.0f} times the usual one "
                         f"(allowed: {MAX_SPIKE:g}) and no later price confirms it. Nothing was stored; it is "
                         f"looked at again with the next prices. See: tradectl prices {instrument}")
        self.stamp = stamp


def check_spike(what: str, old: pd.Series, new: pd.Series, conventions: Conventions = OURS) -> None:
    """Raise PriceSpike when a price in `new` is a spike by the rule of `conventions`.

    Args:
        old: what is stored, in order of time; may be empty. new: later rows only.

    Raises:
        PriceSpike: see above. DataError: `new` is unsorted, has a time twice or an infinite price.
    """
    if new.empty:
        return
    check_times(what, new.index)
    check_numbers(what, new)
    if conventions.crashes_can_be_confirmed:
        _check_unconfirmed(what, old, new)
    else:
        _check_own_average(what, old, new)


def _check_unconfirmed(what: str, old: pd.Series, new: pd.Series) -> None:
    """A jump is a move of more than eight usual daily ones of `old`, whatever the time between two prices below a day.

    The next two prices must stay with it: a crash is confirmed by them, a wrong tick is not. A young series has no
    usual move and passes.
    """
    usual = _usual_daily_move(old)
    fresh = new.dropna()
    if not usual or fresh.empty:
        return
    joined = pd.concat([old.dropna().tail(1), fresh])
    values, limit = joined.to_numpy(dtype=float), MAX_SPIKE * usual
    for i in np.flatnonzero(np.abs(np.diff(values)) > limit * np.sqrt(np.maximum(_days_between(joined), 1.0))) + 1:
        confirmations = np.abs(values[i + 1:i + 3] - values[i]) <= limit
        if len(confirmations) < 2 or not confirmations.all():
            raise PriceSpike(what, joined.index[i], values[i], abs(values[i] - values[i - 1]) / usual)


def _check_own_average(what: str, old: pd.Series, new: pd.Series) -> None:
    joined = pd.concat([old, new]) if len(old) else new
    ratios = moves_in_averages(joined).to_numpy()[len(old):]
    spikes = np.flatnonzero(ratios > MAX_SPIKE)
    if len(spikes):
        first = spikes[0]
        raise PriceSpike(what, new.index[first], float(new.iloc[first]), float(ratios[first]))


def moves_in_averages(prices: pd.Series) -> pd.Series:
    """The size of each move over the root of its days, as a multiple of its own weighted mean (span 500 rows)."""
    moves = prices.diff().abs()
    moves.iloc[1:] /= np.sqrt(_days_between(prices))
    return moves / moves.ewm(span=_SPAN).mean()


def _days_between(prices: pd.Series) -> np.ndarray:
    stamps = pd.DatetimeIndex(prices.index).as_unit("ms").asi8
    days: np.ndarray = np.diff(stamps) / _MILLISECONDS_A_DAY
    return days


def _usual_daily_move(old: pd.Series) -> float | None:
    """The exponentially weighted mean move between the last prices of each day; None while there are too few."""
    known = old.dropna()
    daily = known.groupby(pd.DatetimeIndex(known.index).normalize()).last().tail(_SPAN)
    if len(daily) < _USUAL_MOVES_NEEDED:
        return None
    return float(daily.diff().abs().ewm(span=_SPAN).mean().iloc[-1])
