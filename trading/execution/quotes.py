"""The best prices of a moment, and whether they may be acted on (RC-13). Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

HOLD_AFTER: Final = timedelta(seconds=10)  # no new price is made from an older quote
CANCEL_AFTER: Final = timedelta(seconds=60)  # and none rests beside one older than this


@dataclass(frozen=True, kw_only=True)
class Traded:
    """Lots of a contract that all the market has traded since its day began, ours among them."""

    lots: int
    changed: datetime  # when a trade was last heard of; a quiet market and a dead feed look alike


@dataclass(frozen=True, kw_only=True)
class Touch:
    """Best bid and offer at a moment; prices may be zero or negative. Sizes in lots, None when they are not told."""

    bid: Decimal
    ask: Decimal
    at: datetime
    bid_size: int | None = None
    ask_size: int | None = None
    traded: Traded | None = None  # None: the broker tells no volume

    @property
    def is_sane(self) -> bool:
        """Prices may be zero or negative, but two zeros are what a feed shows that knows nothing.

        A locked market, bid equal to ask, is one: it trades at that price. A crossed one is none.
        """
        known = self.bid.is_finite() and self.ask.is_finite() and not self.bid == self.ask == 0
        return known and self.bid <= self.ask

    @property
    def mid(self) -> Decimal:
        return (self.bid + self.ask) / 2

    def own(self, quantity: int) -> Decimal:
        """The price of our own side: the bid for a purchase."""
        return self.bid if quantity > 0 else self.ask

    def far(self, quantity: int) -> Decimal:
        """The price that we would have to take: the ask for a purchase."""
        return self.ask if quantity > 0 else self.bid

    def own_size(self, quantity: int) -> int | None:
        return self.bid_size if quantity > 0 else self.ask_size

    def far_size(self, quantity: int) -> int | None:
        return self.ask_size if quantity > 0 else self.bid_size


def usable(touch: Touch | None, now: datetime) -> Touch | None:
    """`touch`, if a price may be made from it."""
    return touch if touch is not None and touch.is_sane and now - touch.at <= HOLD_AFTER else None


def is_lost(touch: Touch | None, now: datetime) -> bool:
    """Whether nothing may rest beside what is known of the market."""
    return touch is None or not touch.is_sane or now - touch.at > CANCEL_AFTER
