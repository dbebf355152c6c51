"""Recorded roll calendars: when each contract was left for the next. Reference data, one document an instrument."""

import pandas as pd

from trading.data.mongo.connection import MongoStore
from trading.data.mongo.versioned import replace_version


class MongoRollCalendars:
    """Frames with a UTC index and the columns current_contract, next_contract, carry_contract."""

    def __init__(self, store: MongoStore) -> None:
        self._collection = store.database.roll_calendars

    def load(self, code: str) -> pd.DataFrame:
        document = self._collection.find_one({"_id": code})
        rows = document["rows"] if document else []
        return pd.DataFrame(rows).set_index("at") if rows else pd.DataFrame()

    def save(self, code: str, frame: pd.DataFrame) -> int:
        """Write the calendar when it differs; the number of rows that are new."""
        stored = self._collection.find_one({"_id": code})
        rows = [{"at": stamp.to_pydatetime(), **row} for stamp, row in
                zip(frame.index, frame.to_dict("records"), strict=True)]
        if stored is not None and stored["rows"] == rows:
            return 0
        replace_version(self._collection, {"_id": code, "rows": rows}, stored["v"] if stored else 0,
                        f"roll calendar {code}")
        return len(rows) - (len(stored["rows"]) if stored else 0)
