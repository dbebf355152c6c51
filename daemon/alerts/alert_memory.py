"""What is remembered of the alerts: in the store by compare-and-set, and in memory as long as the store is away.

People must hear of a lost store too, so nothing here fails for want of one: a change that could not be written is
kept, and reconciled with what others wrote meanwhile as soon as the store answers again.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from daemon.alerts.alert_book import Outcome, reconciled
from daemon.alerts.stored_alerts import AlertStore, StoreAway
from trading.control.alert import AlertState
from trading.errors import ConcurrentUpdate
from trading.log import get_log

log = get_log()

Result = TypeVar("Result")
Step = Callable[[AlertState | None], Outcome | None]  # None: nothing changes

_TRIES: Final = 20  # whoever loses a race lost it to somebody who went on; nobody has more to say than this
_LIMIT_S: Final = 10.0


class AlertMemory:
    """All states of which something may be left to tell, one change at a time."""

    def __init__(self, store: AlertStore, limit_s: float = _LIMIT_S) -> None:
        self._store, self._limit_s = store, limit_s
        self._known: dict[str, AlertState] = {}
        self._unsaved: set[str] = set()
        self._away = False  # no answer since it was last tried
        self._said_away = False
        self._one_at_a_time = asyncio.Lock()

    @property
    def states(self) -> list[AlertState]:
        """What is known without asking the store."""
        return list(self._known.values())

    @property
    def complete(self) -> bool:
        """Whether the store knows all that we know."""
        return not self._unsaved and not self._away

    async def change(self, key: str, step: Step) -> Outcome | None:
        """Decide with `step` and remember it; the outcome, or None when nothing changes.

        Somebody else's write in between is read, and decided upon anew.
        """
        async with self._one_at_a_time:
            return await self._decide(key, step, _TRIES)

    async def refresh(self) -> None:
        """Read what others wrote, and forget what is settled; nothing when the store was away a moment ago."""
        async with self._one_at_a_time:
            if not self._away:
                await self._read_anew()

    async def try_again(self) -> None:
        """As `refresh`, even when the store was away a moment ago."""
        async with self._one_at_a_time:
            self._away = False
            await self._read_anew()
            if self._said_away and not self._away:
                log.info("alerts_stored_again")
                self._said_away = False

    async def recent(self, limit: int) -> list[AlertState]:
        """The newest first, open or not; from memory when the store is away."""
        if not self._away:
            try:
                return await self._answer(self._store.recent(limit))
            except StoreAway:
                pass  # said in the log already; what follows is the best that we know
        return sorted(self.states, key=lambda state: state.last_at, reverse=True)[:limit]

    async def _decide(self, key: str, step: Step, tries: int) -> Outcome | None:
        state = await self._current(key)
        decided = step(state)
        if decided is None or decided[0] == state:
            return None
        if tries == 0:
            self._keep(decided[0])
        elif not await self._write(decided[0]):
            return await self._decide(key, step, tries - 1)
        return self._known[key], decided[1]

    async def _read_anew(self) -> None:
        try:
            for key in sorted(self._unsaved):
                await self._reconcile(key)
            stored = {state.key: state for state in await self._answer(self._store.unsettled())}
        except StoreAway:
            return  # said in the log already; memory is the best that we have
        self._known = stored | {key: self._known[key] for key in self._unsaved}

    async def _current(self, key: str) -> AlertState | None:
        if not self._away:
            try:
                if key in self._unsaved:
                    await self._reconcile(key)
                elif key not in self._known:
                    stored = await self._answer(self._store.load(key))
                    if stored is not None:
                        self._known[key] = stored
            except StoreAway:
                pass  # said in the log already; memory decides
        return self._known.get(key)

    async def _write(self, state: AlertState) -> bool:
        """Whether `state` is remembered; False: somebody else wrote first."""
        if self._away or state.key in self._unsaved:
            self._keep(state)
            return True
        try:
            self._known[state.key] = await self._answer(self._store.save(state))
        except ConcurrentUpdate:
            self._known.pop(state.key, None)
            return False
        except StoreAway:
            self._keep(state)
        return True

    async def _reconcile(self, key: str) -> None:
        mine, stored = self._known[key], await self._answer(self._store.load(key))
        both = mine if stored is None else reconciled(stored, mine)
        try:
            self._known[key] = await self._answer(self._store.save(both))
        except ConcurrentUpdate:
            return  # it stays unsaved, and has its turn again
        self._unsaved.discard(key)

    def _keep(self, state: AlertState) -> None:
        self._known[state.key] = state
        self._unsaved.add(state.key)

    async def _answer(self, call: Awaitable[Result]) -> Result:
        try:
            async with asyncio.timeout(self._limit_s):
                return await call
        except (StoreAway, TimeoutError) as error:
            if not self._said_away:
                log.warning("alerts_kept_in_memory", reason=str(error) or "no answer in time")
            self._away = self._said_away = True
            raise StoreAway(str(error)) from error
