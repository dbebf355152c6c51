"""How many lots may still be traded in a rolling window. Counted from fills and live orders each time. Pure.

No counter is kept, so none can drift, be reset by a restart or turn negative (V33, P-09). A live order counts in full
and in every window, since it may fill now. Rolls have a bucket of their own, and are not blocked by what strategies
trade (pysystemtrade issue 932). Source: orders_and_risk.md RC-07; pysystemtrade.md 2.7.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

DAY: Final = timedelta(days=1)
MONTH: Final = timedelta(days=30)


class Bucket(StrEnum):
    """Whose lots count against whose limit."""

    TRADES = "TRADES"
    ROLLS = "ROLLS"


@dataclass(frozen=True, kw_only=True, slots=True)
class TradedLots:
    """Lots (never negative) of one fill at `at` (aware), or of the leaves of one live order.

    A roll is counted by its combination units, not by both of its legs.
    """

    at: datetime
    lots: int
    bucket: Bucket = Bucket.TRADES
    is_live: bool = False

    def __post_init__(self) -> None:
        if self.lots < 0:
            raise ValueError(f"Traded lots have no sign, but got {self.lots}; buys and sells use the limit up alike.")


def lots_used(traded: Iterable[TradedLots], bucket: Bucket, window: timedelta, now: datetime) -> int:
    """Lots of `bucket` in the window that ends at `now`: a fill exactly one window ago no longer counts."""
    since = now - window
    return sum(each.lots for each in traded if each.bucket is bucket and (each.is_live or each.at > since))


def remaining(traded: Iterable[TradedLots], limit: int, bucket: Bucket, window: timedelta, now: datetime) -> int:
    """Lots that may still be traded; never negative, also after a limit was lowered."""
    return max(0, limit - lots_used(traded, bucket, window, now))


def cut(quantity: int, left: int) -> int:
    """As many of `quantity` signed lots as `left` lots allow: the same sign, or 0."""
    allowed = min(abs(quantity), max(0, left))
    return allowed if quantity > 0 else -allowed
