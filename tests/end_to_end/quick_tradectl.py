"""tradectl without its start-up time, for tests that call it a hundred times: a preloaded program that forks each call.

As a program: a call a line on standard input (JSON), its exit code a line on standard output. Single-threaded, so that
forking is safe.
"""

import json
import os
import shlex
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

PRELOADED = ("pandas", "pymongo", "pydantic", "exchange_calendars", "ruamel.yaml", "trading.config",
             "daemon.configuration.checked_config", "trading.data.data_blob")


class QuickTradectl:
    """Calls of tradectl in `folder`, with a terminal on which every question is answered with yes."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._folder = folder
        self._server = subprocess.Popen([sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, cwd=folder, env=os.environ | environment)

    def call(self, command: str) -> tuple[int, str]:
        """Exit code and output of a line such as `tradectl status`."""
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        output = self._folder / "output"
        operator, terminal = os.openpty()
        os.write(operator, b"y\n" * 4)
        call = {"words": shlex.split(command)[1:], "terminal": os.ttyname(terminal), "output": str(output)}
        try:
            self._server.stdin.write(json.dumps(call) + "\n")
            self._server.stdin.flush()
            code = int(self._server.stdout.readline())
        finally:
            os.close(operator)
            os.close(terminal)
        return code, output.read_text(errors="replace")

    def close(self) -> None:
        self._server.communicate("", timeout=10)


def serve() -> None:
    """Answer calls until standard input ends."""
    from daemon.cli.__main__ import COMMANDS, run

    for module in (*PRELOADED, *(f"daemon.cli.{name}" for name in set(COMMANDS.values()))):
        import_module(module)
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            os._exit(_called(json.loads(line), run))
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


def _called(call: dict[str, Any], run: Any) -> int:
    terminal = os.open(call["terminal"], os.O_RDWR | os.O_NOCTTY)
    output = os.open(call["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for source, target in ((terminal, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    sys.stdin = os.fdopen(os.dup(0), "r")
    try:
        return int(run(call["words"]))
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


if __name__ == "__main__":
    serve()
