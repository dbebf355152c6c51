"""May a process run now, and if not, why not: one decision from plain facts. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from trading.config import ProcessConfig
from trading.control.process_control import Desired, ProcessControl
from trading.control.process_state import TRANSITIONS, ProcessState


@dataclass(frozen=True, kw_only=True)
class RunDecision:
    """`reason` is a sentence for a person; `wait` means that asking again later can help."""

    allowed: bool
    reason: str = ""
    wait: bool = False


@dataclass(frozen=True, kw_only=True)
class RunFacts:
    """All that the decision depends on."""

    process: ProcessConfig
    control: ProcessControl
    upstream: Mapping[str, ProcessControl]  # of each name in process.after
    trading_day: str
    is_leader: bool
    broker_ready: bool
    broker_reason: str = ""
    force: bool = False  # an operator's wish: ignores pause, dependencies and a TERMINATED state


def can_process_run(facts: RunFacts) -> RunDecision:
    """Allowed, or the first reason against it."""
    if not facts.is_leader:
        return RunDecision(allowed=False, reason="this daemon does not lead (no lease on the store)", wait=True)
    if facts.control.state is ProcessState.RUNNING:
        return RunDecision(allowed=False, reason=f"it is already running ({facts.control.active_run})")
    if facts.process.needs_broker and not facts.broker_ready:
        return RunDecision(allowed=False, reason=f"it needs the broker: {facts.broker_reason}", wait=True)
    return RunDecision(allowed=True) if facts.force else _unforced(facts)


def _unforced(facts: RunFacts) -> RunDecision:
    if not facts.process.enabled:
        return RunDecision(allowed=False, reason="it is not enabled in processes.yaml")
    if facts.control.desired is Desired.PAUSED:
        return RunDecision(allowed=False, reason="it is paused; tradectl resume lets it run again")
    if ProcessState.RUNNING not in TRANSITIONS[facts.control.state]:
        return RunDecision(allowed=False, reason=f"it is {facts.control.state}; tradectl reset lets it run again")
    missing = [f"{name} ({_why_missing(control)})" for name, control in facts.upstream.items()
               if not _succeeded_on(control, facts.trading_day)]
    if missing:
        return RunDecision(allowed=False, wait=True,
                           reason=f"it waits for {', '.join(missing)} on trading day {facts.trading_day}")
    return RunDecision(allowed=True)


def _succeeded_on(control: ProcessControl, trading_day: str) -> bool:
    """A crashed or stopped run never satisfies; yesterday's success does not either."""
    return (control.state is ProcessState.FINISHED and control.last_success is not None
            and control.last_success.trading_day == trading_day)


def _why_missing(control: ProcessControl) -> str:
    if control.state is ProcessState.FINISHED and control.last_success is not None:
        return f"finished for {control.last_success.trading_day} only"
    return {ProcessState.NO_PROCESS: "never ran", ProcessState.RUNNING: "still running",
            ProcessState.ERROR: "failed", ProcessState.STOPPED: "was stopped",
            ProcessState.TERMINATED: "was killed", ProcessState.FINISHED: "finished"}[control.state]
