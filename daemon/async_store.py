"""The store as the daemon uses it: the same synchronous repositories, called on a few threads of their own.

The event loop never waits for the database, and nothing is written twice in two colours
(docs/decisions/0003-repositories-are-synchronous.md).
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from trading.data.mongo.broker_journal import MongoBrokerJournal
from trading.data.mongo.commands import MongoCommands
from trading.data.mongo.connection import MongoStore
from trading.data.mongo.leases import MongoLeases
from trading.data.mongo.orders import MongoOrders
from trading.data.mongo.processes import MongoProcesses
from trading.data.mongo.settings import MongoSettings

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class AsyncStore:
    """Repositories of the daemon, and the way to call them."""

    def __init__(self, store: MongoStore, threads: int = 4) -> None:
        self.store = store
        self.processes = MongoProcesses(store)
        self.leases = MongoLeases(store)
        self.journal = MongoBrokerJournal(store)
        self.orders = MongoOrders(store)
        self.settings = MongoSettings(store)
        self.commands = MongoCommands(store)
        self._threads = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="store")

    async def call(self, method: Callable[Arguments, Result], *values: Arguments.args,
                   **named: Arguments.kwargs) -> Result:
        """The result of `method`, computed off the event loop."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, partial(method, *values, **named))

    def close(self) -> None:
        """Give up the threads; the connection is closed by whoever opened it."""
        self._threads.shutdown(wait=False, cancel_futures=True)
