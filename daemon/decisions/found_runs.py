"""What to make of a run that is active in the store but not ours to watch: after a crash, a reboot, a fail-over. Pure.

The table of scheduler.md 3.5. A worker is known by boot id, pid and start time together; a pid alone never counts.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from trading.control.process_run import ProcessRun, RunState, WorkerIdentity

NODE_DEAD_AFTER: Final = timedelta(seconds=30)  # without a heartbeat from another host


class Finding(StrEnum):
    """What can be said about a found run."""

    NEVER_STARTED = "never started"  # no worker took it, and none can any more: its claim is withdrawn
    ENDED = "ended"  # its worker announced how it ended
    ORPHAN = "orphan"  # its worker lives here without a daemon: it is killed first
    VANISHED = "vanished"  # its worker is gone without a word
    ELSEWHERE = "elsewhere"  # it may still run under another daemon: watched, not touched


@dataclass(frozen=True, kw_only=True)
class Here:
    """Where and when the question is asked."""

    node: str
    boot_id: str
    now: datetime


def find_out(run: ProcessRun, here: Here, is_alive: Callable[[WorkerIdentity], bool]) -> Finding:
    """What has become of `run`; `is_alive` answers for exactly that process on this machine."""
    if run.worker is None:
        return Finding.NEVER_STARTED
    if run.worker.boot_id == here.boot_id and is_alive(run.worker):
        has_daemon = run.daemon is not None and is_alive(run.daemon)
        return Finding.ELSEWHERE if has_daemon else Finding.ORPHAN
    if run.said_code is not None:
        return Finding.ENDED
    if run.worker.boot_id == here.boot_id:
        return Finding.VANISHED
    if run.node == here.node:
        return Finding.VANISHED  # this machine has been booted since
    last_sign = run.heartbeat or run.started or run.created
    return Finding.VANISHED if here.now - last_sign > NODE_DEAD_AFTER else Finding.ELSEWHERE


def settled_as_found(run: ProcessRun, finding: Finding, now: datetime) -> ProcessRun:
    """`run` in the terminal state that `finding` calls for."""
    if finding is Finding.ENDED and run.said_code is not None:
        state = {0: RunState.FINISHED, 143: RunState.STOPPED}.get(run.said_code, RunState.ERROR)
        return replace(run, state=state, ended=now, exit_code=run.said_code,
                       reason=run.reason or ("" if state is RunState.FINISHED else
                                             f"ended with exit code {run.said_code}. See: tradectl logs {run.process}"))
    if finding is Finding.NEVER_STARTED:
        return replace(run, state=RunState.CANCELLED, ended=now,
                       reason="its daemon ended before a worker had taken it: nothing ran")
    cause = "the machine or its daemon" if finding is Finding.VANISHED else "its daemon"
    return replace(run, state=RunState.LOST, ended=now,
                   reason=f"{cause} died while it ran; whether it did its work is not known. After a look at the logs: "
                          f"tradectl resolve {run.id} --finished, or --failed")
