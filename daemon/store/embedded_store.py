"""The default store: a MongoDB-protocol server of our own, a separate process on a free loopback port.

Nothing but a URI differs from a production replica set. Every commit is on disk before it is acknowledged.
"""

import asyncio
import shutil
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from daemon.children.child_process import ChildFailed, ChildProcess

_START_WITHIN_S = 30.0


class EmbeddedStore:
    """Owns the server under `folder`; the port stays the same across restarts, so clients just reconnect."""

    def __init__(self, folder: Path, log_file: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self.child = ChildProcess(name="embedded store", command=self._command, log_file=log_file,
                                  ready=lambda: accepts_connections(self._port, _START_WITHIN_S))

    @property
    def uri(self) -> str:
        return f"mongodb://127.0.0.1:{self._port}/"

    def _command(self) -> Sequence[str]:
        self._folder.mkdir(parents=True, exist_ok=True)
        return server_command(self._port, self._folder)


def server_command(port: int, folder: Path) -> tuple[str, ...]:
    """The words that serve the store in `folder` on a loopback port."""
    return (server_program(), "--host", "127.0.0.1", "--port", str(port), "--storage-path", str(folder),
            "--sync-on-commit", "--cache-size", "256M", "--log-level", "WARNING")


def end_server(process: "subprocess.Popen[bytes]") -> None:
    """SIGKILL: what was committed is on disk, and SIGTERM takes two seconds or, now and then, is never heard."""
    process.kill()
    process.wait()


def server_program() -> str:
    """The path of the embedded server's program.

    Raises:
        ChildFailed: it is not installed.
    """
    beside = Path(sys.executable).with_name("secantusd-py")
    found = str(beside) if beside.exists() else shutil.which("secantusd-py")
    if found is None:
        raise ChildFailed("No embedded store is installed. Either: pip install 'tradingd[embedded]', "
                          "or set mongo.uri in tradingd.yaml to a MongoDB replica set.")
    return found


def free_port() -> int:
    """A port that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def accepts_connections(port: int, within_s: float) -> None:
    """Return as soon as somebody listens on `port`.

    Raises:
        ChildFailed: nobody does within `within_s`.
    """
    deadline = asyncio.get_running_loop().time() + within_s
    while asyncio.get_running_loop().time() < deadline:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.02)
            continue
        writer.close()
        return
    raise ChildFailed(f"Nobody listens on port {port} after {within_s:g} s.")
