"""The end of an order with its whole family: nothing more is sent, and what the broker has is asked back. Pure.

An order of which nothing can be alive closes at once; another one is CLOSING until every child is proven dead.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from trading.execution.broker_orders import BrokerOrder
from trading.execution.order_states import CloseReason, Lifecycle
from trading.execution.orders import ContractOrder, InstrumentOrder, closed_by_children

_CANCELLED = CloseReason.CANCELLED


@dataclass(frozen=True, kw_only=True)
class Ending:
    """One family of orders as it would be."""

    old: InstrumentOrder
    new: InstrumentOrder
    legs: tuple[ContractOrder, ...]  # those that change
    live: tuple[BrokerOrder, ...]  # what the broker may still fill

    @property
    def changes(self) -> bool:
        return bool(self.legs) or self.new != self.old


def ending(root: InstrumentOrder, legs: Sequence[ContractOrder], orders: Iterable[BrokerOrder],
           reason: str = "") -> Ending:
    """The family of `root` taken back: `legs` are its contract orders, `orders` the broker orders of these."""
    live = tuple(order for order in orders if order.may_be_alive)
    parents = {order.parent for order in live}
    ended = [_closing(leg, is_alive=leg.id in parents) for leg in legs]
    new = _root(root, ended)
    return Ending(old=root, new=replace(new, reason=reason) if reason and new != root else new,
                  legs=tuple(new for old, new in zip(legs, ended, strict=True) if new != old), live=live)


def _closing(leg: ContractOrder, *, is_alive: bool) -> ContractOrder:
    if not leg.is_open or (is_alive and leg.lifecycle is Lifecycle.CLOSING):
        return leg
    return leg.moved(Lifecycle.CLOSING if is_alive else Lifecycle.CLOSED, _CANCELLED)


def _root(root: InstrumentOrder, legs: list[ContractOrder]) -> InstrumentOrder:
    if not legs:
        return root.moved(Lifecycle.CLOSED, _CANCELLED)
    return closed_by_children(root, legs) or root.moved(Lifecycle.CLOSING, _CANCELLED)
