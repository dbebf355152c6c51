"""Real daemons on a real store, for chaos: everything can be frozen, killed and started again.

Nothing listens at the broker's port, so no process may need the broker. Every process that a rig starts carries its
mark in the environment; by this mark the rig finds at the end what was left behind.
"""

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from checker import Evidence
from pymongo import MongoClient

from daemon.store.embedded_store import free_port, server_program
from processes.registry import PROCESSES
from trading.data.mongo.connection import connect
from trading.errors import StoreError
from trading.unix_socket import DaemonRefused, DaemonUnreachable, request

REPOSITORY = Path(__file__).resolve().parents[3]
JOBS = Path(__file__).resolve().parent / "jobs"
MARK = "CHAOS_RIG"
NEVER = "0 0 1 1 *"  # nobody waits for it
TTL_S = 3.0


def job(module: str = "append", **more: Any) -> dict[str, Any]:
    """An entry of processes.yaml that runs only when it is asked to, unless `more` says when."""
    when = {} if more.keys() & {"every", "cron", "after_finish", "on_success_of"} else {"cron": NEVER}
    return {"job": f"chaosjobs.{module}", "timeout": "PT60S", "grace": "PT2S", **when, **more}


def due_in(delay_s: float, module: str = "append", **more: Any) -> dict[str, Any]:
    """An entry with one slot, `delay_s` seconds from now: `every` begins at the start of its window."""
    opens = datetime.now(UTC) + timedelta(seconds=delay_s)
    window = {"start": f"{opens:%H:%M:%S}", "stop": f"{opens + timedelta(hours=2):%H:%M:%S}"}
    return job(module, every="PT12H", window=window, **more)


def until(condition: Callable[[], Any], timeout_s: float, what: str) -> Any:
    """What `condition` says as soon as that is true."""
    deadline_s = time.monotonic() + timeout_s
    while not (found := condition()):
        assert time.monotonic() < deadline_s, f"not within {timeout_s} s: {what}"
        time.sleep(0.03)
    return found


class StoreServer:
    """A store that keeps its port and its files when it is killed."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._port = folder, free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.uri = f"mongodb://127.0.0.1:{self._port}/"
        self.client: MongoClient[dict[str, Any]] = MongoClient(self.uri, tz_aware=True, timeoutMS=20_000)

    def start(self, within_s: float = 30) -> None:
        """Return as soon as it answers."""
        with (self._folder / "out").open("ab") as output:
            self._process = subprocess.Popen(
                [server_program(), "--host", "127.0.0.1", "--port", str(self._port), "--storage-path",
                 str(self._folder / "store"), "--sync-on-commit", "--cache-size", "256M", "--log-level", "WARNING"],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        until(self._answers, within_s, "the store answers")

    def signal(self, number: int) -> None:
        """SIGSTOP freezes it, SIGCONT lets it go on."""
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """kill -9."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(timeout=20)

    def end(self) -> None:
        self.client.close()
        if self._process is not None and self._process.poll() is None:
            self.signal(signal.SIGCONT)
            self.kill()

    def _answers(self) -> bool:
        try:
            connect(self.uri, "probe", 1.0).close()
        except StoreError:
            return False
        return True


