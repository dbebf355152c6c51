"""Who speaks to the broker next: cancels before orders before questions, the askers in rotation. Pure."""

from collections import OrderedDict, deque
from enum import IntEnum
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Urgency(IntEnum):
    """What cannot wait comes first: a cancel takes risk away, an order was decided, a question only asks."""

    CANCEL = 0
    ORDER = 1
    QUESTION = 2


class TurnQueue(Generic[Item]):
    """Those who wait. Mutable.

    An asker with a thousand questions delays another's only question by one turn, not by a thousand.
    """

    def __init__(self) -> None:
        self._lines: dict[Urgency, OrderedDict[str, deque[Item]]] = {urgency: OrderedDict() for urgency in Urgency}

    def put(self, urgency: Urgency, asker: str, item: Item) -> None:
        """`item` waits behind what `asker` wants with the same urgency."""
        self._lines[urgency].setdefault(asker, deque()).append(item)

    def next(self) -> Item | None:
        """Take the one whose turn it is; None when nobody waits."""
        for askers in self._lines.values():
            if askers:
                asker, waiting = askers.popitem(last=False)
                item = waiting.popleft()
                if waiting:
                    askers[asker] = waiting  # behind the others
                return item
        return None

    def __bool__(self) -> bool:
        return any(self._lines.values())
