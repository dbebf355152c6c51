"""A roll by two outright orders goes unit by unit: a little out of the front month, then as much into the next. Pure.

The front month goes first and is never more than one unit ahead, so the position is never larger than before the roll,
and smaller by one unit at most (orders_and_risk.md 5.6, 6; RC-45). When one of the legs has ended, the other one only
makes up what is missing; but a month that must be left is left, whatever became of the other leg.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Final, Protocol

MOST_AT_ONCE: Final = 4  # orders of a leg within the window; RC-17 locks at one more than five
CROWD_WINDOW: Final = timedelta(seconds=60)


class Leg(Protocol):
    """A contract order of a roll."""

    @property
    def quantity(self) -> int: ...
    @property
    def filled(self) -> int: ...
    @property
    def residual(self) -> int: ...
    @property
    def is_open(self) -> bool: ...


@dataclass(frozen=True, kw_only=True)
class Pace:
    """What a leg may do now: lots (never negative) that may be alive at the broker, or its end."""

    lots: int
    is_over: bool


def unit_of(lots: int, most_units: int) -> int:
    """Lots of one unit of a roll of `lots`, of either sign: a lot, unless there would be too many units."""
    return max(1, ceil(abs(lots) / most_units))


def front_pace(front: Leg, forward: Leg, unit: int, *, must_leave: bool) -> Pace:
    """Of the leg that closes the front month."""
    if must_leave and not forward.is_open:
        return Pace(lots=abs(front.residual), is_over=False)
    room = unit - _ahead(front, forward)
    return Pace(lots=_within(room, front) if forward.is_open else 0, is_over=not forward.is_open)


def forward_pace(front: Leg, forward: Leg) -> Pace:
    """Of the leg that opens the next month."""
    lots = _within(_ahead(front, forward), forward)
    return Pace(lots=lots, is_over=not front.is_open and lots == 0)


def _ahead(front: Leg, forward: Leg) -> int:
    """Lots that were closed in front and not yet opened behind it."""
    return abs(front.filled) - abs(forward.filled)


def _within(lots: int, leg: Leg) -> int:
    return max(0, min(lots, abs(leg.residual)))


def is_crowded(made: Iterable[datetime], now: datetime) -> bool:
    """Whether a leg has had as many orders lately as it may: more would look like one that is sent again and again."""
    return sum(at > now - CROWD_WINDOW for at in made) >= MOST_AT_ONCE
