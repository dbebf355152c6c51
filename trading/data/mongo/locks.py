"""Instruments that must not be traded until the reason is gone."""

from datetime import datetime

from trading.data.mongo.connection import MongoStore


class MongoInstrumentLocks:
    """One document a locked instrument."""

    def __init__(self, store: MongoStore) -> None:
        self._collection = store.database.instrument_locks

    def reasons(self) -> dict[str, str]:
        return {row["_id"]: row["reason"] for row in self._collection.find().sort("_id", 1)}

    def lock(self, instrument: str, reason: str, now: datetime) -> None:
        """Lock `instrument`; an older lock keeps its reason."""
        self._collection.update_one({"_id": instrument}, {"$setOnInsert": {"reason": reason, "since": now}},
                                    upsert=True)

    def unlock(self, instrument: str) -> None:
        self._collection.delete_one({"_id": instrument})
