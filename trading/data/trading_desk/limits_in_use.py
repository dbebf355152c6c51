"""Limits beside what is used of them."""

from datetime import datetime, timedelta
from typing import Any

from trading.data.mongo.books import MongoBooks
from trading.data.mongo.connection import MongoStore
from trading.data.mongo.controls import MongoLimits
from trading.execution.fills import Fill
from trading.risk.limits import Limit, LimitKind


def limits_in_use(store: MongoStore, now: datetime) -> list[dict[str, Any]]:
    """A row a limit; `used` is in lots, None for the size of one order."""
    books, limits = MongoBooks(store), MongoLimits(store).all()
    longest = max((each.days for each in limits), default=0)
    held, fills = books.strategy_positions(), books.fills_since(now - timedelta(days=longest)) if longest else []
    return [{"instrument": each.instrument, "kind": each.kind.value, "days": each.days, "strategy": each.strategy,
             "lots": each.lots, "used": _used(each, held, fills, now), "automatic": each.is_automatic, "by": each.who,
             "reason": each.reason} for each in limits]


def _used(limit: Limit, held: dict[tuple[str, str], int], fills: list[Fill], now: datetime) -> int | None:
    if limit.kind is LimitKind.POSITION:
        return abs(sum(lots for (strategy, code), lots in held.items()
                       if code == limit.instrument and limit.strategy in (None, strategy)))
    if limit.kind is LimitKind.ORDER:
        return None
    start = now - timedelta(days=limit.days)
    return sum(abs(fill.quantity) for fill in fills
               if fill.instrument == limit.instrument and fill.at > start and limit.strategy in (None, fill.strategy))
