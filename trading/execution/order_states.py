"""What an instrument or contract order can be: its life, holds, flags, and the changes that are allowed. Pure.

Life and fills are two axes: a late fill never revives an order, it only changes what is filled
(orders_and_risk.md 2.3).
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from trading.errors import TradingError


class ExecutionStyle(StrEnum):
    """How an order is worked."""

    BEST = "BEST"  # passive first, then aggressive
    MARKETABLE = "MARKETABLE"  # at the far side, within a collar
    LIMIT = "LIMIT"  # at the price that a person gave
    ADAPTIVE = "ADAPTIVE"  # the broker's own algo
    TWAP = "TWAP"
    POV = "POV"
    PASSIVE_ONLY = "PASSIVE_ONLY"  # never crosses


class Lifecycle(StrEnum):
    """The life that instrument and contract orders share."""

    CREATED = "CREATED"  # stored, its checks not yet passed
    OPEN = "OPEN"  # no live child
    WORKING = "WORKING"  # at least one live child
    CLOSING = "CLOSING"  # nothing new is sent; waits until every child is proven dead
    CLOSED = "CLOSED"  # never opens again


class CloseReason(StrEnum):
    """Why a closed order ended."""

    FILLED = "FILLED"
    CANCELLED = "CANCELLED"  # a person or the kill switch ended it
    EXPIRED = "EXPIRED"  # its time was over before it was filled
    REJECTED = "REJECTED"  # the broker refused it
    DENIED = "DENIED"  # a control refused it
    SUPERSEDED = "SUPERSEDED"  # a newer decision took its place
    NETTED = "NETTED"  # an opposite order made it needless
    ERROR = "ERROR"  # it could not be worked at all; see its story


class Hold(StrEnum):
    """Why nothing is sent for an order at the moment; independent of its life."""

    LOCKED = "LOCKED"
    MARKET_CLOSED = "MARKET_CLOSED"
    NO_DATA = "NO_DATA"
    KILL = "KILL"
    RATE = "RATE"
    APPROVAL = "APPROVAL"
    UNKNOWN_CHILD = "UNKNOWN_CHILD"


class AdaptivePriority(StrEnum):
    """How much the broker's own algo hurries, in its words."""

    URGENT = "Urgent"
    NORMAL = "Normal"
    PATIENT = "Patient"


class Flag(StrEnum):
    """What happened to an order that a person should know."""

    LATE_FILL = "LATE_FILL"
    OVERFILL = "OVERFILL"
    LEG_IMBALANCE = "LEG_IMBALANCE"
    MANUAL_TOUCH = "MANUAL_TOUCH"
    CORRECTED = "CORRECTED"
    ALGO_REFUSED = "ALGO_REFUSED"  # the broker works no such order by its own algo
    PRECAUTION = "PRECAUTION"  # refused for limits that a person has set in the gateway: another one waits for a person
    APPROVED = "APPROVED"  # ... who has let another one go
    REBUILT = "REBUILT"  # our store had lost it: made anew from what the broker tells


class FillState(StrEnum):
    """How much of an order is filled; derived from its fills, never stored."""

    NONE = "NONE"
    PARTIAL = "PARTIAL"
    FULL = "FULL"
    OVER = "OVER"


_L = Lifecycle
CHANGES: Final[Mapping[Lifecycle, frozenset[Lifecycle]]] = {
    _L.CREATED: frozenset({_L.OPEN, _L.WORKING, _L.CLOSED}),
    _L.OPEN: frozenset({_L.WORKING, _L.CLOSING, _L.CLOSED}),
    _L.WORKING: frozenset({_L.OPEN, _L.CLOSING, _L.CLOSED}),
    _L.CLOSING: frozenset({_L.CLOSED}),
    _L.CLOSED: frozenset(),
}


class InvalidOrderChange(TradingError):
    """An order was to change in a way that CHANGES does not list."""

    def __init__(self, order: str, old: Lifecycle, new: Lifecycle) -> None:
        allowed = ", ".join(sorted(CHANGES[old])) or "none"
        super().__init__(f"Order {order} is {old} and cannot become {new} (allowed: {allowed}). "
                         f"See its story: tradectl story {order}")


def check_change(order: str, old: Lifecycle, new: Lifecycle) -> None:
    """Raise InvalidOrderChange unless CHANGES lets `old` become `new`; staying is no change."""
    if new is not old and new not in CHANGES[old]:
        raise InvalidOrderChange(order, old, new)


def fill_state(quantity: int, filled: int) -> FillState:
    """How much of `quantity` is filled; a fill of the other sign, or of a quantity of nothing, is OVER."""
    if filled == 0:
        return FillState.NONE
    if filled * quantity <= 0 or abs(filled) > abs(quantity):
        return FillState.OVER
    return FillState.FULL if filled == quantity else FillState.PARTIAL
