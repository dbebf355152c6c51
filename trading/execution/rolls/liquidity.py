"""Whether the forward contract, and the spread to it, can be traded. Pure.

Unknown stays unknown: None is not "illiquid", and nothing that must happen by a date asks here.
Source: orders_and_risk.md 6.4.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from math import inf
from statistics import median
from typing import Final

_DAYS: Final = 5
_OLDEST: Final = 10  # sessions back; older volume says nothing about today
LEAST_LOTS: Final = 100
_TIMES_POSITION: Final = 50
_WIDEST_TICKS: Final = 3


@dataclass(frozen=True, kw_only=True)
class DayVolume:
    """Lots traded in one session in both contracts."""

    front: int
    forward: int


@dataclass(frozen=True, kw_only=True)
class Liquidity:
    """What five sessions say; `is_stale` when they end a session before the last one."""

    rho: float  # median of forward volume over front volume
    forward_volume: float  # lots a day
    measured_on: date
    is_stale: bool = False


@dataclass(frozen=True, kw_only=True)
class SpreadQuote:
    """Both sides of the spread in its last session; a price may be negative, None where nobody quoted."""

    bid: Decimal | None
    ask: Decimal | None
    bid_size: int
    ask_size: int


def liquidity(volumes: Mapping[date, DayVolume], sessions: Sequence[date]) -> Liquidity | None:
    """The liquidity of the forward contract on the last of `sessions`, or once as it was the session before.

    A missing day is served once by the last good value; when the next one is missing too, nothing is known.

    Args:
        volumes: of the sessions that have both. sessions: the exchange's latest ones, oldest first.
    """
    for place, day in enumerate(reversed(sessions[-2:])):
        days = [each for each in sessions[-_OLDEST:] if each <= day and _has_volume(volumes.get(each))][-_DAYS:]
        if len(days) == _DAYS and days[-1] == day:
            found = [volumes[each] for each in days]
            return Liquidity(rho=median(_ratio(each) for each in found), measured_on=day, is_stale=place > 0,
                             forward_volume=sum(each.forward for each in found) / _DAYS)
    return None


def floor_holds(known: Liquidity | None, position: int) -> bool | None:
    """Whether the forward contract trades 100 lots a day, and 50 times `position`; None: not known."""
    if known is None:
        return None
    return known.forward_volume >= max(LEAST_LOTS, _TIMES_POSITION * abs(position))


def spread_market(quote: SpreadQuote | None, tick: Decimal, child_lots: int) -> bool:
    """Whether the spread was quoted on both sides, at most three ticks of its own wide, for one child order.

    Many instruments have none, and an order there never completes (pst #1632): no quote is no market.
    """
    if quote is None or quote.bid is None or quote.ask is None:
        return False
    return (Decimal(0) < quote.ask - quote.bid <= _WIDEST_TICKS * tick
            and min(quote.bid_size, quote.ask_size) >= child_lots)


def _has_volume(day: DayVolume | None) -> bool:
    """Two contracts without a single trade are a day without data, not a ratio."""
    return day is not None and (day.front > 0 or day.forward > 0)


def _ratio(day: DayVolume) -> float:
    return day.forward / day.front if day.front > 0 else inf
