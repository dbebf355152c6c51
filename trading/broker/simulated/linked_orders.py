"""What the fate of one order does to others: brackets and one-cancels-all groups (ib_wire.md 3.2). Pure."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Final

from trading.broker.simulated.book import Book, Changes
from trading.broker.simulated.orders import Order, OrderStatus

REDUCE: Final = 3  # ocaType: the others lose what one has filled; 1 and 2 cancel them
LINKED: Final = "A linked order was filled or cancelled."


def consequences(changes: Changes, book: Book, now: datetime) -> Changes | None:
    """What follows for other open orders from `changes`, which are in `book` already; None when nothing."""
    filled = {fill.perm_id: fill.shares for fill in changes.executions if fill.perm_id in
              {order.perm_id for order in changes.orders if order.con_id == fill.con_id}}
    found: dict[int, Order] = {}
    for order in changes.orders:
        for other in (*_family(order, book, now), *_group(order, filled.get(order.perm_id, 0), book, now)):
            found.setdefault(other.perm_id, other)
    return Changes(orders=tuple(found.values())) if found else None


def released(order: Order, book: Book, now: datetime) -> Changes | None:
    """The orders of a bracket that were kept back until this last one was transmitted."""
    if not order.transmit:
        return None
    family = [other for other in book.open_orders() if not other.transmit and other.client_id == order.client_id
              and other.order_id != order.order_id
              and (order.parent_id in (other.order_id, other.parent_id or None) or other.parent_id == order.order_id)
              and (order.parent_id or other.parent_id)]
    if not family:
        return None
    return Changes(orders=tuple(replace(other, transmit=True, active_from=max(now, other.active_from))
                                for other in family))


def _family(order: Order, book: Book, now: datetime) -> Iterator[Order]:
    """Children follow their parent; of the children of one parent the first that fills cancels the others."""
    for other in book.open_orders():
        if other.client_id != order.client_id or not other.parent_id or other.perm_id == order.perm_id:
            continue
        if other.parent_id == order.order_id:
            yield from _child(other, order, now)
        elif other.parent_id == order.parent_id and order.status is OrderStatus.FILLED:
            yield _cancelled(other, now)


def _child(child: Order, parent: Order, now: datetime) -> Iterator[Order]:
    if parent.status is OrderStatus.FILLED and child.waits_for_parent:
        since = parent.finished_at or now
        yield replace(child, waits_for_parent=False, active_from=max(since, child.active_from))
    elif not parent.status.is_open and parent.status is not OrderStatus.FILLED:
        yield _cancelled(child, now)


def _group(order: Order, filled: int, book: Book, now: datetime) -> Iterator[Order]:
    if not order.oca_group or not filled:
        return
    for other in book.open_orders():
        if (other.oca_group, other.account) != (order.oca_group, order.account) or other.perm_id == order.perm_id:
            continue
        left = other.quantity - filled
        if order.oca_type == REDUCE and left > other.filled:
            yield replace(other, quantity=left)
        else:
            yield _cancelled(other, now)


def _cancelled(order: Order, now: datetime) -> Order:
    return replace(order, status=OrderStatus.CANCELLED, finished_at=now, reason=LINKED)
