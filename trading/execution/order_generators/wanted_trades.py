"""What a generator works with and gives: where a position stands, what is allowed, and the trade that follows. Pure.

No order yet: whoever makes one adds its account, its key and its prices.
"""

from dataclasses import dataclass
from enum import StrEnum


class PositionRule(StrEnum):
    """What overrides, expiry and limits leave of a strategy's freedom in an instrument."""

    FREE = "FREE"
    REDUCE_ONLY = "REDUCE_ONLY"
    CLOSE = "CLOSE"


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Lots of one strategy in one instrument: in the books, and of orders that still work."""

    held: int
    working: int = 0

    @property
    def expected(self) -> int:
        return self.held + self.working


@dataclass(frozen=True, kw_only=True)
class Allowed:
    """How a position may move; `limit` in lots, either way; None: there is no limit."""

    rule: PositionRule = PositionRule.FREE
    limit: int | None = None


@dataclass(frozen=True, kw_only=True)
class WantedTrade:
    """`trade` lots from what is held and works to `target`; 0 is an answer too.

    A trade against the working lots takes those back first: it is no reason to trade both ways.
    """

    target: int
    trade: int
    reason: str
    is_wish: bool = False  # of the strategy; else an override, a limit or an expiry demands it


def trade_to(target: int, standing: Standing, reason: str, *, is_wish: bool = False) -> WantedTrade:
    """The trade that makes `target` of what is held and works."""
    return WantedTrade(target=target, trade=target - standing.expected, reason=reason, is_wish=is_wish)
