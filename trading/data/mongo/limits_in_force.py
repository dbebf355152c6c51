"""The position limits that the controls went by when they decided last, the computed ones included.

Limits that nobody has set are computed anew for each decision; whoever watches without computing reads them here.
"""

from collections.abc import Mapping
from datetime import datetime

from trading.data.mongo.connection import MongoStore


class MongoLimitsInForce:
    """One document."""

    def __init__(self, store: MongoStore) -> None:
        self._collection = store.database.settings

    def load(self) -> dict[str, int]:
        """Lots by instrument, all strategies together; empty when nothing was decided yet."""
        document = self._collection.find_one({"_id": "limits_in_force"})
        return {} if document is None else {row["instrument"]: int(row["lots"]) for row in document["limits"]}

    def save(self, limits: Mapping[str, int], at: datetime) -> None:
        rows = [{"instrument": instrument, "lots": lots} for instrument, lots in sorted(limits.items())]
        self._collection.replace_one({"_id": "limits_in_force"}, {"limits": rows, "at": at}, upsert=True)
