"""Reconciliations, one document a run: as far as it has come, and unchanged once it has a verdict.

Their order is the store's own count of them. Clocks are set back, and what may be traded hangs on which run is the
newest.
"""

from bson import Int64
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from trading.clock import to_milliseconds
from trading.data.mongo.chained import values_of
from trading.data.mongo.connection import Document, MongoStore
from trading.execution.reconciliation.run import ReconciliationRun

_COUNTER, _ASKED = "reconciliation_runs", "reconciliations_asked_for"


class MongoReconciliationRuns:
    """What each comparison with the broker has shown."""

    def __init__(self, store: MongoStore) -> None:
        self._collection, self._counters = store.database.reconciliation_runs, store.database.counters

    def save(self, run: ReconciliationRun) -> None:
        """Store `run` as it is now. One that has a verdict is never changed again."""
        document: Document = run.as_dict()
        document["_id"] = document.pop("id")
        document["begun_ms"] = Int64(to_milliseconds(run.begun))
        update = {"$set": document, "$setOnInsert": {"number": self._count(_COUNTER)}}
        try:
            self._collection.update_one({"_id": run.id, "verdict": None}, update, upsert=True)
        except DuplicateKeyError:  # it has a verdict
            return

    def last(self, epoch: str | None = None) -> ReconciliationRun | None:
        """The newest run that has a verdict, over connection `epoch`, or over any; None when there is none."""
        query: Document = {"verdict": {"$ne": None}} | ({} if epoch is None else {"epoch": epoch})
        row = self._collection.find_one(query, sort=[("number", -1)])
        return None if row is None else _run(row)

    def recent(self, count: int) -> list[ReconciliationRun]:
        """The newest runs, newest first, also those that drew no conclusion."""
        return list(map(_run, self._collection.find().sort("number", -1).limit(count)))

    def ask(self) -> None:
        """Have whoever waits for something to do compare once more."""
        self._count(_ASKED)

    def asked(self) -> int:
        """How often that was asked for; another number is another request."""
        row = self._counters.find_one({"_id": _ASKED})
        return 0 if row is None else int(row["last"])

    def drop_before(self, begun_ms: int) -> int:
        """Delete runs that began before `begun_ms` (milliseconds since 1970); how many."""
        return self._collection.delete_many({"begun_ms": {"$lt": begun_ms}}).deleted_count

    def _count(self, name: str) -> int:
        row = self._counters.find_one_and_update({"_id": name}, {"$inc": {"last": 1}}, upsert=True,
                                                 return_document=ReturnDocument.AFTER)
        assert row is not None  # it is made when there is none
        return int(row["last"])


def _run(row: Document) -> ReconciliationRun:
    values = values_of(row)
    del values["version"], values["number"], values["begun_ms"]
    return ReconciliationRun.from_dict(values)
