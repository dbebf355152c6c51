"""The store as the service opens it: a server of our own or the configured one, with its schema and its owner."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from daemon.places import Places
from daemon.store.embedded_store import EmbeddedStore
from trading.config import ServiceConfig
from trading.data.mongo.connection import MongoStore, StandaloneRefused, connect
from trading.data.mongo.schema import set_up_schema
from trading.data.mongo.settings import MongoSettings
from trading.errors import StopRequested, StoreError, StoreUnreachable
from trading.log import get_log

log = get_log()


@dataclass(frozen=True, kw_only=True)
class OpenedStore:
    """A connection, and the address that workers use for theirs."""

    store: MongoStore
    uri: str
    restart: Callable[[], None] | None = None  # of a server of our own, by kill -9; what it has confirmed is on disk


@asynccontextmanager
async def opened_store(service: ServiceConfig, places: Places,
                       stopping: Callable[[], bool]) -> AsyncIterator[OpenedStore]:
    """The store while the block runs.

    Raises:
        StoreUnreachable: it cannot be reached within the configured limit.
        StoreError: it belongs to another mode or account.
        StopRequested: somebody asked to stop before it had answered.
    """
    embedded = None
    if service.mongo.uri is None:
        embedded = EmbeddedStore(places.store, places.logs / "store.log")
        await embedded.child.start()
    try:
        uri = service.mongo.uri or (embedded.uri if embedded else "")
        store = await _connected(service, uri, stopping)
        try:
            await asyncio.to_thread(set_up_schema, store)
            await asyncio.to_thread(MongoSettings(store).stamp_identity, service.mode.value, service.broker.account)
            yield OpenedStore(store=store, uri=uri, restart=embedded.child.kill if embedded else None)
        finally:
            store.close()
    finally:
        if embedded is not None:
            await embedded.child.stop()


async def _connected(service: ServiceConfig, uri: str, stopping: Callable[[], bool]) -> MongoStore:
    """Connect, with growing pauses, until the configured limit."""
    mongo = service.mongo
    deadline_s, pause_s = time.monotonic() + mongo.connect_limit_s, 0.25
    while True:
        try:
            return await asyncio.to_thread(connect, uri, mongo.database, mongo.timeout_s)
        except StandaloneRefused:
            raise
        except StoreError as error:
            if stopping():
                raise StopRequested("Stopped before the store had answered.") from error
            left_s = deadline_s - time.monotonic()
            if left_s <= 0:
                raise StoreUnreachable(f"{error} Gave up after {mongo.connect_limit_s:g} s.") from error
            log.warning("store_not_reached", reason=str(error), again_in_s=pause_s)
            await asyncio.sleep(min(pause_s, max(left_s, 0.05)))
            pause_s = min(pause_s * 2, 10.0)
