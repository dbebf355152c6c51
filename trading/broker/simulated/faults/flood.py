"""How many messages of a flood are due: as many a second as it was asked for, however unevenly time is asked. Pure."""

from dataclasses import dataclass
from typing import Final

MOST_S: Final = 0.2  # who comes later than this sends no more than for this, or he would never catch up


@dataclass
class Flood:
    """`_owed` is the part of a message that is not due yet."""

    _owed: float = 0.0

    def due(self, per_s: float, since_s: float) -> int:
        """Messages for the `since_s` seconds since the last time."""
        self._owed += per_s * min(since_s, MOST_S)
        count = int(self._owed)
        self._owed -= count
        return count
