"""A service without a broker and without the shipped processes: what it does by itself is all there is to see."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from processes.registry import PROCESSES
from trading.control.process_run import ProcessRun
from trading.data.mongo.connection import connect
from trading.data.mongo.processes import MongoProcesses
from trading.unix_socket import request

WAITING_JOB = "own_jobs.waiting"
JOB = """# works until it is asked to stop, and then goes on for as long as its arguments say
import time


def run(job):
    (job.state / "job_runs").touch()
    if job.process.arguments.get("fails"):
        raise ValueError("as it was told")
    while not job.stop_requested():
        time.sleep(0.02)
    time.sleep(job.process.arguments.get("after_stop_s", 0))
    job.checkpoint()
"""


def paper_config(folder: Path, processes: dict[str, Any] | None = None, **service: Any) -> Path:
    """A configuration folder in which only `processes` run."""
    folder.mkdir(parents=True, exist_ok=True)
    shown = {"mode": "paper", "broker": {"port": 1}} | service
    (folder / "tradingd.yaml").write_text(yaml.safe_dump(shown))
    write_processes(folder, processes or {})
    return folder


def write_processes(folder: Path, processes: dict[str, Any]) -> None:
    """Nothing of what is shipped, but `processes`."""
    (folder / "processes.yaml").write_text(yaml.safe_dump({"processes": dict.fromkeys(PROCESSES) | processes}))


def write_job(folder: Path) -> dict[str, str]:
    """A job module of the test's own, WAITING_JOB; the environment in which it is found."""
    (folder / "own_jobs").mkdir(parents=True, exist_ok=True)
    (folder / "own_jobs" / "waiting.py").write_text(JOB)
    return {"PYTHONPATH": os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH"))))}


def daemon_words(config: Path, state: Path) -> list[str]:
    return [sys.executable, "-m", "daemon", "--config", str(config), "--state", str(state)]


def status_of(state: Path) -> dict[str, Any]:
    return dict(request(state / "run" / "control.sock", "GET", "/status", timeout_s=10))


def runs_in_store(state: Path, process: str) -> list[ProcessRun]:
    """Newest first, from the store of the daemon that now uses `state`."""
    store = connect(status_of(state)["store"]["uri"], "tradingd")
    try:
        return MongoProcesses(store).runs(process)
    finally:
        store.close()


def tradectl(config: Path, state: Path, *words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """One call of tradectl, where nobody can be asked anything."""
    return subprocess.run([sys.executable, "-m", "daemon.cli", "--config", str(config), "--state", str(state), *words],
                          capture_output=True, text=True, check=False, timeout=120, stdin=subprocess.DEVNULL,
                          env=os.environ | environment, cwd=config)
