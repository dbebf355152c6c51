"""What operators have set: kill level, overrides, limits. Each change names the version that it read, and is told."""

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from pymongo.client_session import ClientSession

from trading.data.mongo.chained_settings import ChainedSettings
from trading.data.mongo.connection import MongoStore
from trading.errors import ConcurrentUpdate
from trading.execution.documents import from_document, to_document
from trading.risk.kill_level import Command, KillLevel, KillState, raised
from trading.risk.limits import Limit
from trading.risk.overrides import Override, combined, parse_override

_RACES: Final = 5


class MongoKillState:
    """The one kill state. A daemon that cannot read it does not send."""

    def __init__(self, store: MongoStore) -> None:
        self._settings = ChainedSettings(store, "kill_state")

    def load(self) -> KillState:
        rows = self._settings.rows()
        return from_document(KillState, rows[0]["state"] | {"version": rows[0]["v"]}) if rows else KillState()

    def save(self, state: KillState, session: ClientSession | None = None) -> KillState:
        """Write `state` against the version that it was read at.

        Raises:
            ConcurrentUpdate: somebody wrote since; load it and decide again.
        """
        document = to_document(state)
        del document["version"]
        return replace(state, version=self._settings.put("system", {"state": document}, state.version, session))

    def raise_to(self, level: KillLevel, by: Command) -> KillState:
        """Raise the level of the whole system, whoever writes at the same time; the state that is stored then.

        Raises:
            ConcurrentUpdate: somebody wrote each time.
        """
        for _ in range(_RACES):
            state = self.load()
            newer = raised(state, level, by)
            if newer == state:
                return state
            with suppress(ConcurrentUpdate):  # decided upon anew
                return self.save(newer)
        raise ConcurrentUpdate("kill level", state.version)


@dataclass(frozen=True, kw_only=True)
class StoredOverride:
    """An override, where it holds, and who said so."""

    strategy: str | None
    instrument: str | None
    override: Override
    who: str
    reason: str
    at: datetime

    def covers(self, strategy: str, instrument: str) -> bool:
        return self.strategy in (None, strategy) and self.instrument in (None, instrument)


class MongoOverrides:
    """Overrides for a strategy, an instrument, or one in the other."""

    def __init__(self, store: MongoStore) -> None:
        self._settings = ChainedSettings(store, "overrides")

    def all(self) -> list[StoredOverride]:
        return [StoredOverride(strategy=row["strategy"], instrument=row["instrument"], who=row["who"],
                               override=parse_override(row["words"]), reason=row["reason"], at=row["at"])
                for row in self._settings.rows()]

    def of(self, strategy: str, instrument: str) -> Override:
        """What holds for `strategy` in `instrument`: the strictest of all that cover it."""
        return combined(each.override for each in self.all() if each.covers(strategy, instrument))

    def put(self, override: StoredOverride, session: ClientSession | None = None) -> None:
        """Set an override; one that changes nothing takes away what was there."""
        self._settings.put(f"{override.strategy or '*'}/{override.instrument or '*'}", {
            "strategy": override.strategy, "instrument": override.instrument, "words": override.override.words,
            "who": override.who, "reason": override.reason, "at": override.at,
            "gone": override.override == Override()}, session=session)


class MongoLimits:
    """Position, trade and order limits."""

    def __init__(self, store: MongoStore) -> None:
        self._settings = ChainedSettings(store, "limits")

    def all(self) -> list[Limit]:
        return [from_document(Limit, row["limit"]) for row in self._settings.rows()]

    def put(self, limit: Limit, session: ClientSession | None = None) -> None:
        self._settings.put(limit.id, {"limit": to_document(limit)}, session=session)

    def remove(self, limit: Limit, session: ClientSession | None = None) -> None:
        """Nobody limits this any more; what adds risk is then denied."""
        self._settings.put(limit.id, {"limit": to_document(limit), "gone": True}, session=session)
