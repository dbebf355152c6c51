"""End every process of a run: its group, and whatever it started in sessions of its own (they carry its mark)."""

import os
import signal
import time
from pathlib import Path
from typing import Final

from daemon.children.worker_identity import is_alive
from trading.control.process_run import WorkerIdentity

RUN_VARIABLE: Final = "TRADINGD_RUN_ID"
_GONE_WITHIN_S: Final = 2.0


def kill_marked(run: str) -> None:
    """Kill programs that a worker started in sessions of their own: they carry the mark in their environment."""
    mark = f"{RUN_VARIABLE}={run}".encode()
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark in path.read_bytes().split(b"\0"):
                os.kill(int(path.parent.name), signal.SIGKILL)
        except OSError:
            continue


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
