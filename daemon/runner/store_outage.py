"""While the store is away or refuses: one question every two seconds, whoever waits, and then everybody looks again."""

from collections.abc import Awaitable, Callable
from typing import Final

from pymongo.errors import PyMongoError

from daemon.runner.timers import Timers
from daemon.runner.watch import Watch
from daemon.store.async_store import AsyncStore
from trading.data.mongo.store_problem import store_problem
from trading.errors import StoreError
from trading.log import get_log

log = get_log()

LOOK_AGAIN_S: Final = 2.0


class StoreOutage:
    """At most one at a time. `spawn` lets it be waited out, `over` is called when it is worth trying again."""

    def __init__(self, store: AsyncStore, timers: Timers, watch: Watch, spawn: Callable[[Awaitable[None]], None],
                 over: Callable[[], None]) -> None:
        self._store, self._timers, self._watch = store, timers, watch
        self._spawn, self._over = spawn, over
        self.lasts = False

    def begin(self, error: Exception) -> None:
        """A statement failed; what it has done is unknown."""
        problem = store_problem(error) if isinstance(error, PyMongoError) else str(error)
        log.error("store_failed", reason=problem)
        self._watch.store_failed(problem)
        if not self.lasts:
            self.lasts = True
            self._spawn(self._wait())

    async def _wait(self) -> None:
        """A store that answers may still refuse what is written, so it is well only when nothing has failed for a
        while."""
        while self.lasts:
            await self._timers.pause(LOOK_AGAIN_S)
            try:
                await self._store.call(self._store.processes.ping)
                self.lasts = False
            except (PyMongoError, StoreError) as error:
                log.warning("store_still_away", reason=str(error)[:200])
        self._over()
        await self._timers.pause(2 * LOOK_AGAIN_S)
        if not self.lasts:
            self._watch.store_answers()
