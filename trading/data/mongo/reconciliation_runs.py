"""Reconciliations as they ended: append only, one document a run."""

from bson import Int64

from trading.clock import to_milliseconds
from trading.data.mongo.chained import values_of
from trading.data.mongo.connection import Document, MongoStore
from trading.execution.reconciliation.run import ReconciliationRun


class MongoReconciliationRuns:
    """What each comparison with the broker has shown."""

    def __init__(self, store: MongoStore) -> None:
        self._collection = store.database.reconciliation_runs

    def append(self, run: ReconciliationRun) -> None:
        """Store `run` once; storing it again changes nothing."""
        document: Document = run.as_dict()
        document["_id"] = document.pop("id")
        document["begun_ms"] = Int64(to_milliseconds(run.begun))
        self._collection.update_one({"_id": run.id}, {"$setOnInsert": document}, upsert=True)

    def last(self, epoch: str | None = None) -> ReconciliationRun | None:
        """The newest run that has a verdict, over connection `epoch`, or over any; None when there is none."""
        query: Document = {"verdict": {"$ne": None}} | ({} if epoch is None else {"epoch": epoch})
        row = self._collection.find_one(query, sort=[("begun_ms", -1), ("_id", -1)])
        return None if row is None else _run(row)

    def recent(self, count: int) -> list[ReconciliationRun]:
        """The newest runs, newest first, also those that drew no conclusion."""
        return list(map(_run, self._collection.find().sort([("begun_ms", -1), ("_id", -1)]).limit(count)))

    def drop_before(self, begun_ms: int) -> int:
        """Delete runs that began before `begun_ms` (milliseconds since 1970); how many."""
        return self._collection.delete_many({"begun_ms": {"$lt": begun_ms}}).deleted_count


def _run(row: Document) -> ReconciliationRun:
    values = values_of(row)
    del values["version"], values["begun_ms"]
    return ReconciliationRun.from_dict(values)
