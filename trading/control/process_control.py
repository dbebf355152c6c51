"""What is known and wanted of one process. Observed state and the operator's wish are kept apart. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from trading.control.due_slot import DueSlot
from trading.control.process_run import SUMMARY, ProcessRun, RunState
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
    wish_reason: str = ""  # why it is paused, and by whom
    paused_until: datetime | None = None
    active_run: str | None = None
    last_run: LastRun | None = None
    last_success: LastRun | None = None
    stop_reason: str | None = None  # set while a running process is asked to stop
    consecutive_failures: int = 0
    schedule: str = ""  # the schedule that `evaluated_through` belongs to
    evaluated_through: datetime | None = None  # every slot up to here has a run, a tick, or stands in `pending`
    utc_offset_s: int | None = None  # of its zone at `evaluated_through`, by the zone data of then
    pending: tuple[DueSlot, ...] = ()  # slots that have come and wait, the next one first
    skips: tuple[str, ...] = ()  # future slots that an operator has called off
    triggered_by: str = ""  # the newest run of another that has started it; of after_finish: when its last slot came
    runs_on: str = ""  # the window or day that `run_count` counts
    run_count: int = 0
    token: int = 0  # of the leader that wrote last; a smaller one is refused
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
        if run.state is RunState.CANCELLED:
            return after
        return replace(after, consecutive_failures=self.consecutive_failures + 1)

    def stop_process(self, reason: str) -> "ProcessControl":
        """Ask the active run to stop; the state follows when it obeys or is killed."""
        check_transition(self.name, self.state, ProcessState.STOPPED)
        return replace(self, stop_reason=reason)

    def reset_process(self) -> "ProcessControl":
        """Forget the last outcome: NO_PROCESS, and what depends on it waits for the next success."""
        return replace(self._moved(ProcessState.NO_PROCESS, ""), active_run=None, last_success=None,
                       consecutive_failures=0)

    def wished(self, desired: Desired, reason: str = "", until: datetime | None = None) -> "ProcessControl":
        """What the operator wants from now on, why, and for a pause until when."""
        return replace(self, desired=desired, wish_reason=reason, paused_until=until)

    def is_paused(self, now: datetime) -> bool:
        """Whether nothing may start at `now` (aware)."""
        return self.desired is Desired.PAUSED and (self.paused_until is None or now < self.paused_until)

    def resolved(self, run: ProcessRun) -> "ProcessControl":
        """What an operator's word about the lost `run` makes of the process; a newer run has the last word."""
        if self.last_run is None or self.last_run.id != run.id or self.active_run is not None:
            return self
        if SUMMARY[run.state] is not ProcessState.FINISHED:
            return replace(self, detail=run.reason)
        after = self if self.state is ProcessState.NO_PROCESS else self._moved(ProcessState.NO_PROCESS, run.reason)
        return replace(after, last_success=self.last_run, consecutive_failures=0)

    @property
    def newest_run_succeeded(self) -> bool:
        """Whether the newest run ended well, as seen by the supervisor or by an operator who looked at a lost one."""
        return self.active_run is None and self.last_success is not None and self.last_run is not None \
            and self.last_success.id == self.last_run.id

    def _moved(self, new: ProcessState, detail: str) -> "ProcessControl":
        check_transition(self.name, self.state, new)
        return replace(self, state=new, detail=detail)
