"""Bars from recorded prints: which stretch a client asked for, and the bars of it. Pure.

Bars start at whole multiples of their size from local midnight; a day is a local day of the exchange's zone.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd

from trading.broker.simulated import hours
from trading.broker.simulated.listing import BAG, CASH, FUTURE, ListedContract
from trading.broker.simulated.recorded_market import Nanoseconds, Prices, Prints, instant_of
from trading.errors import BrokerError

NANOSECONDS: Final = 1_000_000_000
DAY: Final = timedelta(days=1)
WEEK: Final = timedelta(days=7)
MONTH: Final = timedelta(days=30)  # stands for a calendar month; only compared, never added
SMALL_BARS: Final[Mapping[str, timedelta]] = {
    f"{n} secs": timedelta(seconds=n) for n in (1, 5, 10, 15, 30)}  # the real gateway paces these hard
BAR_SIZES: Final[Mapping[str, timedelta]] = {
    **SMALL_BARS,
    **{f"{n} min" + "s" * (n > 1): timedelta(minutes=n) for n in (1, 2, 3, 5, 10, 15, 20, 30)},
    **{f"{n} hour" + "s" * (n > 1): timedelta(hours=n) for n in (1, 2, 3, 4, 8)},
    "1 day": DAY, "1 week": WEEK, "1 month": MONTH,
}
OTHER_SPELLINGS: Final[Mapping[str, str]] = {
    "1 sec": "1 secs", "1 mins": "1 min", "1 hours": "1 hour", "1 days": "1 day", "1D": "1 day", "1 weeks": "1 week",
    "1W": "1 week", "1 months": "1 month", "1M": "1 month"}
STEPS: Final = (  # the longest stretch that bars of a size may cover: above it, the next size is the smallest
    (timedelta(minutes=30), timedelta(seconds=1)), (timedelta(hours=1), timedelta(seconds=5)),
    (timedelta(hours=4), timedelta(seconds=10)), (timedelta(hours=8), timedelta(seconds=30)),
    (DAY, timedelta(minutes=1)), (2 * DAY, timedelta(minutes=2)), (WEEK, timedelta(minutes=3)),
    (MONTH, timedelta(minutes=30)), (364 * DAY, timedelta(hours=1)))
STEP_OF_LONGER: Final = DAY
BID_ASK: Final = "BID_ASK"
TRADES: Final = "TRADES"
NOT_TRADED: Final = -1  # volume, average and count of bars that are not of trades


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One bar as the wire shows it; `date` is already in the client's format."""

    date: str
    open: float
    high: float
    low: float
    close: float
    volume: int
    average: float
    count: int
    mean: float = 0.0  # of all prints, whatever the wire shows


@dataclass(frozen=True)
class BarForm:
    """How long bars are, in which zone days begin, and how their starts are written."""

    size: timedelta
    zone: ZoneInfo
    stamp: Callable[[datetime], str]


