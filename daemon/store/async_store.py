"""The store as the daemon uses it: the same synchronous repositories, called on a few threads of their own.

The event loop never waits for the database, and nothing is written twice in two colours
(docs/decisions/0003-repositories-are-synchronous.md).
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, ParamSpec, TypeVar

from pymongo.errors import PyMongoError

from trading.data.mongo.books import MongoBooks
from trading.data.mongo.broker_journal import MongoBrokerJournal
from trading.data.mongo.commands import MongoCommands
from trading.data.mongo.connection import MongoStore
from trading.data.mongo.controls import MongoKillState, MongoOverrides
from trading.data.mongo.gate import MongoGate
from trading.data.mongo.leases import MongoLeases
from trading.data.mongo.locks import MongoInstrumentLocks
from trading.data.mongo.orders import MongoOrders
from trading.data.mongo.processes import MongoProcesses
from trading.data.mongo.settings import MongoSettings
from trading.data.mongo.store_problem import store_problem

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
_TOLD_FOR_S: Final = 10.0  # whatever fails is tried again sooner


class AsyncStore:
    """Repositories of the daemon, and the way to call them."""

    def __init__(self, store: MongoStore, threads: int = 4) -> None:
        self.store = store
        self.processes = MongoProcesses(store)
        self.leases = MongoLeases(store)
        self.journal = MongoBrokerJournal(store)
        self.orders = MongoOrders(store)
        self.gate = MongoGate(store)
        self.kill = MongoKillState(store)
        self.overrides = MongoOverrides(store)
        self.locks = MongoInstrumentLocks(store)
        self.books = MongoBooks(store)
        self.settings = MongoSettings(store)
        self.commands = MongoCommands(store)
        self._threads = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="store")
        self._problem, self._since_s = "", 0.0
        self._failed: object = None  # the method that did

    @property
    def problem(self) -> str:
        """What was wrong with the newest call that failed; empty once it succeeds, or is no longer tried.

        A read that succeeds says nothing about a disk that is full.
        """
        return self._problem if time.monotonic() - self._since_s < _TOLD_FOR_S else ""

    async def call(self, method: Callable[Arguments, Result], *values: Arguments.args,
                   **named: Arguments.kwargs) -> Result:
        """The result of `method`, computed off the event loop."""
        loop = asyncio.get_running_loop()
        try:
            result = await loop.run_in_executor(self._threads, partial(method, *values, **named))
        except PyMongoError as error:
            self._problem, self._since_s, self._failed = store_problem(error), time.monotonic(), method
            raise
        if method == self._failed:
            self._problem, self._failed = "", None
        return result

    def close(self) -> None:
        """Give up the threads; the connection is closed by whoever opened it."""
        self._threads.shutdown(wait=False, cancel_futures=True)
