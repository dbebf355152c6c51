"""What is known and wanted of one process. Observed state and the operator's wish are kept apart. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from trading.control.process_run import SUMMARY, ProcessRun
from trading.control.process_state import ProcessState, check_transition


class Desired(StrEnum):
    """What the operator wants; never changed by what happens."""

    ENABLED = "enabled"
    PAUSED = "paused"  # no new starts


@dataclass(frozen=True, kw_only=True)
class LastRun:
    """The most recent run, or the most recent success."""

    id: str
    trading_day: str
    started: datetime
    ended: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class ProcessControl:
    """One process. Every change is a new value; the store writes it against `version`."""

    name: str
    state: ProcessState = ProcessState.NO_PROCESS
    detail: str = ""
    desired: Desired = Desired.ENABLED
    active_run: str | None = None
    last_run: LastRun | None = None
    last_success: LastRun | None = None
    stop_reason: str | None = None  # set while a running process is asked to stop
    consecutive_failures: int = 0
    version: int = 0

    def start_process(self, run: ProcessRun) -> "ProcessControl":
        """RUNNING, with `run` as the active run."""
        started = LastRun(id=run.id, trading_day=run.trading_day, started=run.created)
        return replace(self._moved(ProcessState.RUNNING, ""), active_run=run.id, last_run=started, stop_reason=None)

    def finish_process(self, run: ProcessRun) -> "ProcessControl":
        """What the terminal `run` makes of the process: FINISHED, ERROR, STOPPED or TERMINATED."""
        ended = LastRun(id=run.id, trading_day=run.trading_day, started=run.started or run.created, ended=run.ended)
        after = replace(self._moved(SUMMARY[run.state], run.reason), active_run=None, last_run=ended, stop_reason=None)
        if after.state is ProcessState.FINISHED:
            return replace(after, last_success=ended, consecutive_failures=0)
        return replace(after, consecutive_failures=self.consecutive_failures + 1)

    def stop_process(self, reason: str) -> "ProcessControl":
        """Ask the active run to stop; the state follows when it obeys or is killed."""
        check_transition(self.name, self.state, ProcessState.STOPPED)
        return replace(self, stop_reason=reason)

    def reset_process(self) -> "ProcessControl":
        """Forget the last outcome: NO_PROCESS."""
        return replace(self._moved(ProcessState.NO_PROCESS, ""), active_run=None, consecutive_failures=0)

    def wished(self, desired: Desired) -> "ProcessControl":
        return replace(self, desired=desired)

    def _moved(self, new: ProcessState, detail: str) -> "ProcessControl":
        check_transition(self.name, self.state, new)
        return replace(self, state=new, detail=detail)
