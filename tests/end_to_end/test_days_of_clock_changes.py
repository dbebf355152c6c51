"""The service on the days on which the clocks change in London, as a process, with a clock that shows those days."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from service import Service, kill

from processes.registry import PROCESSES

pytestmark = pytest.mark.chaos
JOB = '''
from pathlib import Path

def run(job):
    with Path(job.process.arguments["file"]).open("a") as file:
        print(job.run_id, file=file)
'''


def a_service(folder: Path, as_of: str) -> Service:
    """Mode simulated at the moment `as_of`, with a fixed job at 01:30, one each half hour, and nothing else."""
    config = folder / "config"
    config.mkdir(exist_ok=True)
    shipped = "".join(f"  {name}: null\n" for name in PROCESSES)
    ours = "".join(f"  {name}: {{cron: '{cron}', job: clockjobs, timeout: PT1M, arguments: {{file: '{folder}/ran'}}}}\n"
                   for name, cron in (("fixed", "30 1 * * *"), ("wildcard", "*/30 * * * *")))
    (config / "processes.yaml").write_text(f"processes:\n{shipped}{ours}")
    (config / "tradingd.yaml").write_text(f"timezone: Europe/London\nclock: {{as_of: '{as_of}'}}\n")
    return Service(folder / "var", config)


def serve_until(service: Service, instant: str, timeout_s: float = 150) -> None:
    """Run the service until its own clock shows `instant` (UTC, to the second)."""
    daemon = service.begin()
    try:
        deadline = time.monotonic() + timeout_s
        while clock_of(service) < instant:
            assert time.monotonic() < deadline, "the service never got there"
            time.sleep(0.3)
    finally:
        kill(daemon, 15)


def clock_of(service: Service) -> str:
    from trading.unix_socket import DaemonUnreachable, request

    try:
        status: dict[str, Any] = request(service.state / "run" / "control.sock", "GET", "/status", timeout_s=5)
    except DaemonUnreachable:
        return ""
    return str(status["clock"]) if status["service"] == "running" else ""


def history(service: Service, process: str) -> dict[str, tuple[str, list[str]]]:
    """Slot -> what became of it, and the local times that it stood for."""
    rows = json.loads(service.ctl("history", process, "--json"))
    return {row["slot"]: (row["state"], row["nominals"]) for row in rows}


def test_in_the_missing_hour_a_fixed_job_runs_at_its_end_and_in_the_repeated_one_once(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "clockjobs.py").write_text(JOB)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "jobs"))

    # given a night in March whose 01:30 does not exist
    (tmp_path / "s").mkdir()
    spring = a_service(tmp_path / "s", "2026-03-29T00:59:50+00:00")
    serve_until(spring, "2026-03-29T01:00:06")

    # then the fixed job ran at the first minute behind the gap, the other one at its own time
    assert history(spring, "fixed") == {"2026-03-29T01:00:00Z": ("FINISHED", ["2026-03-29T01:30"])}
    assert history(spring, "wildcard") == {"2026-03-29T01:00:00Z": ("FINISHED", ["2026-03-29T02:00"])}

    # given the night in October whose 01:30 comes twice: the first time
    autumn = a_service(tmp_path / "s", "2026-10-25T00:29:50+00:00")
    serve_until(autumn, "2026-10-25T00:30:06")
    assert history(autumn, "fixed")["2026-10-25T00:30:00Z"] == ("FINISHED", ["2026-10-25T01:30"])
    assert history(autumn, "wildcard")["2026-10-25T00:30:00Z"] == ("FINISHED", ["2026-10-25T01:30"])

    # and the second time
    autumn = a_service(tmp_path / "s", "2026-10-25T01:29:50+00:00")
    serve_until(autumn, "2026-10-25T01:30:06")
    assert "2026-10-25T01:30:00Z" not in history(autumn, "fixed")
    assert history(autumn, "wildcard")["2026-10-25T01:30:00Z"] == ("FINISHED", ["2026-10-25T01:30"])

    # then each body ran once
    ran = (tmp_path / "s" / "ran").read_text().split()
    assert len(ran) == len(set(ran)) == 5
