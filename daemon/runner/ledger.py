"""How every process stands, as far as it is certain, and the one way to change that.

The leader is the only writer, so what it wrote it need not read again. After any error the outcome of a write is
unknown: the process is then read before anything is decided about it.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from daemon.crash_points import Point, crash_point
from daemon.leadership import Leadership
from daemon.runner.watch import Watch
from daemon.store.async_store import AsyncStore
from trading.control.change import Change
from trading.control.process_control import ProcessControl
from trading.errors import ConcurrentUpdate, SlotTaken, StoreError


class FencedOut(StoreError):
    """A newer leader acts; this daemon must not."""

    def __init__(self, name: str, theirs: int, ours: int) -> None:
        super().__init__(f"process {name} was written under the fencing token {theirs}, ours is {ours}: another "
                         f"tradingd leads. See: tradectl leader")


class Ledger:
    """Controls by name. Whoever changes one holds its lock."""

    def __init__(self, store: AsyncStore, leadership: Leadership, watch: Watch) -> None:
        self._store, self._leadership, self._watch = store, leadership, watch
        self._controls: dict[str, ProcessControl] = {}  # as last read or written
        self._certain: set[str] = set()  # of these the store has confirmed exactly that
        self._unanswered: dict[str, ProcessControl] = {}  # what may have been written, for all we know
        self._locks: dict[str, asyncio.Lock] = {}

    def lock(self, name: str) -> asyncio.Lock:
        """Held by whoever decides about `name`."""
        return self._locks.setdefault(name, asyncio.Lock())

    async def load(self, names: Iterable[str]) -> None:
        """Read everything anew, and fence out whoever has led before."""
        processes = self._store.processes
        self._certain.clear()
        await self._store.call(processes.fence, self._leadership.token)
        read = await self._store.call(processes.controls, names)
        seen = self._controls  # what was written while we read is newer than what we read
        self._controls = {name: max(control, seen.get(name, control), key=_version) for name, control in read.items()}
        self._certain = set(read) - set(self._unanswered)

    async def known(self, name: str) -> ProcessControl:
        """How `name` stands for certain; only for whoever holds its lock.

        Raises:
            FencedOut: a newer leader has written it.
        """
        if name not in self._certain:
            self._controls[name] = await self._store.call(self._store.processes.control, name)
            self._certain.add(name)
            self._unanswered.pop(name, None)
        if self._controls[name].token > self._leadership.token:
            raise FencedOut(name, self._controls[name].token, self._leadership.token)
        return self._controls[name]

    async def seen(self, name: str) -> ProcessControl:
        """How `name` stood when it was last read or written; for everybody."""
        if name in self._controls:
            return self._controls[name]
        return await self._store.call(self._store.processes.control, name)

    def active(self) -> set[str]:
        """The processes that have a run, as far as was seen, or may have one: a claim has not been answered."""
        controls = (*self._controls.values(), *self._unanswered.values())
        return {control.name for control in controls if control.active_run is not None}

    def newest_look(self) -> datetime | None:
        """Up to when slots of any process were decided, as far as was seen."""
        looks = (control.evaluated_through for control in self._controls.values())
        return max((look for look in looks if look is not None), default=None)

    async def save(self, change: Change) -> ProcessControl:
        """Make `change` durable, in the name of this leader. Until the store has answered, nobody knows how it stands.

        Raises:
            SlotTaken, ConcurrentUpdate: nothing was changed; read again and decide anew.
        """
        if change.is_empty:
            return change.before
        name = change.before.name
        if name not in self._certain or self._controls[name] is not change.before:  # decided in an earlier term
            raise ConcurrentUpdate(f"process {name}", change.before.version)
        cause = replace(change.cause, token=self._leadership.token, node=self._leadership.node)
        self._certain.discard(name)
        self._unanswered[name] = change.after
        try:
            written = await self._store.call(self._store.processes.write, replace(change, cause=cause))
        except SlotTaken:  # an answer: it stands as before
            self._certain.add(name)
            self._unanswered.pop(name, None)
            raise
        if change.ticks:
            crash_point(Point.AFTER_CURSOR)
        self._controls[name] = written
        self._certain.add(name)
        self._unanswered.pop(name, None)
        for tick in change.ticks:
            self._watch.left_out(tick)
        self._watch.store_answers()
        return written

    def doubt(self, name: str) -> None:
        """Read `name` again before anything is decided about it."""
        self._certain.discard(name)

    def doubt_all(self) -> None:
        """Somebody else may have led meanwhile."""
        self._certain.clear()

    def forget(self, name: str) -> None:
        """It was renamed, or is no longer ours."""
        self._certain.discard(name)
        self._unanswered.pop(name, None)
        self._controls.pop(name, None)


def _version(control: ProcessControl) -> int:
    return control.version
