"""RollNotices: tells of contracts that must be left, or cannot be rolled in time, while lots of them are held."""

from collections.abc import Mapping
from typing import Final

from daemon.alerts.alerts import Alerts
from daemon.store.async_store import AsyncStore
from trading.control.alert import AlertKind, Severity
from trading.data.mongo.roll_states import MongoRollStates
from trading.execution.rolls.decision import Notice
from trading.execution.rolls.notices import notices

SEVERITIES: Final[Mapping[Notice, Severity]] = {Notice.PAGE: Severity.CRITICAL, Notice.WARN: Severity.WARNING}


class RollNotices:
    """One alert an instrument."""

    def __init__(self, store: AsyncStore, alerts: Alerts) -> None:
        self._store, self._alerts = store, alerts
        self._states = MongoRollStates(store.store)
        self._told: set[str] | None = None  # None: what an earlier daemon has told is not known

    async def look(self) -> None:
        """Tell what is to be told now, and that the rest is over."""
        states = await self._store.call(self._states.all)
        positions = await self._store.call(self._store.books.contract_positions)
        wanted = notices(states.values(), positions)
        for code, found in wanted.items():
            self._alerts.tell(AlertKind.ROLL, code, found.sentence, SEVERITIES[found.notice])
        for code in (states.keys() if self._told is None else self._told) - wanted.keys():
            self._alerts.over(AlertKind.ROLL, code)
        self._told = set(wanted)
