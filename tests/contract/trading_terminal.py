"""A terminal beside the part of the daemon that serves the trading desk, on a real socket over a real store."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from served import Served
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
        self._uri = uri
        self._store = AsyncStore(store)
        routes = TradingRoutes(self._store, SystemClock(), lambda: HOUSE).routes()
        application = Starlette(routes=[Route("/status", self._status), *routes], exception_handlers=EXCEPTION_HANDLERS)
        self._served = Served(application, state / "run" / "control.sock")

    async def _status(self, _request: Request) -> JSONResponse:
        return JSONResponse({"store": {"uri": self._uri}})

    def __enter__(self) -> "DeskService":
        self._served.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._served.__exit__()
        self._store.close()


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
