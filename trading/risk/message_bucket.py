"""How many messages may go to the broker now: a bucket of tokens, and a reserve that only cancels may use. Pure.

New tokens fill the reserve first, so a cancel never waits for orders (V20), and no second sees more than burst, reserve
and one second's tokens: 50 by default, the broker's own limit. Source: orders_and_risk.md RC-16.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from trading.risk.settings import FlowSettings


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageBucket:
    """Tokens at the time `at` (aware)."""

    tokens: float
    reserve: float
    at: datetime


def full_bucket(now: datetime, settings: FlowSettings) -> MessageBucket:
    return MessageBucket(tokens=settings.burst, reserve=settings.cancel_reserve, at=now)


def refilled(bucket: MessageBucket, now: datetime, settings: FlowSettings) -> MessageBucket:
    """The bucket at `now`; a clock that went back adds nothing."""
    fresh = max(0.0, (now - bucket.at).total_seconds()) * settings.messages_per_s
    reserve = min(float(settings.cancel_reserve), bucket.reserve + fresh)
    tokens = min(float(settings.burst), bucket.tokens + fresh - (reserve - bucket.reserve))
    return MessageBucket(tokens=tokens, reserve=reserve, at=max(now, bucket.at))


def taken(bucket: MessageBucket, now: datetime, settings: FlowSettings, *, is_cancel: bool) -> MessageBucket | None:
    """The bucket after one message at `now`, or None when it must wait; cancels use the reserve last."""
    filled = refilled(bucket, now, settings)
    if filled.tokens >= 1:
        return replace(filled, tokens=filled.tokens - 1)
    if is_cancel and filled.reserve >= 1:
        return replace(filled, reserve=filled.reserve - 1)
    return None
