"""tradectl starts quickly because it imports nothing heavy: measured in a fresh interpreter, by what it loads."""

import http.server
import json
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = {"pymongo", "bson", "pandas", "numpy", "pyarrow", "pydantic", "yaml", "structlog", "starlette", "uvicorn",
         "apscheduler", "ib_async", "jinja2", "tenacity", "asyncio"}
ROW = {"process": "run_systems", "state": "FINISHED", "desired": "enabled", "run": "r", "trading_day": "2026-03-02",
       "start": "2026-03-02T20:00:00+00:00", "end": None, "detail": "", "failures": 0, "next": None, "active": None,
       "why": "it waits for update_fx_prices (never ran) on trading day 2026-03-02"}
STATUS = {"schema": 1, "service": "running", "pid": 1, "mode": "simulated", "clock": "2026-03-02T20:00:00+00:00",
          "broker": {"link": "ready", "reason": ""}, "processes": [ROW], "timezone": "Europe/London", "alerts": 0,
          "leader": {"is_leader": True, "token": 1, "node": "here", "problem": "", "holder": "here"}, "held": "",
          "config_problem": "", "clock_problem": "", "delivery_problems": {}, "generation": 1,
          "kill": {"level": "K0_NORMAL", "by": "", "reason": "", "since": None, "paused": []},
          "store": {"uri": "configured", "embedded": False, "answers": True, "problem": ""}}


def loaded_by(*words: str) -> set[str]:
    """The top-level packages that one call of tradectl imports."""
    done = subprocess.run([sys.executable, "-X", "importtime", "-m", "daemon.cli", *words], capture_output=True,
                          text=True, check=False, timeout=60, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-500:]
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines() if "|" in line}


class FakeDaemon(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Answers every question with a status."""

    daemon_threads = True


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps(STATUS).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        return "unix"

    def log_message(self, *_words: object) -> None:
        """Says nothing."""


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    """A state directory whose control socket answers."""
    (tmp_path / "run").mkdir()
    with FakeDaemon(str(tmp_path / "run" / "control.sock"), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield tmp_path
        server.shutdown()


def test_help_explains_every_command_without_a_store_or_a_table() -> None:
    # given that explaining `import` needs the modes of the configuration, which pydantic describes
    configuration = {"pydantic", "yaml", "asyncio"}

    # then nothing else that is heavy is loaded
    assert loaded_by("--help") & (HEAVY - configuration) == set()


def test_status_of_a_running_daemon_imports_nothing_heavy(state: Path) -> None:
    assert loaded_by("--state", str(state), "status") & HEAVY == set()


def test_status_as_json_imports_nothing_heavy(state: Path) -> None:
    assert loaded_by("--state", str(state), "status", "--json") & HEAVY == set()
