"""A terminal beside the part of the daemon that serves the trading desk, on a real socket over a real store."""

import asyncio
import json
import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import uvicorn
import yaml
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from trading_desk_scene import HOUSE

from daemon.api.errors import EXCEPTION_HANDLERS
from daemon.api.trading_routes import TradingRoutes
from daemon.cli.__main__ import run
from daemon.store.async_store import AsyncStore
from trading.clock import SystemClock
from trading.data.mongo.connection import MongoStore


class DeskService:
    """Serves /trading and what the reading commands ask of /status."""

    def __init__(self, state: Path, store: MongoStore, uri: str) -> None:
        (state / "run").mkdir(parents=True)
        self._socket, self._uri = state / "run" / "control.sock", uri
        self._store = AsyncStore(store)
        routes = TradingRoutes(self._store, SystemClock(), lambda: HOUSE).routes()
        application = Starlette(routes=[Route("/status", self._status), *routes], exception_handlers=EXCEPTION_HANDLERS)
        self._server = uvicorn.Server(uvicorn.Config(application, log_config=None, lifespan="off"))
        self._thread = threading.Thread(target=asyncio.run, args=(self._serve(),), daemon=True)

    async def _status(self, _request: Request) -> JSONResponse:
        return JSONResponse({"store": {"uri": self._uri}})

    async def _serve(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
            listener.bind(str(self._socket))
            await self._server.serve([listener])

    def __enter__(self) -> "DeskService":
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=10)
        self._store.close()
        self._socket.unlink(missing_ok=True)


class Terminal:
    """Somebody who types; `uri` is in the configuration when the daemon is not to be asked for it."""

    def __init__(self, folder: Path, capfd: pytest.CaptureFixture[str], database: str, uri: str | None = None) -> None:
        self.config, self.state, self._capfd = folder / "config", folder / "state", capfd
        self.config.mkdir()
        mongo = {"database": database, "timeout_s": 1.0} | ({"uri": uri} if uri else {})
        (self.config / "tradingd.yaml").write_text(yaml.safe_dump({"mongo": mongo}))
        (self.config / "processes.yaml").write_text("processes: {}\n")
        self.out = self.err = ""

    def __call__(self, *words: str) -> int:
        code = run(["--config", str(self.config), "--state", str(self.state), *words])
        self.out, self.err = self._capfd.readouterr()
        return code

    def json(self, *words: str) -> Any:
        assert self(*words, "--json") == 0, self.err
        return json.loads(self.out)
