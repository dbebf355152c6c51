"""Take the price that is offered, with a limit, and give up after a while. Pure.

The limit lies at the far touch (buy at the ask), rounded so that it does not miss; it never chases. What is not
filled in time is cancelled; the remainder may be tried again a limited number of times with a fresh quote.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final

from trading.execution.broker_orders import BrokerLifecycle, BrokerOrder

MAX_ATTEMPTS: Final = 3
REPEAT_CANCEL: Final = timedelta(seconds=5)


@dataclass(frozen=True, kw_only=True)
class Touch:
    """Best bid and offer at a moment; prices may be zero or negative."""

    bid: Decimal
    ask: Decimal
    at: datetime

    @property
    def is_sane(self) -> bool:
        """Prices may be zero or negative, but two zeros are what a feed shows that knows nothing."""
        known = self.bid.is_finite() and self.ask.is_finite() and not self.bid == self.ask == 0
        return known and self.bid <= self.ask


def limit_price(quantity: int, touch: Touch, tick: Decimal) -> Decimal:
    """The far side of `touch` on the grid of `tick`: up for a purchase, down for a sale."""
    side, rounding = (touch.ask, ROUND_CEILING) if quantity > 0 else (touch.bid, ROUND_FLOOR)
    return (side / tick).to_integral_value(rounding) * tick


def should_cancel(order: BrokerOrder, now: datetime, time_out: timedelta) -> bool:
    """Whether a live order has had its time and no cancel is under way; none runs while the exchange is closed."""
    live = order.lifecycle in (BrokerLifecycle.ACKED, BrokerLifecycle.WORKING) and not order.held
    return live and order.sent is not None and now - order.sent >= time_out


def should_repeat_cancel(order: BrokerOrder, now: datetime) -> bool:
    """Whether a cancel went unanswered: it may never have left, and asking again is harmless."""
    asked = order.cancel_requested or order.sent  # somebody else may have asked for it
    return order.lifecycle is BrokerLifecycle.PENDING_CANCEL and asked is not None and now - asked >= REPEAT_CANCEL
