"""What the end of a worker means for its run. Pure: the exit code is the truth, the worker's own words explain it."""

import signal
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from daemon.decisions.worker_exit import WorkerExit
from trading.control.process_run import ProcessRun, RunState

NOT_OURS, WRONG_CONFIG, ASKED_TO_STOP = 75, 78, 143
NO_RETRY: Final = frozenset({WRONG_CONFIG})


class Why(StrEnum):
    """Why we intervened."""

    NOTHING = "nothing"
    STOPPED = "stopped"  # somebody asked, or a newer slot took its place
    TIMED_OUT = "timed out"
    PAST_DEADLINE = "past its deadline"
    WINDOW_ENDED = "window ended"
    NOT_TAKEN = "not taken"  # no worker had taken the run within start_timeout


@dataclass(frozen=True, kw_only=True)
class Intervention:
    """What we did to the worker before it ended."""

    why: Why = Why.NOTHING
    reason: str = ""  # a sentence for people
    killed: bool = False  # it did not obey in time


NOTHING_DONE: Final = Intervention()


def settled(run: ProcessRun, end: WorkerExit, done: Intervention, now: datetime) -> ProcessRun:
    """`run` in its terminal state."""
    state, reason = _verdict(run, end, done)
    return replace(run, state=state, reason=reason, ended=now, exit_code=end.code if end.code >= 0 else None,
                   signal=-end.code if end.code < 0 else None, max_rss_kb=end.max_rss_kb, cpu_s=end.cpu_s)


def _verdict(run: ProcessRun, end: WorkerExit, done: Intervention) -> tuple[RunState, str]:
    if run.worker is None:
        state = RunState.STOPPED if done.why is Why.STOPPED else RunState.CANCELLED
        return state, _never_taken(end, done)
    return _by_itself(run, end) if done.why is Why.NOTHING else _after(run, end, done)


def _by_itself(run: ProcessRun, end: WorkerExit) -> tuple[RunState, str]:
    if end.code == 0:
        return RunState.FINISHED, run.reason
    if end.lost:
        return RunState.LOST, (f"its worker ended and nobody saw how; whether it did its work is not known. "
                               f"After a look at the logs: tradectl resolve {run.id} --finished, or --failed")
    how = "took more memory than memory_max_mb allows" if end.out_of_memory else _how(end.code)
    return RunState.ERROR, run.reason or f"{how}. See: tradectl logs {run.process}"


def _after(run: ProcessRun, end: WorkerExit, done: Intervention) -> tuple[RunState, str]:
    """Of a run that was made to end."""
    see = f"See: tradectl logs {run.process}"
    if done.killed and end.code == -signal.SIGKILL:
        return RunState.TERMINATED, f"{done.reason}: it did not stop within its grace and was killed. {see}"
    if done.why is Why.STOPPED:
        return RunState.STOPPED, done.reason  # also when it had just done its work: it was asked to stop
    if end.code == 0 or (end.code == ASKED_TO_STOP and done.why is Why.WINDOW_ENDED and not done.reason):
        return RunState.FINISHED, run.reason
    if done.why is Why.WINDOW_ENDED:
        return RunState.STOPPED, done.reason
    return RunState.ERROR, f"{done.reason}: stopped when asked. {see}"


def _never_taken(end: WorkerExit, done: Intervention) -> str:
    if done.why is Why.NOTHING:
        return f"no worker took it ({_how(end.code)}): nothing ran"
    return f"{done.reason}: nothing ran"


def _how(code: int) -> str:
    return f"ended with exit code {code}" if code >= 0 else f"was killed by {signal.Signals(-code).name}"
