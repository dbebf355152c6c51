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
    LOST = "LOST"  # its worker vanished; whether it did its work is not known
    CANCELLED = "CANCELLED"  # its daemon died before a worker took it: nothing ran


ACTIVE: Final = frozenset({RunState.STARTING, RunState.RUNNING})
SUMMARY: Final = {  # what a terminal run makes of its process
    RunState.FINISHED: ProcessState.FINISHED, RunState.ERROR: ProcessState.ERROR, RunState.LOST: ProcessState.ERROR,
    RunState.STOPPED: ProcessState.STOPPED, RunState.TERMINATED: ProcessState.TERMINATED,
    RunState.CANCELLED: ProcessState.ERROR,
}


class Kind(StrEnum):
    """What asked for a run."""

    SCHEDULED = "scheduled"  # a slot of its schedule
    CATCHUP = "catchup"  # a slot that was missed and is made up for
    SUCCESS = "success"  # another process has finished
    BOOT = "boot"  # the daemon has started (@reboot)
    DAY = "day"  # part of a whole day run at once
    MANUAL = "manual"  # tradectl run
    BACKFILL = "backfill"  # tradectl backfill


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
    node: str = ""  # the host of that daemon
    daemon: WorkerIdentity | None = None  # that daemon itself, beyond its nonce
    token: int = 0  # the fencing token under which it was started
    generation: int = 0  # of the configuration that it keeps
    due: datetime | None = None
    reason: str = ""
    worker: WorkerIdentity | None = None
    started: datetime | None = None
    heartbeat: datetime | None = None
    ended: datetime | None = None
    said_code: int | None = None  # the exit code that the worker announced itself, in case nobody sees its end
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
