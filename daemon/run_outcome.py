"""What the end of a worker means for its run. Pure: the exit code is the truth, the worker's own words explain it."""

import signal
from dataclasses import dataclass, replace
from datetime import datetime

from daemon.workers import WorkerExit
from trading.control.process_run import ProcessRun, RunState


@dataclass(frozen=True, kw_only=True)
class Intervention:
    """What we did to the worker before it ended."""

    stop_reason: str | None = None  # asked to stop, for this reason
    timed_out_after_s: float | None = None
    killed: bool = False  # it did not obey in time


def settled(run: ProcessRun, end: WorkerExit, done: Intervention, now: datetime) -> ProcessRun:
    """`run` in its terminal state."""
    state, reason = _verdict(run, end, done)
    return replace(run, state=state, reason=reason, ended=now, exit_code=end.code if end.code >= 0 else None,
                   signal=-end.code if end.code < 0 else None, max_rss_kb=end.max_rss_kb, cpu_s=end.cpu_s)


def _verdict(run: ProcessRun, end: WorkerExit, done: Intervention) -> tuple[RunState, str]:
    see = f"See: tradectl logs {run.process}"
    if done.timed_out_after_s is not None:
        reason = f"{run.process} ran for {_minutes(done.timed_out_after_s)}, longer than allowed"
        if done.killed:
            return RunState.TERMINATED, f"{reason}: terminated. {see}"
        return RunState.ERROR, f"{reason}: stopped when asked. {see}"
    if done.stop_reason is not None:
        if done.killed:
            return RunState.TERMINATED, f"asked to stop ({done.stop_reason}), did not, was killed. {see}"
        return RunState.STOPPED, done.stop_reason
    if end.code == 0:
        return RunState.FINISHED, run.reason
    return RunState.ERROR, run.reason or f"{_how(end.code)}. {see}"


def _how(code: int) -> str:
    return f"ended with exit code {code}" if code > 0 else f"was killed by {signal.Signals(-code).name}"


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
