"""Which workers give no sign of life although their processes exist. By monotonic time: the wall clock may be set."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from trading.control.process_run import ProcessRun, RunState

SILENT_AFTER_S: Final = 60.0  # a worker beats every five seconds


@dataclass
class SignsOfLife:
    """Remembers since when the newest sign of each run is the newest."""

    _newest: dict[str, tuple[datetime | None, float]] = field(default_factory=dict)

    def silent(self, runs: Iterable[ProcessRun], now_s: float) -> set[str]:
        """Those of `runs`, as they stand in the store at `now_s`, that have been silent for a minute."""
        before, self._newest = self._newest, {}
        for run in runs:
            if run.state is RunState.RUNNING:
                newest, since_s = before.get(run.id, (None, now_s))
                self._newest[run.id] = (run.heartbeat, since_s if newest == run.heartbeat else now_s)
        return {run for run, (_, since_s) in self._newest.items() if now_s - since_s >= SILENT_AFTER_S}
