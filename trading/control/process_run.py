"""One run of one process: who started it, for which slot, and how it ended. Pure."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from trading.control.process_state import ProcessState


class RunState(StrEnum):
    """How far a run has come. Terminal states never change."""

    STARTING = "STARTING"  # claimed by the supervisor; the worker has not yet taken it
    RUNNING = "RUNNING"  # taken by the worker, before it imported any job code
    FINISHED = "FINISHED"
    ERROR = "ERROR"
    STOPPED = "STOPPED"
    TERMINATED = "TERMINATED"
    LOST = "LOST"  # its daemon died; whether it did its work is not known


ACTIVE: Final = frozenset({RunState.STARTING, RunState.RUNNING})
SUMMARY: Final = {  # what a terminal run makes of its process
    RunState.FINISHED: ProcessState.FINISHED, RunState.ERROR: ProcessState.ERROR, RunState.LOST: ProcessState.ERROR,
    RunState.STOPPED: ProcessState.STOPPED, RunState.TERMINATED: ProcessState.TERMINATED,
}


class Kind(StrEnum):
    """What asked for a run."""

    SCHEDULED = "scheduled"  # a cron slot
    DAY = "day"  # part of a whole day run at once
    MANUAL = "manual"  # tradectl run
    RETRY = "retry"


@dataclass(frozen=True, kw_only=True)
class WorkerIdentity:
    """A process for certain: a pid alone may have been reused (scheduler.md 3.5)."""

    boot_id: str
    pid: int
    start_ticks: int


@dataclass(frozen=True, kw_only=True)
class ProcessRun:
    """One run. `id` is `process@slot#attempt`, so the same slot can never be claimed twice."""

    id: str
    process: str
    slot: str
    attempt: int
    kind: Kind
    trading_day: str  # local date YYYY-MM-DD
    state: RunState
    created: datetime
    owner: str  # nonce of the daemon that started it
    reason: str = ""
    worker: WorkerIdentity | None = None
    started: datetime | None = None
    heartbeat: datetime | None = None
    ended: datetime | None = None
    exit_code: int | None = None
    signal: int | None = None
    max_rss_kb: int | None = None
    cpu_s: float | None = None
    log: str = ""
    nominals: tuple[str, ...] = field(default=())
    version: int = 0

    @property
    def active(self) -> bool:
        return self.state in ACTIVE


def run_id(process: str, slot: str, attempt: int) -> str:
    """The deterministic key of one attempt at one slot."""
    return f"{process}@{slot}#{attempt}"
