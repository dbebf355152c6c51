"""Locked instruments: one document an open lock; its opening and its end are events."""

from dataclasses import asdict
from datetime import datetime

from bson import Int64
from pymongo.client_session import ClientSession

from trading.data.mongo.connection import Document, MongoStore
from trading.data.mongo.events import MongoEvents
from trading.errors import NotFound
from trading.execution.locks import Lock, LockCause, reasons_of


class MongoInstrumentLocks:
    """Open locks. The first one of a cause and subject stays as it was opened."""

    def __init__(self, store: MongoStore) -> None:
        self._store = store
        self._collection = store.database.instrument_locks
        self._events = MongoEvents(store)

    def all(self) -> list[Lock]:
        """Every open lock, by instrument."""
        return list(map(_lock, self._collection.find().sort("_id", 1)))

    def reasons(self) -> dict[str, str]:
        """Each locked instrument and why."""
        return dict(reasons_of(self.all()))

    def lock(self, lock: Lock) -> bool:
        """Lock; False when it was locked for this already."""
        return self._store.transact(lambda session: self.lock_within(lock, session))

    def lock_within(self, lock: Lock, session: ClientSession) -> bool:
        """The same, as a part of a transaction."""
        if self._collection.find_one({"_id": lock.id}, session=session) is not None:
            return False
        document = asdict(lock) | {"_id": lock.id, "cause": lock.cause.value}
        self._collection.insert_one(document, session=session)
        self._tell("locked", lock.id, document, session)
        return True

    def was_opened(self, lock_id: str) -> bool:
        """Whether there was such a lock, and a person or a known cause has ended it."""
        is_open = self._collection.find_one({"_id": lock_id}, {"_id": 1}) is not None
        return not is_open and self._events.newest(f"lock {lock_id}", None)[0] > 0

    def unlock(self, lock_id: str, reason: str, now: datetime) -> None:
        """End one lock, and say why; what is not locked stays so."""
        self._store.transact(lambda session: self.unlock_within(lock_id, reason, now, session))

    def unlock_within(self, lock_id: str, reason: str, now: datetime, session: ClientSession) -> None:
        """The same, as a part of a transaction."""
        found = self._collection.find_one_and_delete({"_id": lock_id}, session=session)
        if found is not None:
            self._tell("unlocked", lock_id, {"reason": reason, "at": now}, session)

    def find(self, instrument: str) -> list[Lock]:
        """The locks of `instrument`, at least one.

        Raises:
            NotFound: it is not locked.
        """
        found = [lock for lock in self.all() if lock.instrument == instrument]
        if not found:
            raise NotFound(f"{instrument} is not locked. See what is: tradectl locks")
        return found

    def _tell(self, kind: str, lock_id: str, facts: Document, session: ClientSession) -> None:
        """A lock may be opened and closed again and again: its events count on."""
        version, digest = self._events.newest(f"lock {lock_id}", session)
        document = {key: value for key, value in facts.items() if key != "_id"}
        self._events.append(kind, document | {"_id": f"lock {lock_id}", "v": Int64(version + 1)}, digest, session)


def _lock(row: Document) -> Lock:
    values = {key: value for key, value in row.items() if key != "_id"}
    return Lock(**values | {"cause": LockCause(row["cause"])})
