"""The supervisor under load: from slot to job, a thousand processes, a fail-over, a store full of old runs, memory.

Everything runs on loopback in a temporary folder, is bounded in time, and is ended by its process id.
"""

import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.process_use import cpu_s, resident_mb
from daemon.store.embedded_store import end_server, free_port, server_command
from processes.registry import PROCESSES
from trading.unix_socket import DaemonRefused, DaemonUnreachable, request

ROOT = Path(__file__).resolve().parents[1]
TICKS, LOAD_S, FAILOVERS = 60, 60, 3


@dataclass(frozen=True)
class Service:
    """One daemon."""

    process: "subprocess.Popen[bytes]"
    socket: Path

    def status(self) -> dict[str, Any] | None:
        """Its answer, None while it gives none."""
        try:
            return dict(request(self.socket, "GET", "/status", timeout_s=5))
        except (DaemonUnreachable, DaemonRefused):
            return None

    def wait_for(self, role: str, within_s: float = 120.0) -> float:
        """Seconds until the service is `role`."""
        started = time.perf_counter()
        while (self.status() or {}).get("service") != role:
            if time.perf_counter() - started > within_s:
                raise TimeoutError(f"the service did not become {role} within {within_s} s")
            time.sleep(0.02)
        return time.perf_counter() - started


def configured(folder: Path, processes: str, uri: str | None = None) -> Path:
    """A configuration folder with only `processes`."""
    folder.mkdir(parents=True, exist_ok=True)
    shipped = "".join(f"  {name}: null\n" for name in PROCESSES)
    (folder / "processes.yaml").write_text(f"processes:\n{shipped}{processes}")
    store = f"mongo: {{uri: '{uri}'}}\n" if uri else ""
    (folder / "tradingd.yaml").write_text(f"mode: paper\ntimezone: UTC\nbroker: {{port: 1}}\n{store}")
    return folder


@contextmanager
def running(config: Path, state: Path) -> Iterator[Service]:
    """A daemon while the block runs."""
    words = [sys.executable, "-m", "daemon", "--config", str(config), "--state", str(state)]
    state.mkdir(parents=True, exist_ok=True)
    with (state / "output").open("ab") as output:
        process = subprocess.Popen(words, cwd=ROOT, stdout=output, stderr=output)
    try:
        yield Service(process, state / "run" / "control.sock")
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.terminate()
        process.wait(timeout=120)


@contextmanager
def store_server(folder: Path) -> Iterator[str]:
    """A store of its own, as two daemons share it."""
    port = free_port()
    process = subprocess.Popen(server_command(port, folder))
    try:
        yield f"mongodb://127.0.0.1:{port}/"
    finally:
        end_server(process)


def slot_to_job(folder: Path) -> list[float]:
    """Seconds from the due time of a slot to the first line of its job."""
    out = folder / "late"
    config = configured(folder / "config", f"  tick: {{every: PT1S, job: benchmarks.jobs, timeout: PT1M, "
                                           f"arguments: {{file: '{out}'}}}}\n")
    with running(config, folder / "var") as service:
        service.wait_for("running")
        while not out.is_file() or out.read_text().count("\n") < TICKS:
            time.sleep(0.2)
    return [float(line) / 1000 for line in out.read_text().split()][5:]


def thousand_processes(folder: Path) -> dict[str, float]:
    """The daemon's share of a core while a thousand processes have a hundred slots a day each; its memory."""
    lines = "".join(f"  p{number:04d}: {{cron: '{number % 14}-59/14 * * * *', job: benchmarks.jobs, timeout: PT1M, "
                    f"arguments: {{file: /dev/null}}}}\n" for number in range(1000))
    with running(configured(folder / "config", lines), folder / "var") as service:
        service.wait_for("running")
        time.sleep(20)  # the first look at everything is over
        used, started, asked = cpu_s(service.process.pid), time.perf_counter(), []
        while time.perf_counter() - started < LOAD_S:
            begun = time.perf_counter()
            service.status()
            asked.append(time.perf_counter() - begun)
            time.sleep(1.0)
        share = 100 * (cpu_s(service.process.pid) - used) / (time.perf_counter() - started)
        return {"cpu_percent": share, "resident_mb": resident_mb(service.process.pid),
                "status_worst_ms": max(asked) * 1000}


def fail_overs(folder: Path) -> list[float]:
    """Seconds from kill -9 of the leader until the standby leads."""
    taken = []
    with store_server(folder / "store") as uri:
        config = configured(folder / "config", "  tick: {every: PT2S, job: benchmarks.jobs, timeout: PT1M, "
                                               "arguments: {file: /dev/null}}\n", uri)
        for number in range(FAILOVERS):
            with running(config, folder / f"a{number}") as leader, running(config, folder / f"b{number}") as other:
                roles = _roles(leader, other)
                roles["running"].process.kill()
                taken.append(roles["standby"].wait_for("running"))
    return taken


def _roles(*services: Service) -> dict[str, Service]:
    while True:
        roles = {str((service.status() or {}).get("service")): service for service in services}
        if {"running", "standby"} <= roles.keys():
            return roles
        time.sleep(0.05)


def start_over_old_runs(folder: Path, count: int) -> dict[str, float]:
    """Seconds from the start of a daemon to its readiness, over `count` ended runs and over none."""
    found = {}
    for name, runs in (("empty", 0), ("full", count)):
        with store_server(folder / name / "store") as uri:
            config = configured(folder / name / "config", "  tick: {every: PT1H, job: benchmarks.jobs, timeout: PT1M, "
                                                          "arguments: {file: /dev/null}}\n", uri)
            with running(config, folder / name / "first") as service:  # makes the schema
                service.wait_for("running")
            _insert_old_runs(uri, runs)
            with running(config, folder / name / "var") as service:
                found[f"{name}_s"] = service.wait_for("running")
    return found


def _insert_old_runs(uri: str, count: int) -> None:
    from trading.control.process_run import Kind, ProcessRun, RunState
    from trading.data.mongo import process_documents as documents
    from trading.data.mongo.connection import connect

    store, moment = connect(uri, "tradingd", 60.0), datetime(2020, 1, 1, tzinfo=UTC)
    row = documents.run_document(ProcessRun(
        id="", process="tick", slot="", attempt=1, kind=Kind.SCHEDULED, trading_day="2020-01-01",
        state=RunState.FINISHED, created=moment, owner="old"))
    for first in range(0, count, 10_000):
        rows = []
        for number in range(first, min(first + 10_000, count)):
            when = moment + timedelta(minutes=number)
            rows.append(row | {"_id": f"tick@{number}#1", "slot": str(number), "v": 3, "created": when, "started": when,
                               "ended": when})
        store.database.process_runs.insert_many(rows, ordered=False)
    store.close()


def median_ms(latencies_s: list[float]) -> float:
    """For a line of the table."""
    return statistics.median(latencies_s) * 1000


OLD_RUNS = int(os.environ.get("BENCH_OLD_RUNS", "1000000"))
