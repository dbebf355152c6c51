"""End every process of a run: its group, and whatever it started in sessions of its own (they carry its mark)."""

import os
import signal
import time
from pathlib import Path
from typing import Final

from daemon.children.worker_identity import is_alive
from trading.clock import boottime_s
from trading.control.process_run import WorkerIdentity

RUN_VARIABLE: Final = "TRADINGD_RUN_ID"
_GONE_WITHIN_S: Final = 2.0
_LOOKS, _LOOK_AGAIN_S, _YOUNG_S = 20, 0.01, 5.0


def kill_marked(run: str) -> None:
    """Kill programs that a worker started in sessions of their own: they carry the mark in their environment.

    The kernel shows nothing of the environment of a program that is just being started; it is looked at again.
    """
    mark = f"{RUN_VARIABLE}={run}".encode()
    places = list(Path("/proc").glob("[0-9]*"))
    for _ in range(_LOOKS):
        places = [place for place in places if _is_being_started(place, mark)]
        if not places:
            return
        time.sleep(_LOOK_AGAIN_S)


def _is_being_started(place: Path, mark: bytes) -> bool:
    """Kill the process of `place` if it has the mark; whether it may have one that is not to be seen yet."""
    try:
        environment = (place / "environ").read_bytes()
        if mark in environment.split(b"\0"):
            os.kill(int(place.name), signal.SIGKILL)
        return not environment and _is_young_program(place)
    except OSError:
        return False


def _is_young_program(place: Path) -> bool:
    """A program, not a thread of the kernel, begun in the last seconds; others have no environment for good."""
    (place / "exe").readlink()
    ticks = int((place / "stat").read_text().rpartition(")")[2].split()[19])
    return boottime_s() - ticks / os.sysconf("SC_CLK_TCK") < _YOUNG_S


def kill_orphan(worker: WorkerIdentity, run: str) -> None:
    """Kill a worker whose daemon is gone, with all that belongs to it; returns when it is gone, or after 2 s."""
    if is_alive(worker):
        try:
            os.killpg(worker.pid, signal.SIGKILL)
        except OSError:
            os.kill(worker.pid, signal.SIGKILL)
    kill_marked(run)
    deadline_s = time.monotonic() + _GONE_WITHIN_S
    while is_alive(worker) and time.monotonic() < deadline_s:
        time.sleep(0.01)
