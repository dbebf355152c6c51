"""The store of the unit tests, which forgets what has ended: for measurements that must not measure the store."""

from dataclasses import dataclass
from typing import Any

from memory_processes import MemoryProcesses

from trading.control.change import Change
from trading.control.process_control import ProcessControl


@dataclass
class ForgetfulProcesses(MemoryProcesses):
    """Keeps about the newest `keep` of everything, and counts the slots that were decided."""

    keep: int = 200
    decided: int = 0
    begun: int = 0

    def write(self, change: Change) -> ProcessControl:
        written = super().write(change)
        self.decided += len(change.ticks) + (change.begins is not None)
        self.begun += change.begins is not None
        self._forget()
        return written

    def _forget(self) -> None:
        if len(self.events_kept) > 2 * self.keep:
            del self.events_kept[:-self.keep]
            self.ticks_kept = _newest(self.ticks_kept, self.keep)
            ended = {key: row for key, row in self.runs_kept.items() if not row["active"]}
            active = {key: row for key, row in self.runs_kept.items() if row["active"]}
            self.runs_kept = _newest(ended, self.keep) | active


def _newest(rows: dict[str, Any], count: int) -> dict[str, Any]:
    return dict(list(rows.items())[-count:])
