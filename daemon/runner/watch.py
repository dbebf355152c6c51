"""What people should hear of: happenings of the runner become metrics, and alerts where somebody must look."""

from collections import deque
from datetime import datetime, timedelta
from typing import Protocol

from trading.control.alert import AlertKind, Severity
from trading.control.due_slot import DueSlot, SlotOutcome, Tick
from trading.control.process_control import ProcessControl
from trading.control.process_run import ProcessRun, RunState
from trading.control.process_state import ProcessState


class Telling(Protocol):
    """The part of `Alerts` that is needed here: never waits, never fails."""

    def tell(self, kind: AlertKind, subject: str, text: str, severity: Severity | None = None) -> None:
        """Something is wrong with `subject`."""

    def over(self, kind: AlertKind, subject: str) -> None:
        """It is no longer so."""


class Counting(Protocol):
    """The part of `Metrics` that is needed here."""

    def slot(self, process: str, outcome: str, late_s: float | None = None) -> None:
        """A slot was decided."""

    def run_ended(self, process: str, state: RunState, duration_s: float | None) -> None:
        """A run reached its terminal state."""

    def set_process_state(self, process: str, state: ProcessState) -> None:
        """How a process stands now."""


class Watch:
    """Listens to the runner. Nothing here decides, waits or fails."""

    def __init__(self, alerts: Telling, metrics: Counting, late_after: timedelta = timedelta(minutes=5),
                 flapping_runs: int = 5, flapping_within: timedelta = timedelta(minutes=10)) -> None:
        self._alerts, self._metrics, self._late_after = alerts, metrics, late_after
        self._flapping_runs, self._flapping_within = flapping_runs, flapping_within
        self._failures: dict[str, deque[datetime]] = {}
        self.store_is_lost = False

    def started(self, run: ProcessRun, now: datetime) -> None:
        """A run was claimed; its worker is being started."""
        late_s = (now - run.due).total_seconds() if run.due is not None else 0.0
        self._metrics.slot(run.process, "STARTED", max(late_s, 0.0))
        self._alerts.over(AlertKind.LATE, run.process)

    def left_out(self, tick: Tick) -> None:
        """A slot never runs."""
        self._metrics.slot(tick.process, tick.outcome.value)
        if tick.outcome is SlotOutcome.MISSED:
            text = f"{tick.process} missed the slot {tick.slot}: {tick.reason}."
            self._alerts.tell(AlertKind.MISSED, tick.process, text)

    def waits(self, process: str, slot: DueSlot, why: str, now: datetime) -> None:
        """A slot that has come cannot start yet."""
        late = now - slot.not_before
        if late > self._late_after:
            self._alerts.tell(AlertKind.LATE, process, f"{process} has not started for its slot {slot.key}: {why}.")

    def ended(self, run: ProcessRun, control: ProcessControl, again: DueSlot | None, critical: bool) -> None:
        """A run reached its terminal state; `again` is the attempt that follows by itself."""
        duration_s = (run.ended - run.started).total_seconds() if run.ended and run.started else None
        self._metrics.run_ended(run.process, run.state, duration_s)
        self._metrics.set_process_state(run.process, control.state)
        if run.state is RunState.LOST:
            self._alerts.tell(AlertKind.LOST, run.process, f"{run.id} is LOST: {run.reason}.")
        elif run.state is RunState.FINISHED:
            for kind in (AlertKind.FAILED, AlertKind.MISSED, AlertKind.FLAPPING):
                self._alerts.over(kind, run.process)
            self._failures.pop(run.process, None)
        elif run.state in (RunState.ERROR, RunState.TERMINATED):
            self._failed(run, again, critical)

    def resolved(self, run: ProcessRun) -> None:
        """An operator has said what became of a lost run."""
        self._alerts.over(AlertKind.LOST, run.process)

    def store_failed(self, reason: str) -> None:
        """A statement failed or had no answer."""
        if not self.store_is_lost:
            self.store_is_lost = True
            self._alerts.tell(AlertKind.STORE_LOST, "store", (
                f"{reason} Nothing new is started until then; what runs goes on."))

    def store_answers(self) -> None:
        if self.store_is_lost:
            self.store_is_lost = False
            self._alerts.over(AlertKind.STORE_LOST, "store")

    def bug(self, text: str) -> None:
        """An error that nobody expected was contained."""
        self._alerts.tell(AlertKind.FAILED, "tradingd", f"An unexpected error in tradingd itself: {text}. See its log.")

    def _failed(self, run: ProcessRun, again: DueSlot | None, critical: bool) -> None:
        recent = self._failures.setdefault(run.process, deque(maxlen=100))
        if run.ended is not None:
            recent.append(run.ended)
            lately = sum(run.ended - moment <= self._flapping_within for moment in recent)
            if lately >= self._flapping_runs:
                minutes = self._flapping_within.total_seconds() / 60
                self._alerts.tell(AlertKind.FLAPPING, run.process, f"{run.process} keeps failing: at least "
                                  f"{self._flapping_runs} times within {minutes:.0f} min. See: tradectl history "
                                  f"{run.process}")
        if again is None:
            attempts = f" after {run.attempt} attempts" if run.attempt > 1 else ""
            self._alerts.tell(AlertKind.FAILED, run.process, f"{run.id} is {run.state.value}{attempts}: {run.reason}",
                              Severity.CRITICAL if critical else None)
