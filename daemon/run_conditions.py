"""May a process run now, and if not, why not: one decision from plain facts. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from trading.control.process_control import ProcessControl
from trading.control.process_state import TRANSITIONS, ProcessState
from trading.process_config import ProcessConfig


@dataclass(frozen=True, kw_only=True)
class RunDecision:
    """`reason` is a sentence for a person; `wait` means that asking again later can help."""

    allowed: bool
    reason: str = ""
    wait: bool = False
    in_line: bool = False  # all that it still waits for is a resource


@dataclass(frozen=True, kw_only=True)
class RunFacts:
    """All that the decision depends on."""

    process: ProcessConfig
    control: ProcessControl
    upstream: Mapping[str, ProcessControl]  # of each name in process.after
    trading_day: str
    now: datetime
    is_leader: bool
    broker_ready: bool
    broker_reason: str = ""
    resources_missing: str = ""  # which resource is taken, and by whom; empty: all that it needs is free
    runs_left: bool = True  # within max_runs
    scheduled: bool = False  # asked for by the schedule, not by a person
    force: bool = False  # an operator's wish: ignores pause, dependencies and a TERMINATED state


def can_process_run(facts: RunFacts) -> RunDecision:
    """Allowed, or the first reason against it."""
    if not facts.is_leader:
        return RunDecision(allowed=False, reason="this daemon does not lead (no lease on the store)", wait=True)
    if facts.control.state is ProcessState.RUNNING:
        return RunDecision(allowed=False, reason=f"it is already running ({facts.control.active_run})")
    if facts.process.needs_broker and not facts.broker_ready:
        return RunDecision(allowed=False, reason=f"it needs the broker: {facts.broker_reason}", wait=True)
    decision = RunDecision(allowed=True) if facts.force else _unforced(facts)
    if decision.allowed and facts.resources_missing:
        return RunDecision(allowed=False, reason=f"it waits for {facts.resources_missing}", wait=True, in_line=True)
    return decision


def _unforced(facts: RunFacts) -> RunDecision:
    if not facts.process.enabled:
        return RunDecision(allowed=False, reason="it is not enabled in processes.yaml")
    if facts.control.is_paused(facts.now):
        why = f" ({facts.control.wish_reason})" if facts.control.wish_reason else ""
        return RunDecision(allowed=False, reason=f"it is paused{why}; tradectl resume lets it run again")
    if not facts.runs_left:
        return RunDecision(allowed=False, reason=f"it has run {facts.process.max_runs} times already (max_runs)")
    if ProcessState.RUNNING not in TRANSITIONS[facts.control.state]:
        return RunDecision(allowed=False, reason=f"it is {facts.control.state}; tradectl reset lets it run again")
    missing = [f"{name} ({reason})" for name, control in facts.upstream.items()
               if (reason := _why_not_satisfied(control, facts))]
    if missing:
        return RunDecision(allowed=False, wait=True,
                           reason=f"it waits for {', '.join(missing)} on trading day {facts.trading_day}")
    return RunDecision(allowed=True)


def _why_not_satisfied(control: ProcessControl, facts: RunFacts) -> str:
    """Empty when the dependency is met: its newest run is a success of this trading day.

    A crashed or stopped run never satisfies, nor does yesterday's success. A scheduled run also wants a success that
    is newer than its own last one: what has been used is not used again.
    """
    success, mine = control.last_success, facts.control.last_success
    if not control.newest_run_succeeded or success is None or success.trading_day != facts.trading_day:
        return _why_missing(control)
    if facts.scheduled and mine is not None and mine.trading_day == facts.trading_day and mine.ended is not None \
            and success.ended is not None and success.ended <= mine.started:
        return "nothing new since the last run"
    return ""


def _why_missing(control: ProcessControl) -> str:
    if control.state is ProcessState.FINISHED and control.last_success is not None:
        return f"finished for {control.last_success.trading_day} only"
    return {ProcessState.NO_PROCESS: "never ran", ProcessState.RUNNING: "still running",
            ProcessState.ERROR: "failed", ProcessState.STOPPED: "was stopped",
            ProcessState.TERMINATED: "was killed", ProcessState.FINISHED: "finished"}[control.state]
