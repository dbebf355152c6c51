"""The daemon's side of the workers: one zygote, its commands and its events. Restarts the zygote when it dies."""

import asyncio
import json
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from daemon.children.process_tree import kill_marked
from daemon.children.zygote_process import ZygoteProcess, start_zygote
from daemon.decisions.worker_exit import WorkerExit
from trading.log import get_log

log = get_log()

_READY_WITHIN_S: Final = 60.0
_START_AGAIN_S: Final = 0.5
NO_WORKER: Final = 71  # nothing could be started


class Workers:
    """Start, signal and observe workers; `on_exit` is called once for each."""

    on_exit: Callable[[WorkerExit], None]

    def __init__(self, zygote: ZygoteProcess) -> None:
        self._zygote = zygote
        self._connection: socket.socket | None = None
        self._reader: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()
        self._store: dict[str, Any] | None = None
        self._running: set[str] = set()
        self._speaking = asyncio.Lock()  # a long command takes several writes, and must not be cut by another one

    def begin(self) -> None:
        """Listen to the zygote; it becomes ready while the daemon goes on."""
        self._connection = self._zygote.connection
        self._reader = asyncio.create_task(self._read(self._connection), name="zygote events")

    async def expect(self, uri: str, database: str, timeout_s: float) -> None:
        """Keep a spare worker that is connected to this store."""
        self._store = {"uri": uri, "database": database, "timeout_s": timeout_s}
        with suppress(OSError):  # told again when the zygote has been started again
            await self._tell({"store": self._store})

    async def wait_until_ready(self) -> None:
        """Return when the zygote has everything preloaded."""
        async with asyncio.timeout(_READY_WITHIN_S):
            await self._ready.wait()

    async def stop(self) -> None:
        """End the zygote and with it every worker."""
        if self._reader is not None:
            self._reader.cancel()
        await asyncio.to_thread(self._zygote.end)

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
        await self._zygote_died()

    def _observe(self, event: dict[str, Any]) -> None:
        if event["event"] == "ready":
            self._ready.set()
        elif event["event"] == "exited":
            self._running.discard(event["run"])
            self.on_exit(WorkerExit(run=event["run"], code=event["code"], max_rss_kb=event["max_rss_kb"],
                                     cpu_s=event["cpu_s"], out_of_memory=event["out_of_memory"]))

    async def _zygote_died(self) -> None:
        self._connection = None
        await asyncio.to_thread(self._zygote.end)
        self._ready.clear()
        lost = sorted(self._running)
        self._running.clear()
        log.error("zygote_died", lost_runs=lost)
        for run in lost:
            await asyncio.to_thread(kill_marked, run)  # the workers died with it, but not what they had started
            self.on_exit(WorkerExit(run=run, code=-signal.SIGKILL, lost=True))
        await self._replace()
        if self._store is not None:
            await self.expect(**self._store)

    async def _replace(self) -> None:
        """Start another zygote, however long it takes until the machine has room for one."""
        while True:
            await asyncio.sleep(_START_AGAIN_S)
            try:
                self._zygote = start_zygote()
            except OSError as error:
                log.error("zygote_not_started", reason=str(error), again_in_s=_START_AGAIN_S)
            else:
                return self.begin()
