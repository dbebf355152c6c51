"""Settings of operators: documents of one collection, each change of which is told in a chain of events."""

from collections.abc import Mapping
from typing import Any

from pymongo.client_session import ClientSession

from trading.data.mongo.connection import Document, MongoStore
from trading.data.mongo.events import FIRST, MongoEvents
from trading.data.mongo.versioned import replace_version


class ChainedSettings:
    """Documents of one collection, each with its chain of events."""

    def __init__(self, store: MongoStore, collection: str) -> None:
        self._store, self._name = store, collection
        self._collection = store.database[collection]
        self._events = MongoEvents(store)

    def rows(self) -> list[Document]:
        return list(self._collection.find({"gone": False}).sort("_id", 1))

    def put(self, key: str, values: Mapping[str, Any], version: int | None = None,
            session: ClientSession | None = None) -> int:
        """Write `values`, against `version` if it is given; the new version. A part of `session`, or by itself.

        Raises:
            ConcurrentUpdate: somebody wrote since `version` was read.
        """
        def steps(session: ClientSession) -> int:
            known = self._collection.find_one({"_id": key}, session=session) or {"v": 0, "chain": FIRST}
            seen = known["v"] if version is None else version
            document = {"_id": key, "v": seen + 1, "gone": False, **values}
            event, chain = self._events.prepared(self._name, document | {"_id": f"{self._name} {key}"}, known["chain"])
            replace_version(self._collection, document | {"chain": chain}, seen, f"{self._name} {key}", session)
            self._events.append_all([event], session)
            return int(seen + 1)
        return self._store.transact(steps) if session is None else steps(session)
