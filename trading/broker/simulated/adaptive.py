"""How the adaptive algorithm works an order here: from its own side to the other, a part of the way at a time. Pure.

What the real one does is not published. This one is patient, never trades beyond the limit of the order, and takes
the other side in the end; how long that takes follows from the priority.
"""

import json
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from trading.broker.simulated.listing import ListedContract
from trading.broker.simulated.orders import Action, Order
from trading.broker.simulated.recorded_market import Prints, instant_of

STRATEGY: Final = "Adaptive"
PRIORITY: Final = "adaptivePriority"
USUAL: Final = "Normal"
CROSSES_AFTER: Final = {"Urgent": timedelta(seconds=5), "Normal": timedelta(seconds=15),
                        "Patient": timedelta(seconds=60)}
INSTANT: Final = timedelta(microseconds=1)
PARTS: Final = 5  # of the way from one side to the other


def part_after(order: Order) -> timedelta:
    """How long the order stands before it improves."""
    told = dict(json.loads(order.algo_params)) if order.algo_params else {}
    return CROSSES_AFTER[told.get(PRIORITY, USUAL)] / PARTS


def improvements(order: Order, prints: Prints, until: datetime) -> list[datetime]:
    """When it stands at another price: on its way to the other side, and a while after the market has moved."""
    part = part_after(order)
    own = [order.active_from + number * part for number in range(1, PARTS + 1)]
    follows = [instant_of(int(stamp)) + part for stamp in prints.after(order.active_from).until(until).times]
    return sorted(at for at in {*own, *follows} if at <= until)


def working_limit(order: Order, contract: ListedContract, at: datetime) -> Decimal | None:
    """Where it stands at `at`, never beyond its limit or the other side; None before the market has a price.

    A market that moves right then meets it where it stood: only later it follows.
    """
    prints = contract.prints
    last = prints.until(at - INSTANT if at > order.active_from else at).last()
    if last is None:
        return None
    touch, parts = contract.touch(last), min(PARTS, (at - order.active_from) // part_after(order))
    way = (touch.ask - touch.bid) * parts / PARTS
    if order.action is Action.BUY:
        price = contract.grid.floor(touch.bid + way)
        return price if order.limit_price is None else min(price, order.limit_price)
    price = contract.grid.ceiling(touch.ask - way)
    return price if order.limit_price is None else max(price, order.limit_price)
