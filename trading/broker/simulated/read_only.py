"""A gateway that may only be read: what it refuses, and whether it still lists orders (ib_wire.md 3.4, code 321). Pure.

The real one has a check box for it, and refuses the lists of orders as well: a client that waits for their end when it
connects waits in vain.
"""

from enum import StrEnum
from typing import Final

from trading.broker.simulated.place_order import PlaceOrder
from trading.broker.simulated.refusals import VALIDATION, Refusal
from trading.broker.simulated.requests import (
    CancelOrder,
    GlobalCancel,
    Request,
    RequestAllOpenOrders,
    RequestAutoOpenOrders,
    RequestCompletedOrders,
    RequestOpenOrders,
)


class ReadOnly(StrEnum):
    """What a client may do with orders."""

    OFF = "OFF"  # everything
    ORDERS_SHOWN = "ORDERS_SHOWN"  # look at them
    ORDERS_HIDDEN = "ORDERS_HIDDEN"  # nothing at all


REFUSED: Final = Refusal(321, f"{VALIDATION}The API interface is currently in Read-Only mode.")
CHANGES: Final = (PlaceOrder, CancelOrder, GlobalCancel)
LISTS: Final = (RequestOpenOrders, RequestAllOpenOrders, RequestAutoOpenOrders, RequestCompletedOrders)


def check_read_only(request: Request, mode: ReadOnly) -> Refusal | None:
    """May a client ask for `request`? Executions and positions are no orders: they are always told."""
    if mode is ReadOnly.OFF:
        return None
    refused = CHANGES if mode is ReadOnly.ORDERS_SHOWN else (*CHANGES, *LISTS)
    return REFUSED if isinstance(request, refused) else None
