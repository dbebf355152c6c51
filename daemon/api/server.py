"""Serves the control API on a Unix socket for the whole life of the service; what answers may change meanwhile."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import uvicorn

from daemon.api.peer import PeerProtocol
from trading.errors import ConfigError, TradingError
from trading.unix_socket import short_path

LARGEST_BODY: Final = 4_000_000


class TooLarge(TradingError):
    """A request that no honest client sends."""


class Switch:
    """An ASGI application that hands every request, if it is no larger than allowed, to the one in charge now."""

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        received = 0

        async def bounded() -> Any:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > LARGEST_BODY:
                raise TooLarge(f"The request is larger than {LARGEST_BODY:,} bytes; nothing was done.")
            return message

        await self.application(scope, bounded, send)


@asynccontextmanager
async def serve_control(path: Path, switch: Switch) -> AsyncIterator[None]:
    """Serve `switch` on the socket `path` (0660) while the block runs.

    Raises:
        ConfigError: the folder of the socket is open to everybody.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
    if path.parent.stat().st_mode & 0o002:
        raise ConfigError(f"Everybody may write to {path.parent}, and so replace the control socket. "
                          f"Run: chmod o-w {path.parent}")
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with short_path(path) as address:
        listener.bind(address)
    path.chmod(0o660)
    listener.listen()  # who comes before the server is up waits for it
    server = uvicorn.Server(uvicorn.Config(switch, log_config=None, lifespan="off", access_log=False,
                                           timeout_graceful_shutdown=5, http=PeerProtocol))
    serving = asyncio.create_task(server._serve([listener]))  # not serve(): the supervisor owns the signals
    try:
        yield
    finally:
        server.should_exit = True
        await serving
        listener.close()
        path.unlink(missing_ok=True)
