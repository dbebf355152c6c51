"""The daemon's broker side for a test: real service, real journal, real socket, a real gateway behind it."""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from recorded_gateway import GatewayProcess
from starlette.applications import Starlette

from daemon.api.broker_link import BrokerRoutes
from daemon.api.errors import EXCEPTION_HANDLERS
from daemon.api.server import Switch, serve_control
from daemon.broker_parts import BrokerParts
from daemon.broker_service import BrokerService, Link
from daemon.leadership import Leadership
from daemon.store.async_store import AsyncStore
from daemon.store.journal_writer import JournalWriter
from trading.broker.link import BrokerLink
from trading.broker.simulated.control_client import GatewayControl
from trading.broker_config import BrokerConfig
from trading.clock import SystemClock
from trading.config import Mode, ServiceConfig
from trading.data.mongo.connection import MongoStore

ACCOUNT = "DU0000001"


class BrokerScene:
    """What workers talk to, in a thread of its own, from entering the block until leaving it."""

    def __init__(self, folder: Path, gateway: GatewayProcess, store: MongoStore, **settings: float) -> None:
        self.gateway, self.socket, self.halt_flag = gateway, folder / "run" / "control.sock", folder / "HALT"
        self.control = GatewayControl(gateway.folder / "state")
        self.link = BrokerLink(self.socket)
        self._settings = BrokerConfig.model_validate(
            {"port": gateway.port, "account": ACCOUNT, "messages_per_s": 200, **settings})
        self._store = store
        self._ready, self._ending = threading.Event(), asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=asyncio.run, args=(self._serve(),), daemon=True)
        self.service: BrokerService

    def __enter__(self) -> "BrokerScene":
        self._thread.start()
        assert self._ready.wait(20), "the broker service did not become ready"
        return self

    def __exit__(self, *_: object) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._ending.set)
        self._thread.join(timeout=20)

    def awaited(self, ask: Callable[[BrokerService], Coroutine[Any, Any, Any]]) -> Any:
        """The answer of `ask`, awaited where the service lives."""
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(ask(self.service), self._loop).result(20)

    def on_the_loop(self, ask: Callable[[BrokerService], Any]) -> Any:
        """The answer of `ask`, computed where the service lives."""
        async def asked(service: BrokerService) -> Any:
            return ask(service)

        return self.awaited(asked)

    def wait_for(self, link: Link) -> None:
        """Return when things stand so with the broker."""
        deadline_s = time.monotonic() + 20
        while self.on_the_loop(lambda service: service.link) is not link:
            assert time.monotonic() < deadline_s, f"it is never {link}"
            time.sleep(0.01)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        clock, store = SystemClock(), AsyncStore(self._store)
        journal = JournalWriter(store=store, clock=clock)
        await journal.start()
        leading = cast(Leadership, SimpleNamespace(is_leader=True))
        self.service = BrokerService(BrokerParts(
            store=store, journal=journal, leadership=leading, clock=clock, settings=self._settings, mode=Mode.PAPER,
            address=lambda: ("127.0.0.1", self.gateway.port), halt_flag=self.halt_flag))
        self.service.on_ready = self._ready.set
        routes = BrokerRoutes(self.service, journal, store, ServiceConfig(broker=self._settings), clock).routes()
        application = Starlette(routes=routes, exception_handlers=EXCEPTION_HANDLERS)
        async with serve_control(self.socket, Switch(application)):
            self.service.start()
            await self._ending.wait()
            await self.service.stop()
            await journal.stop()
