"""An order that lives twice at the broker: the same reference under a second permanent id. Pure.

It happens when an order is changed while the broker is out of reach (ib_wire.md, top failure 18). The second one is
nobody's: it moves no order of ours, its instrument is locked until it has ended, and its fills are booked as external.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from trading.execution.broker_orders import BrokerOrder
from trading.execution.locks import Lock, LockCause

_ENDED: Final = frozenset({"Filled", "Cancelled", "ApiCancelled"})


def is_twin(order: BrokerOrder, facts: Mapping[str, Any]) -> bool:
    """Do `facts` tell of another order than the one that the broker first knew `order` as?"""
    told = facts.get("perm_id") or 0
    return bool(told) and order.perm_id is not None and order.perm_id != told


def has_ended(facts: Mapping[str, Any]) -> bool:
    """Is the order that `facts` tell of over?"""
    return facts.get("status") in _ENDED


def twin_lock(order: BrokerOrder, perm_id: int, now: datetime) -> Lock:
    """The lock while the second life of `order` lasts."""
    return Lock(instrument=order.instrument, cause=LockCause.TWIN_ORDER, subject=order.id, opened_at=now,
                reason=f"broker order {order.id} lives twice, as {order.perm_id} and as {perm_id}; cancel the second "
                       f"one at the broker", facts={"perm_id": perm_id})


def is_about(lock: Lock, perm_id: int) -> bool:
    """Whether `lock` is there because of the second life `perm_id`."""
    return lock.cause is LockCause.TWIN_ORDER and lock.facts["perm_id"] == perm_id
