"""The ids of orders in three tiers: each is derived from its parent's, so nobody need be asked whose it is. Pure.

An instrument order IO-..., its contract orders IO-...-C1, and their broker orders ...-C1-B1, which the broker echoes.
"""

import re
from typing import Final, Protocol

from ulid import ULID

FRONT_LEG: Final = 1  # of a roll: the one that closes
_OURS: Final = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}-C\d+-B\d+")


class Counting(Protocol):
    """An order that counts its children as they are made."""

    @property
    def id(self) -> str: ...
    @property
    def next_child(self) -> int: ...


def new_instrument_order_id() -> str:
    """Sortable by time, unique without asking anybody."""
    return f"IO-{ULID()}"


def contract_order_id(parent: Counting) -> str:
    """Derived, so that a repeated spawn meets its own child instead of making a second one."""
    return f"{parent.id}-C{parent.next_child}"


def broker_order_id(parent: Counting) -> str:
    """The order reference that the broker gets: derived from the parent, at most 40 plain characters."""
    return f"{parent.id.removeprefix('IO-')}-B{parent.next_child}"


def child_number(order_id: str) -> int:
    """The how-manieth child an id names: ...-B10 is the tenth, and comes after ...-B2."""
    return int(re.sub(r"\D", "", order_id.rpartition("-")[2]) or 0)


def leg_number(order_id: str) -> int:
    """The how-manieth leg of its instrument order a broker order's id names: ...-C2-B10 is of the second one."""
    return child_number(order_id.rpartition("-B")[0])


def leg_of(reference: str) -> str:
    """The contract order that a broker order's id names."""
    return f"IO-{reference.rpartition('-B')[0]}"


def is_ours(reference: str) -> bool:
    """Whether an order reference at the broker has the form of our broker orders."""
    return _OURS.fullmatch(reference.partition(":")[0]) is not None


def story_of(order_id: str) -> str:
    """The instrument order that any order's id descends from: ids are derived, so nobody need be asked."""
    root = order_id.partition("-C")[0]
    return root if root.startswith("IO-") else f"IO-{root}"
