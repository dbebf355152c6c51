"""What each type and time in force of an order means here. Plain tables (ib_wire.md 2.3, 3.4)."""

from enum import StrEnum
from typing import Final


class OrderType(StrEnum):
    """The types that the exchange works with; combinations and algorithms use MKT and LMT."""

    MARKET = "MKT"
    LIMIT = "LMT"
    STOP = "STP"
    STOP_LIMIT = "STP LMT"
    TRAIL = "TRAIL"
    TRAIL_LIMIT = "TRAIL LIMIT"
    IF_TOUCHED = "MIT"
    LIMIT_IF_TOUCHED = "LIT"
    ON_CLOSE = "MOC"
    LIMIT_ON_CLOSE = "LOC"

    @property
    def has_limit(self) -> bool:
        return self in _LIMITED

    @property
    def has_trigger(self) -> bool:
        """Does it sleep until the last price reaches a level?"""
        return self in _TRIGGERED

    @property
    def trails(self) -> bool:
        return self in (OrderType.TRAIL, OrderType.TRAIL_LIMIT)

    @property
    def is_on_close(self) -> bool:
        return self in (OrderType.ON_CLOSE, OrderType.LIMIT_ON_CLOSE)


_LIMITED: Final = frozenset({OrderType.LIMIT, OrderType.STOP_LIMIT, OrderType.TRAIL_LIMIT,
                             OrderType.LIMIT_IF_TOUCHED, OrderType.LIMIT_ON_CLOSE})
_TRIGGERED: Final = frozenset({OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAIL, OrderType.TRAIL_LIMIT,
                               OrderType.IF_TOUCHED, OrderType.LIMIT_IF_TOUCHED})
SPELLINGS: Final = {"STPLMT": "STP LMT", "TRAILLIMIT": "TRAIL LIMIT", "TRAIL LMT": "TRAIL LIMIT"}


class TimeInForce(StrEnum):
    """How long an order works."""

    DAY = "DAY"  # until its session closes
    UNTIL_CANCELLED = "GTC"  # until its contract ends
    UNTIL_DATE = "GTD"
    AT_ONCE = "IOC"  # what does not fill at once is cancelled
    ALL_OR_NOTHING = "FOK"  # at once and whole, or not at all
    AT_OPEN = "OPG"  # at the next opening, or not at all


def order_type(text: str) -> OrderType | None:
    """The type that a client names; None for one that this exchange does not take."""
    name = SPELLINGS.get(text, text)
    return OrderType(name) if name in set(OrderType) else None
