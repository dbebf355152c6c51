"""What the daemon says of its store while calls fail. No server: the calls are made up."""

import asyncio
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from daemon.store.async_store import AsyncStore
from trading.data.mongo.connection import MongoStore

FULL = OperationFailure("12 bytes are left", 14031, {"ok": 0.0, "code": 14031})


class Disk:
    def __init__(self) -> None:
        self.is_full = True

    def write(self) -> None:
        if self.is_full:
            raise FULL

    def read(self) -> int:
        return 1


def test_a_full_disk_is_told_until_a_write_succeeds() -> None:
    asyncio.run(_a_full_disk_is_told_until_a_write_succeeds())


async def _a_full_disk_is_told_until_a_write_succeeds() -> None:
    client: MongoClient[dict[str, Any]] = MongoClient("mongodb://127.0.0.1:1", connect=False)
    store, disk = AsyncStore(MongoStore(client, client.get_database("none")), threads=1), Disk()
    try:
        # when a write fails and a read does not
        with pytest.raises(OperationFailure):
            await store.call(disk.write)
        await store.call(disk.read)

        # then
        assert "no room left on its disk" in store.problem

        # when there is room again
        disk.is_full = False
        await store.call(disk.write)

        # then
        assert store.problem == ""
    finally:
        store.close()
        client.close()
