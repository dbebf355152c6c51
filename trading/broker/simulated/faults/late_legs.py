"""Combinations whose legs do not fill together, as the real broker may fill one that it does not guarantee."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from trading.broker.simulated.book import Changes
from trading.broker.simulated.faults.fault import Fault
from trading.broker.simulated.orders import Execution

TOGETHER: Final = 2  # the rows of a fill that is told whole: the combination, and its first leg


@dataclass
class LateLegs:
    """The legs that have yet to fill. Mutable; times are monotonic seconds."""

    _waiting: list[tuple[float, tuple[Execution, ...]]] = field(default_factory=list)

    def first_alone(self, filled: Changes, fault: Fault, now_s: float) -> Changes:
        """`filled` with its first leg only; the others follow when `fault` says, or never."""
        if fault.seconds:
            self._waiting.append((now_s + fault.seconds, filled.executions[TOGETHER:]))
        return replace(filled, executions=filled.executions[:TOGETHER])

    def due(self, now_s: float, now: datetime) -> Changes | None:
        """The legs whose time has come, filled `now`; None when there are none."""
        rows = [replace(row, time=now) for due_s, rows in self._waiting if due_s <= now_s for row in rows]
        self._waiting = [(due_s, rows) for due_s, rows in self._waiting if due_s > now_s]
        return Changes(executions=tuple(rows)) if rows else None
