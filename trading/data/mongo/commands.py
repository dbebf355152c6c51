"""What operators asked for, once each: a command that arrives again gets the answer that it got before."""

from datetime import datetime
from typing import Any

from pymongo.errors import DuplicateKeyError

from trading.data.mongo.connection import Document, MongoStore


class MongoCommands:
    """One document a command; its id is chosen by whoever asks."""

    def __init__(self, store: MongoStore) -> None:
        self._collection = store.database.commands

    def accept(self, command: str, values: Document, now: datetime) -> Document | None:
        """None: the command is new and recorded as accepted. Else: what was recorded when it came first."""
        try:
            self._collection.insert_one({"_id": command, "state": "accepted", "at": now, **values})
        except DuplicateKeyError:
            return self._collection.find_one({"_id": command})
        return None

    def answer(self, command: str, status: int, result: Any) -> None:
        """Record what became of the command; `status` as in HTTP."""
        state = "done" if status < 400 else "refused"
        self._collection.update_one({"_id": command}, {"$set": {"state": state, "status": status, "result": result}})
