"""The service as a process, for end-to-end tests: its own state directory, loopback only, nothing left behind."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from trading.unix_socket import DaemonUnreachable, request

REPOSITORY = Path(__file__).resolve().parents[2]


class Service:
    """tradingd and tradectl over one state directory."""

    def __init__(self, state: Path, config: Path = REPOSITORY / "config") -> None:
        self.state, self.config = state, config

    def play(self, *flags: str, timeout_s: float = 240) -> "subprocess.CompletedProcess[str]":
        """Run one day and wait for its end."""
        return subprocess.run(self._words("--day", "--once", *flags), capture_output=True, text=True, check=False,
                              timeout=timeout_s, cwd=REPOSITORY)

    def begin(self, *flags: str) -> "subprocess.Popen[str]":
        """Start the service and return at once."""
        log = (self.state.parent / "service.out").open("a")
        return subprocess.Popen(self._words(*flags), stdout=log, stderr=log, text=True, cwd=REPOSITORY)

    def ctl(self, *words: str, expect: int = 0) -> str:
        """The output of one tradectl call."""
        done = subprocess.run([sys.executable, "-m", "daemon.cli", "--config", str(self.config), "--state",
                               str(self.state), *words], capture_output=True, text=True, check=False, timeout=120,
                              cwd=REPOSITORY)
        assert done.returncode == expect, f"tradectl {' '.join(words)}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr if expect else done.stdout

    def json(self, *words: str) -> Any:
        return json.loads(self.ctl(*words, "--json"))

    def wait_until_running(self, process: str, timeout_s: float = 120) -> dict[str, Any]:
        """The status as soon as `process` is RUNNING."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            try:
                status = request(self.state / "run" / "control.sock", "GET", "/status", timeout_s=5)
            except DaemonUnreachable:
                time.sleep(0.02)
                continue
            if any(row["process"] == process and row["state"] == "RUNNING" for row in status["processes"]):
                return dict(status)
        raise AssertionError(f"{process} was not seen running within {timeout_s} s")

    def leftovers(self) -> list[str]:
        """Command lines of processes that still use this state directory."""
        found = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if str(self.state) in words and int(path.parent.name) != os.getpid():
                found.append(words)
        return found

    def wait_until_gone(self, timeout_s: float = 15) -> list[str]:
        """What is left after everything had time to end."""
        deadline = time.monotonic() + timeout_s
        while self.leftovers() and time.monotonic() < deadline:
            time.sleep(0.05)
        return self.leftovers()

    def _words(self, *flags: str) -> list[str]:
        return [sys.executable, "-m", "daemon", "--config", str(self.config), "--state", str(self.state), *flags]


def kill(process: "subprocess.Popen[str]", number: int = signal.SIGKILL) -> None:
    """Send a signal to a process that we started, and collect it."""
    process.send_signal(number)
    process.wait(timeout=60)


def check_both_sides(service: Service) -> dict[int, int]:
    """Positions are equal in our books and at the gateway, and follow from the fills on every tier."""
    ours = service.json("positions")
    theirs = {row["con_id"]: row["quantity"] for row in service.json("sim", "positions")}
    assert {row["con_id"]: row["quantity"] for row in ours["contract"]} == theirs
    by_instrument: dict[str, int] = {}
    for row in ours["contract"]:
        by_instrument[row["instrument"]] = by_instrument.get(row["instrument"], 0) + row["quantity"]
    assert {row["instrument"]: row["quantity"] for row in ours["strategy"]} == \
        {code: lots for code, lots in by_instrument.items() if lots}
    check_orders(service.json("orders", "--all"))
    return theirs


def check_orders(tiers: dict[str, list[dict[str, Any]]]) -> None:
    """Parents, children and fills add up on every leg; no order reference stands twice."""
    by_id = {row["id"]: row for rows in tiers.values() for row in rows}
    assert len(by_id) == sum(map(len, tiers.values()))
    for row in (*tiers["contract_orders"], *tiers["broker_orders"]):
        assert row["id"] in by_id[row["parent"]]["children"]
    for rows in tiers.values():
        for row in rows:
            filled: dict[str, int] = {}
            for fill in row["fills"]:
                filled[fill["contract"]] = filled.get(fill["contract"], 0) + fill["quantity"]
            for leg in row["legs"]:
                assert filled.get(leg["contract"], 0) == leg["filled"], row["id"]
                assert abs(leg["filled"]) <= abs(leg["quantity"])
    executions = [fill["execution_id"] for row in tiers["broker_orders"] for fill in row["fills"]]
    assert len(executions) == len(set(executions))


def played_day(output: str) -> str:
    """The trading day that the account of the day names."""
    return re.findall(r"Trading day \w+ (\d{4}-\d\d-\d\d)", output)[-1]
