"""An order that lives twice at the broker: the same reference under a second permanent id. Pure.

It happens when an order is changed while the broker is out of reach (ib_wire.md, top failure 18). The second one is
nobody's: it moves no order of ours, its instrument is locked until it has ended, and its fills are a position break.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from trading.execution.broker_orders import BrokerOrder

_REASON: Final = re.compile(r"broker order (\S+) lives twice, as \d+ and as (\d+)")
_ENDED: Final = frozenset({"Filled", "Cancelled", "ApiCancelled"})


def is_twin(order: BrokerOrder, facts: Mapping[str, Any]) -> bool:
    """Do `facts` tell of another order than the one that the broker first knew `order` as?"""
    told = facts.get("perm_id") or 0
    return bool(told) and order.perm_id is not None and order.perm_id != told


def has_ended(facts: Mapping[str, Any]) -> bool:
    """Is the order that `facts` tell of over?"""
    return facts.get("status") in _ENDED


def has_traded(facts: Mapping[str, Any]) -> bool:
    """Does the last word on an order say that anything of it was filled?"""
    return facts.get("status") == "Filled" or bool(facts.get("filled"))


def lives_twice(order: BrokerOrder, perm_id: int) -> str:
    """Why the instrument of `order` is locked."""
    return f"broker order {order.id} lives twice, as {order.perm_id} and as {perm_id}"


def twin_in(reason: str) -> int | None:
    """The permanent id of the second order, if that is what the lock's `reason` is about."""
    found = _REASON.match(reason)
    return None if found is None else int(found[2])
