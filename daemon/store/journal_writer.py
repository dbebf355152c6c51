"""Broker messages on their way into the journal: in order, in batches, and nobody acts before they are stored."""

import asyncio
from collections import deque
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from pymongo.errors import DuplicateKeyError, PyMongoError

from daemon.store.async_store import AsyncStore
from trading.clock import Clock
from trading.execution.broker_messages import BrokerMessage, MessageKind
from trading.execution.heard_messages import ONCE, REMEMBERED, HeardMessages
from trading.log import get_log

log = get_log()

KEPT: Final = 5_000  # the newest, at hand for those who follow


@dataclass(kw_only=True)
class JournalWriter:
    """One writer. `stored` is the last message that readers can see."""

    store: AsyncStore
    clock: Clock
    epoch: str = ""
    stored: int = 0
    _next: int = 1
    _task: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        self._pending: list[BrokerMessage] = []
        self._arrived = asyncio.Event()
        self._progress = asyncio.Condition()
        self._heard = HeardMessages()
        self._recent: deque[BrokerMessage] = deque(maxlen=KEPT)

    async def start(self) -> None:
        """Continue behind the newest stored message."""
        self.stored = await self.store.call(self.store.journal.last_sequence)
        self._next = self.stored + 1
        for kind in ONCE:  # the states of orders count anew on each connection
            for message in await self.store.call(self.store.journal.newest, kind, REMEMBERED):
                self._heard.remember(message)
        self._task = asyncio.create_task(self._write(), name="journal")

    async def stop(self) -> None:
        """Store what is pending, for at most two seconds, then stop."""
        if self._task is None:
            return
        try:
            async with asyncio.timeout(2):
                await self.flush()
        except TimeoutError:
            log.warning("journal_incomplete", pending=len(self._pending), effect="the broker repeats the day's orders")
        self._task.cancel()

    def note(self, kind: MessageKind, facts: dict[str, Any]) -> None:
        """Take a message, unless it only repeats what is stored; called from the library's taps, never waits."""
        if self._heard.is_echo(kind, self.epoch, facts):
            return
        self._pending.append(BrokerMessage(sequence=self._next, at=self.clock.now(), epoch=self.epoch, kind=kind,
                                           facts=facts))
        self._next += 1
        self._arrived.set()

    async def wait_for(self, sequence: int) -> None:
        """Return when message `sequence` is stored."""
        async with self._progress:
            await self._progress.wait_for(lambda: self.stored >= sequence)

    async def after(self, sequence: int, limit: int) -> list[BrokerMessage]:
        """What was stored behind `sequence`, oldest first, at most `limit`."""
        if sequence >= self.stored:
            return []
        if self._recent and self._recent[0].sequence <= sequence + 1:
            begin = sequence + 1 - self._recent[0].sequence
            return list(islice(self._recent, begin, begin + limit))
        return await self.store.call(self.store.journal.after, sequence, limit)

    async def flush(self) -> None:
        """Return when everything taken so far is stored."""
        await self.wait_for(self._next - 1)

    async def _write(self) -> None:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._pending:
                batch = self._pending[:500]
                await self._until_stored(batch)
                del self._pending[:len(batch)]
                self._recent.extend(batch)
                async with self._progress:
                    self.stored = batch[-1].sequence
                    self._progress.notify_all()

    async def _until_stored(self, batch: list[BrokerMessage]) -> None:
        pause_s = 0.1
        while True:
            try:
                await self.store.call(self.store.journal.append, batch)
                return
            except PyMongoError as error:
                if await self._is_ours(error, batch):
                    return
                log.error("journal_not_written", pending=len(self._pending), reason=str(error)[:200])
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, 5.0)

    async def _is_ours(self, error: PyMongoError, batch: list[BrokerMessage]) -> bool:
        """Whether a duplicate key only says that an earlier attempt got through; then the rest is written."""
        if not isinstance(error, DuplicateKeyError) and "E11000" not in str(error):
            return False
        stored = await self.store.call(self.store.journal.after, batch[0].sequence - 1)
        known = {message.sequence: message for message in stored}
        if any(message.sequence in known and known[message.sequence].epoch != message.epoch for message in batch):
            raise RuntimeError("two daemons write the broker journal of one store") from error
        missing = [message for message in batch if message.sequence not in known]
        if missing:
            await self.store.call(self.store.journal.append, missing)
        return True