class BarRequestError(BrokerError):
    """A historical request that the gateway refuses; carries the code for the client."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message, code=code)


def bar_size(text: str) -> timedelta:
    size = BAR_SIZES.get(OTHER_SPELLINGS.get(text, text))
    if size is None:
        raise BarRequestError(321, f"Error validating request.-'bN' : cause - Historical data bar size setting is "
                                   f"invalid. Legal ones are: {', '.join(BAR_SIZES)}.")
    return size


def parse_end(text: str, now: datetime, zone: ZoneInfo) -> datetime:
    """Empty is now; `YYYYMMDD HH:MM:SS Zone`, the same without zone (local), or `YYYYMMDD-HH:MM:SS` (UTC)."""
    if text == "":
        return now
    found = re.fullmatch(r"(\d{8})([ -])(\d\d:\d\d:\d\d)(?: (\S+))?", text.replace("  ", " "))
    if found is None or (found[2] == "-" and found[4]):
        raise _bad_end(text)
    try:
        named = UTC if found[2] == "-" else ZoneInfo(found[4]) if found[4] else zone
        return datetime.strptime(found[1] + found[3], "%Y%m%d%H:%M:%S").replace(tzinfo=named).astimezone(UTC)
    except (ValueError, ZoneInfoNotFoundError):
        raise _bad_end(text) from None


def start_of(duration: str, end: datetime, zone: ZoneInfo) -> datetime:
    """Where a stretch of `duration` that ends at `end` begins; days count trading days, as on the real gateway."""
    found = re.fullmatch(r"(\d{1,6}) ([SDWMY])", duration)
    if found is None or int(found[1]) == 0:
        raise BarRequestError(321, f"Error validating request.-'bN' : cause - Invalid duration {duration!r}; expected "
                                   f"a number and one of S, D, W, M, Y, for example '5 D'.")
    return _START[found[2]](int(found[1]), end, zone)


def check_step(duration: str, size: timedelta) -> None:
    """Raises BarRequestError when `size` is too small for `duration`."""
    count, unit = duration.split(" ")
    length = int(count) * {"S": timedelta(seconds=1), "D": DAY, "W": WEEK, "M": MONTH, "Y": 365 * DAY}[unit]
    smallest = next((step for longest, step in STEPS if length <= longest), STEP_OF_LONGER)
    if size < smallest:
        raise BarRequestError(162, f"Historical Market Data Service error message:invalid step: bars of {size} over "
                                   f"{duration}; the smallest are of {smallest}.")


def bars_of(contract: ListedContract, prints: Prints, what: str, form: BarForm) -> list[Bar]:
    """Bars of one kind of price.

    Raises:
        BarRequestError: this kind of contract has no such prices.
    """
    if what != BID_ASK:
        traded = what in (TRADES, "AGGTRADES")
        return make_bars(shown(contract, prints, what), form.size, form.zone, form.stamp, traded=traded)
    bids, asks = (make_bars(shown(contract, prints, side), form.size, form.zone, form.stamp, traded=False)
                  for side in ("BID", "ASK"))
    return [_bid_ask(bid, ask) for bid, ask in zip(bids, asks, strict=True)]


def _bid_ask(bid: Bar, ask: Bar) -> Bar:
    """Open is the average bid, close the average ask; low is the lowest bid, high the highest ask."""
    return Bar(date=bid.date, open=bid.mean, high=ask.high, low=bid.low, close=ask.mean, volume=NOT_TRADED,
               average=NOT_TRADED, count=NOT_TRADED)


def shown(contract: ListedContract, prints: Prints, what: str) -> Prints:
    """The prints of one side: trades and midpoints are the record, bid and ask its touch.

    Raises:
        BarRequestError: this kind of contract has no such prices.
    """
    if what not in _ALLOWED[contract.facts.sec_type]:
        raise BarRequestError(162, f"Historical Market Data Service error message:No historical market data for "
                                   f"{contract.facts.symbol}/{contract.facts.sec_type}@{contract.facts.exchange} "
                                   f"{what.capitalize()}")
    if what not in ("BID", "ASK"):
        return prints
    touches = (contract.touch(float(price)) for price in prints.prices)
    prices = [float(touch.bid if what == "BID" else touch.ask) for touch in touches]
    return Prints(prints.times, np.array(prices, dtype=np.float64))


def make_bars(prints: Prints, size: timedelta, zone: ZoneInfo, stamp: Callable[[datetime], str], *,
              traded: bool) -> list[Bar]:
    """Bars of the stretches that have prints, oldest first; stretches without any are left out."""
    if not len(prints):
        return []
    starts = _bar_starts(prints.times, size, zone)
    firsts = np.flatnonzero(np.r_[True, starts[1:] != starts[:-1]])
    pieces = np.split(prints.prices, firsts[1:])
    lasts = np.r_[firsts[1:], len(prints)] - 1
    labels = [_label(int(starts[first]), int(prints.times[last]), size, zone, stamp)
              for first, last in zip(firsts, lasts, strict=True)]
    return [_bar(label, piece, traded=traded) for label, piece in zip(labels, pieces, strict=True)]


def _bar(label: str, prices: Prices, *, traded: bool) -> Bar:
    return Bar(date=label, open=float(prices[0]), high=float(prices.max()), low=float(prices.min()),
               close=float(prices[-1]), volume=len(prices) if traded else NOT_TRADED,
               average=_mean(prices) if traded else NOT_TRADED, count=len(prices) if traded else NOT_TRADED,
               mean=_mean(prices))


def _mean(prices: Prices) -> float:
    return float(round(Decimal(repr(float(prices.mean()))), 8))


def _bar_starts(times: Nanoseconds, size: timedelta, zone: ZoneInfo) -> Nanoseconds:
    """Start of the bar of each time; from a day on local wall time read as if it were UTC: only the date counts."""
    wall = pd.DatetimeIndex(times, tz="UTC").tz_convert(zone).tz_localize(None)
    if size > DAY:
        return np.asarray(wall.to_period("W" if size == WEEK else "M").start_time.as_unit("ns").asi8, dtype=np.int64)
    local = np.asarray(wall.asi8, dtype=np.int64)
    width = int(size.total_seconds()) * NANOSECONDS
    floored: Nanoseconds = local // width * width
    return floored if size >= DAY else floored - (local - times)


def _label(start: int, last: int, size: timedelta, zone: ZoneInfo, stamp: Callable[[datetime], str]) -> str:
    """Weeks and months carry the date of their last print, days their own."""
    if size < DAY:
        return stamp(instant_of(start).astimezone(zone))
    return f"{instant_of(start):%Y%m%d}" if size == DAY else f"{instant_of(last).astimezone(zone):%Y%m%d}"


def _bad_end(text: str) -> BarRequestError:
    return BarRequestError(10314, f"End Date/Time: The date, time, or time-zone entered is invalid: {text!r}. The "
                                  f"correct format is yyyymmdd hh:mm:ss xx/xxxx or yyyymmdd-hh:mm:ss in UTC.")


def _seconds_before(count: int, end: datetime, _zone: ZoneInfo) -> datetime:
    return end - timedelta(seconds=count)


def _trading_days_before(count: int, end: datetime, zone: ZoneInfo) -> datetime:
    if count > 365:
        raise BarRequestError(321, "Error validating request.-'bN' : cause - Historical data requests for durations "
                                   "longer than 365 days must be made in years.")
    day = _last_trading_day(hours.local_date(end, zone))
    for _ in range(count - 1):
        day = _last_trading_day(day - DAY)
    return hours.midnight(day, zone)


def _last_trading_day(day: date) -> date:
    while not hours.is_trading_day(day):
        day -= DAY
    return day


def _calendar_before(stretch: Callable[[int], pd.DateOffset]) -> Callable[[int, datetime, ZoneInfo], datetime]:
    def start(count: int, end: datetime, zone: ZoneInfo) -> datetime:
        local = pd.Timestamp(end).tz_convert(zone).normalize()
        return (local - stretch(count)).tz_convert("UTC").to_pydatetime()
    return start


_QUOTED: Final = ("MIDPOINT", "BID", "ASK")
_ALLOWED: Final[Mapping[str, tuple[str, ...]]] = {
    FUTURE: (TRADES, "AGGTRADES", *_QUOTED), BAG: (TRADES, *_QUOTED), CASH: _QUOTED}
_START: Final[Mapping[str, Callable[[int, datetime, ZoneInfo], datetime]]] = {
    "S": _seconds_before,
    "D": _trading_days_before,
    "W": _calendar_before(lambda count: pd.DateOffset(days=7 * count)),
    "M": _calendar_before(lambda count: pd.DateOffset(months=count)),
    "Y": _calendar_before(lambda count: pd.DateOffset(years=count)),
}
