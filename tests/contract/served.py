"""A part of the daemon's API on a real Unix socket, in a thread of its own."""

import asyncio
import socket
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import uvicorn
from starlette.applications import Starlette


class Served:
    """Serves `application` on a socket while the context lasts; `before` runs first, in the loop that serves."""

    def __init__(self, application: Starlette, path: Path, before: Callable[[], Awaitable[None]] | None = None) -> None:
        self._path, self._before = path, before
        self._server = uvicorn.Server(uvicorn.Config(application, log_config=None, lifespan="off"))
        self._thread = threading.Thread(target=asyncio.run, args=(self._serve(),), daemon=True)

    async def _serve(self) -> None:
        if self._before is not None:
            await self._before()
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
            listener.bind(str(self._path))
            await self._server.serve([listener])

    def __enter__(self) -> "Served":
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=10)
        self._path.unlink(missing_ok=True)
