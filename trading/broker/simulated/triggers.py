"""When a sleeping order wakes: stops, trailing stops, touches, and conditions on price or time. Pure."""

import json
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Final

import numpy as np
import numpy.typing as npt

from trading.broker.simulated.order_types import OrderType
from trading.broker.simulated.orders import Action, Order
from trading.broker.simulated.place_order import Condition
from trading.broker.simulated.price_grid import PriceGrid
from trading.broker.simulated.recorded_market import Prints, instant_of

PRICE: Final = 1
TIME: Final = 3
KNOWN_CONDITIONS: Final = (PRICE, TIME)
PricesOf = Callable[[int], Prints]
ParseTime = Callable[[str], datetime]


def trigger_levels(order: Order, prices: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The stop of `order` at each of `prices`, the first being that at which it began to work."""
    if not order.order_type.trails:
        return np.full(len(prices), float(order.aux_price or 0))
    best = np.maximum.accumulate(prices) if order.action is Action.SELL else np.minimum.accumulate(prices)
    sign = -1 if order.action is Action.SELL else 1
    away = best * float(order.trailing_percent) / 100 if order.trailing_percent else float(order.aux_price or 0)
    levels = np.asarray(best + sign * away)
    if order.trail_stop is None:
        return levels
    start = float(order.trail_stop)
    return np.maximum(levels, start) if order.action is Action.SELL else np.minimum(levels, start)


def trigger(order: Order, prints: Prints, until: datetime) -> tuple[datetime, float] | None:
    """When the last price first reached the level of `order`, and that level; None when it has not by `until`."""
    standing = prints.until(order.active_from)
    since = prints.after(order.active_from).until(until)
    if order.active_from > until or not len(standing) + len(since):
        return None
    prices = np.concatenate([standing.prices[-1:], since.prices])
    levels = trigger_levels(order, prices)
    hits = np.flatnonzero(prices >= levels if _wakes_above(order) else prices <= levels)
    if not len(hits):
        return None
    at = int(hits[0]) - len(standing.prices[-1:])
    return (order.active_from if at < 0 else instant_of(int(since.times[at])), float(levels[hits[0]]))


def stop_limit(order: Order, level: float, grid: PriceGrid) -> Decimal | None:
    """The limit with which a woken order works; that of a trailing one lies its offset beyond the stop."""
    if order.order_type is not OrderType.TRAIL_LIMIT or order.limit_offset is None:
        return order.limit_price
    return grid.nearest(Decimal(repr(level)) + order.action.sign * order.limit_offset)


def conditions_text(conditions: tuple[Condition, ...]) -> str:
    return json.dumps([[each.kind, *each.fields] for each in conditions]) if conditions else ""


def conditions_of(order: Order) -> tuple[Condition, ...]:
    rows = json.loads(order.conditions) if order.conditions else []
    return tuple(Condition(row[0], tuple(row[1:])) for row in rows)


def met_at(order: Order, prices_of: PricesOf, parse_time: ParseTime, until: datetime) -> datetime | None:
    """When all conditions of `order` that belong together were first true; None when not by `until`.

    "a" joins a condition to the next by and, "o" by or; and binds closer.
    """
    moments: list[datetime] = []
    together: list[datetime | None] = []
    for condition in conditions_of(order):
        together.append(_first_true(condition, order.placed_at, prices_of, parse_time, until))
        if condition.fields[0] != "a":
            moments += _all_of(together)
            together = []
    return min([*moments, *_all_of(together)], default=None)


def _all_of(moments: list[datetime | None]) -> list[datetime]:
    known = [moment for moment in moments if moment is not None]
    return [max(known)] if known and len(known) == len(moments) else []


def _first_true(condition: Condition, since: datetime, prices_of: PricesOf, parse_time: ParseTime,
                until: datetime) -> datetime | None:
    is_more, value = condition.fields[1] in ("1", "true"), condition.fields[2]
    if condition.kind == TIME:
        moment = parse_time(value)
        return (max(moment, since) if moment <= until else None) if is_more else (since if since <= moment else None)
    prints = prices_of(int(condition.fields[3]))
    standing = prints.until(since)
    window = Prints(np.concatenate([standing.times[-1:], prints.after(since).until(until).times]),
                    np.concatenate([standing.prices[-1:], prints.after(since).until(until).prices]))
    hits = np.flatnonzero(window.prices >= float(value) if is_more else window.prices <= float(value))
    return max(since, instant_of(int(window.times[hits[0]]))) if len(hits) else None


def _wakes_above(order: Order) -> bool:
    """A stop to buy and a touch to sell lie above the market."""
    touches = order.order_type in (OrderType.IF_TOUCHED, OrderType.LIMIT_IF_TOUCHED)
    return (order.action is Action.BUY) != touches