@dataclass
class Daemon:
    """One tradingd process over one state directory."""

    rig: "Rig"
    state: Path
    environment: dict[str, str] = field(default_factory=dict)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    @property
    def socket(self) -> Path:
        return self.state / "run" / "control.sock"

    @property
    def output(self) -> Path:
        return self.rig.folder / f"{self.state.name}.out"

    def begin(self) -> "Daemon":
        """Start it and return at once."""
        words = [sys.executable, "-m", "daemon", "--config", str(self.rig.config), "--state", str(self.state)]
        environment = os.environ | self.rig.environment | self.environment
        with self.output.open("ab") as output:
            self.process = subprocess.Popen([*words, "--verbose"], stdin=subprocess.DEVNULL, stdout=output,
                                            stderr=output, cwd=REPOSITORY, env=environment)
        return self

    def start(self, phase: str = "running", within_s: float = 30) -> "Daemon":
        """Start it and wait until it says that it is `phase`."""
        self.begin()
        self.wait_for(phase, within_s)
        return self

    def wait_for(self, phase: str, within_s: float = 30) -> None:
        def reached() -> bool:
            assert self.process is not None
            assert self.process.poll() is None, f"it ended with {self.process.returncode}:\n{self.words()}"
            return self.phase() == phase
        until(reached, within_s, f"{self.state.name} is {phase}")

    def phase(self) -> str:
        """As it says itself; empty while it does not answer."""
        try:
            return str(self.ask("GET", "/status", timeout_s=3)["service"])
        except (DaemonUnreachable, DaemonRefused):
            return ""

    def ask(self, method: str, resource: str, body: object = None, timeout_s: float = 20) -> Any:
        """One request over the control socket."""
        return request(self.socket, method, resource, body, timeout_s)

    def run(self, process: str, **more: Any) -> dict[str, Any]:
        """Run `process` now; the answer names the run."""
        return dict(self.ask("POST", f"/processes/{process}/run", more, timeout_s=60))

    def signal(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        """kill -9, and collect it."""
        self.signal(signal.SIGKILL)
        self.wait()

    def stop(self, within_s: float = 30) -> int:
        """SIGTERM; the exit code."""
        self.signal(signal.SIGTERM)
        return self.wait(within_s)

    def wait(self, within_s: float = 30) -> int:
        assert self.process is not None
        return self.process.wait(timeout=within_s)

    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def zygote(self) -> int:
        """The pid of the mother of its workers."""
        found = [pid for pid, words in children_of(self.pid) if "daemon.children.zygote" in words]
        assert found, "it has no zygote"
        return found[0]

    def words(self) -> str:
        """The end of what it printed."""
        return self.output.read_text(errors="replace")[-6000:]


class Rig:
    """A configuration, a database, an effect log, and any number of daemons."""

    def __init__(self, folder: Path, server: StoreServer, processes: dict[str, Any], **service: Any) -> None:
        folder.mkdir(parents=True)
        self.folder, self.server, self.config = folder, server, folder / "config"
        self.database = server.client.get_database(f"chaos_{secrets.token_hex(4)}")
        self.effect_log = folder / "effects.jsonl"
        self.environment = {MARK: str(folder), "CHAOS_EFFECTS": str(self.effect_log), "PYTHONPATH": str(JOBS)}
        self.daemons: list[Daemon] = []
        self.config.mkdir()
        own = {"mode": "paper", "timezone": "UTC", "broker": {"port": 1},
               "mongo": {"uri": server.uri, "database": self.database.name, "timeout_s": 5, "connect_limit_s": 20},
               "leadership": {"ttl_s": TTL_S, "renew_s": 1}}
        (self.config / "tradingd.yaml").write_text(yaml.safe_dump({**own, **service}))
        self.write_processes(processes)

    def write_processes(self, processes: dict[str, Any], **shared: Any) -> None:
        """Save processes.yaml as an editor does: whole, under another name, then renamed."""
        values = {**shared, "processes": dict.fromkeys(PROCESSES) | processes}
        newer = self.config / ".processes.yaml.new"
        newer.write_text(yaml.safe_dump(values, sort_keys=False))
        newer.replace(self.config / "processes.yaml")

    def daemon(self, name: str = "a", **environment: str) -> Daemon:
        """A daemon over the state directory `name`, not started."""
        self.daemons.append(Daemon(self, self.folder / name, environment))
        return self.daemons[-1]

    # --- what happened --------------------------------------------------------------------------------------------

    def effects(self, process: str | None = None, phase: str | None = None) -> list[dict[str, Any]]:
        """The marks of the jobs, in order."""
        text = self.effect_log.read_text() if self.effect_log.exists() else ""
        rows = [json.loads(line) for line in text.splitlines()]
        return [row for row in rows if process in (None, row["process"]) and phase in (None, row["phase"])]

    def runs(self, process: str | None = None) -> list[dict[str, Any]]:
        """As stored, the oldest first."""
        return list(self.database.process_runs.find({} if process is None else {"process": process}).sort("created", 1))

    def ticks(self, process: str | None = None) -> list[dict[str, Any]]:
        return list(self.database.ticks.find({} if process is None else {"process": process}).sort("slot", 1))

    def state(self, process: str) -> dict[str, Any]:
        """The stored document of `process`; empty when there is none."""
        return self.database.process_states.find_one({"_id": process}) or {}

    def evidence(self) -> Evidence:
        """Everything that the checker looks at."""
        return Evidence(effects=self.effects(), runs=self.runs(), ticks=self.ticks(),
                        events=list(self.database.process_events.find()),
                        states=list(self.database.process_states.find()))

    # --- the end --------------------------------------------------------------------------------------------------

    def left_behind(self) -> list[tuple[int, str]]:
        """Processes that carry our mark, apart from dead ones."""
        mark, found = f"{MARK}={self.folder}".encode(), []
        for path in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (path / "environ").read_bytes().split(b"\0"):
                    found.append((int(path.name), words_of(path)))
            except OSError:
                continue
        return found

    def wait_until_gone(self, within_s: float = 5) -> list[tuple[int, str]]:
        """What is left after everything had time to end."""
        deadline_s = time.monotonic() + within_s
        while (left := self.left_behind()) and time.monotonic() < deadline_s:
            time.sleep(0.05)
        return left

    def close(self) -> list[str]:
        """End everything; what would have been left behind by itself."""
        for daemon in self.daemons:
            if daemon.is_alive():
                daemon.signal(signal.SIGCONT)
                daemon.kill()
        left = self.wait_until_gone()
        for pid, _ in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return [f"{pid}: {words}" for pid, words in left]


def words_of(path: Path) -> str:
    """The command line of a process, given its folder under /proc."""
    return (path / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()


def children_of(parent: int) -> list[tuple[int, str]]:
    """The children of a process: pid and command line."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            stat = (path / "stat").read_text()
            if int(stat[stat.rindex(")") + 2:].split()[1]) == parent:
                found.append((int(path.name), words_of(path)))
        except OSError:
            continue
    return found


def is_alive(pid: int) -> bool:
    """Whether `pid` runs; a dead one that nobody has collected does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat[stat.rindex(")") + 2] != "Z"


def memory_mb(pid: int) -> float:
    """Resident memory."""
    fields = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line)
    return int(fields["VmRSS"].split()[0]) / 1000
