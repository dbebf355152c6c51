"""The daemon's side of the workers: one zygote, its commands and its events. Restarts the zygote when it dies."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from daemon.process_tree import kill_marked
from trading.log import get_log

log = get_log()

_ONE_THREAD: Final = {  # so that nothing has threads when the zygote forks
    "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "ARROW_IO_THREADS": "1",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
}
_READY_WITHIN_S: Final = 60.0
NO_WORKER: Final = 71  # nothing could be started


@dataclass(frozen=True, kw_only=True)
class WorkerExit:
    """How a worker ended: an exit code, or minus the number of the signal that killed it."""

    run: str
    code: int
    max_rss_kb: int | None = None
    cpu_s: float | None = None
    lost: bool = False  # nobody saw the end itself
    out_of_memory: bool = False  # the kernel ended it, or part of it, at its limit


class Workers:
    """Start, signal and observe workers; `on_exit` is called once for each."""

    on_exit: Callable[[WorkerExit], None]

    def __init__(self, log_file: Path) -> None:
        self._log_file = log_file
        self._process: asyncio.subprocess.Process | None = None
        self._connection: socket.socket | None = None
        self._reader: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()
        self._store: dict[str, Any] | None = None
        self._running: set[str] = set()
        self._speaking = asyncio.Lock()  # a long command takes several writes, and must not be cut by another one

    async def start(self) -> None:
        """Start the zygote; it becomes ready while the daemon goes on."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        self._log_file.parent.mkdir(parents=True, exist_ok=True)
        with self._log_file.open("ab") as output, theirs:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "daemon.zygote", str(theirs.fileno()), str(os.getpid()),
                pass_fds=(theirs.fileno(),), stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output,
                start_new_session=True, env=os.environ | _ONE_THREAD)
        self._connection = ours
        self._reader = asyncio.create_task(self._read(ours), name="zygote events")

    async def expect(self, uri: str, database: str, timeout_s: float) -> None:
        """Keep a spare worker that is connected to this store."""
        self._store = {"uri": uri, "database": database, "timeout_s": timeout_s}
        with suppress(OSError):  # told again when the zygote has been started again
            await self._tell({"store": self._store})

    async def wait_until_ready(self) -> None:
        """Return when the zygote has everything preloaded."""
        await asyncio.wait_for(self._ready.wait(), _READY_WITHIN_S)

    async def stop(self) -> None:
        """End the zygote and with it every worker."""
        if self._reader is not None:
            self._reader.cancel()
        if self._connection is not None:
            self._connection.close()
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def run(self, spec: dict[str, Any]) -> None:
        """Fork a worker for `spec`; its end comes through `on_exit`, also when none could be started."""
        run = spec["run"]
        self._running.add(run)
        try:
            await self.wait_until_ready()
            if run in self._running:  # else the zygote died meanwhile, and the run has had its end
                await self._tell({"start": spec})
        except (OSError, TimeoutError) as error:
            log.error("worker_not_started", run=run, reason=str(error) or "the zygote is not ready")
            if run in self._running:
                self._running.discard(run)
                self.on_exit(WorkerExit(run=run, code=NO_WORKER))

    async def ask_to_stop(self, run: str) -> None:
        """SIGTERM to the worker's whole group."""
        await self._signal(run, signal.SIGTERM)

    async def kill(self, run: str) -> None:
        """SIGKILL to the worker's whole group."""
        await self._signal(run, signal.SIGKILL)

    async def _signal(self, run: str, number: int) -> None:
        try:
            await self._tell({"signal": number, "run": run})
        except OSError as error:
            # the zygote died, and with it the run
            log.warning("signal_not_sent", run=run, signal=number, reason=str(error))

    async def _tell(self, command: dict[str, Any]) -> None:
        async with self._speaking:
            if self._connection is None:
                raise ConnectionError("the zygote does not run")
            message = json.dumps(command).encode() + b"\n"
            await asyncio.get_running_loop().sock_sendall(self._connection, message)

    async def _read(self, connection: socket.socket) -> None:
        buffer = b""
        with suppress(ConnectionError):  # it was killed before it had read everything: a reset, not an end
            while received := await asyncio.get_running_loop().sock_recv(connection, 65536):
                *lines, buffer = (buffer + received).split(b"\n")
                for line in lines:
                    self._observe(json.loads(line))
        await self._zygote_died(connection)

    def _observe(self, event: dict[str, Any]) -> None:
        if event["event"] == "ready":
            self._ready.set()
        elif event["event"] == "exited":
            self._running.discard(event["run"])
            self.on_exit(WorkerExit(run=event["run"], code=event["code"], max_rss_kb=event["max_rss_kb"],
                                     cpu_s=event["cpu_s"], out_of_memory=event["out_of_memory"]))

    async def _zygote_died(self, connection: socket.socket) -> None:
        connection.close()
        self._connection = None
        self._ready.clear()
        lost = sorted(self._running)
        self._running.clear()
        log.error("zygote_died", lost_runs=lost, log=str(self._log_file))
        for run in lost:
            await asyncio.to_thread(kill_marked, run)  # the workers died with it, but not what they had started
            self.on_exit(WorkerExit(run=run, code=-signal.SIGKILL, lost=True))
        await asyncio.sleep(0.5)
        await self.start()
        if self._store is not None:
            await self.expect(**self._store)
