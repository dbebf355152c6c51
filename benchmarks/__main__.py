"""`make bench`: a table against the budgets, and benchmarks/latest.json.

Everything runs on this machine in a temporary folder: generated markets, embedded store, simulated gateway.
"""

import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from trading.unix_socket import request

HERE = Path(__file__).parent
DISPATCHES, TRANSITIONS, STATUSES, IDLE_S = 40, 300, 15, 20


@dataclass(frozen=True)
class Measurement:
    """One line of the table."""

    what: str
    value: str
    budget: str
    figures: dict[str, float]


def main() -> None:
    """Run all measurements and write them down."""
    with tempfile.TemporaryDirectory(prefix="tradingd-bench-") as folder:
        state = Path(folder) / "var"
        lines = [measure_day(state)]
        ctl(state, "start")
        try:
            lines += [measure_dispatch(state), measure_transition(state), measure_status(state), measure_idle(state)]
        finally:
            ctl(state, "stop")
    show(lines)
    machine = {"cores": os.cpu_count(), "machine": platform.machine(), "python": platform.python_version(),
               "system": platform.system()}
    result = {"machine": machine, "measurements": [asdict(line) for line in lines]}
    (HERE / "latest.json").write_text(json.dumps(result, indent=2) + "\n")


def measure_day(state: Path) -> Measurement:
    """A whole day from nothing: generated data, import, twelve processes."""
    started = time.perf_counter()
    words = [sys.executable, "-m", "daemon", "--day", "--once", "--state", str(state)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    total = time.perf_counter() - started
    played = float(re.findall(r"The day is done \(([0-9.]+) s\)", done.stdout)[0])
    return Measurement("a day, with generating and importing / its processes alone",
                       f"{total:.1f} s / {played:.1f} s", "-", {"total_s": total, "processes_s": played})


def measure_dispatch(state: Path) -> Measurement:
    """From the request to run a process to the first line of its job."""
    latencies = [dispatch_once(state) for _ in range(DISPATCHES)]
    return percentiles("due time to first line of the job", latencies, "15 / 60 ms")


def dispatch_once(state: Path) -> float:
    """Seconds for one dispatch."""
    asked = datetime.now(UTC)
    run = request(state / "run" / "control.sock", "POST", "/processes/update_strategy_capital/run", {"wait": True})
    stamp = re.search(r"(\S+Z) \[info +\] job_started", Path(run["log"]).read_text())
    assert stamp is not None, f"{run['log']} does not say when the job started"
    return (datetime.fromisoformat(stamp.group(1)) - asked).total_seconds()


def measure_transition(state: Path) -> Measurement:
    """One durable change of a process's state, with its event, in a transaction."""
    from trading.data.mongo.connection import connect
    from trading.data.mongo.processes import MongoProcesses

    uri = request(state / "run" / "control.sock", "GET", "/status")["store"]["uri"]
    store = connect(uri, "bench")
    processes, control = MongoProcesses(store), MongoProcesses(store).control("bench")
    latencies = []
    for _ in range(TRANSITIONS):
        started = time.perf_counter()
        control = processes.save_control(control, {"cause": "bench"})
        latencies.append(time.perf_counter() - started)
    store.client.drop_database("bench")
    store.close()
    return percentiles("state transition, durable", latencies, "p99 20 ms")


def measure_status(state: Path) -> Measurement:
    """`tradectl status` as a whole process."""
    latencies = [timed(lambda: ctl(state, "status")) for _ in range(STATUSES)]
    return percentiles("tradectl status, a whole process", latencies, "150 ms")


def measure_idle(state: Path) -> Measurement:
    """Processor time and memory of the daemon while nothing is due."""
    pid = int(request(state / "run" / "control.sock", "GET", "/status")["pid"])
    before, started = cpu_s(pid), time.perf_counter()
    time.sleep(IDLE_S)
    share = 100 * (cpu_s(pid) - before) / (time.perf_counter() - started)
    memory = resident_mb(pid)
    return Measurement("idle daemon", f"{share:.2f} % of a core, {memory:.0f} MB", "0.5 %, 150 MB",
                       {"cpu_percent": share, "resident_mb": memory})


def ctl(state: Path, *words: str) -> None:
    """One call of tradectl."""
    subprocess.run([str(Path(sys.executable).with_name("tradectl")), "--state", str(state), *words],
                   check=True, capture_output=True)


def timed(work: Callable[[], None]) -> float:
    """Seconds that `work` takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def percentiles(what: str, latencies: Sequence[float], budget: str) -> Measurement:
    """p50 and p99 in milliseconds."""
    ordered = sorted(latencies)
    p50 = statistics.median(ordered) * 1000
    p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))] * 1000
    return Measurement(what, f"{p50:.1f} / {p99:.1f} ms (p50 / p99)", budget, {"p50_ms": p50, "p99_ms": p99})


def cpu_s(pid: int) -> float:
    """Processor seconds that `pid` has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mb(pid: int) -> float:
    """Resident memory of `pid`."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found.group(1)) / 1024


def show(lines: Sequence[Measurement]) -> None:
    """The table."""
    width, values = max(len(line.what) for line in lines), max(len(line.value) for line in lines)
    for line in lines:
        print(f"{line.what:<{width}}  {line.value:<{values}}  budget {line.budget}")


if __name__ == "__main__":
    main()
