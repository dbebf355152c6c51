"""What people did at the desk: one event a deed, in the log of all changes, found again by its id."""

from typing import Final

from pymongo.client_session import ClientSession

from trading.data.mongo.connection import Document, MongoStore
from trading.data.mongo.events import FIRST, MongoEvents, event_id
from trading.data.trading_desk.deed import Outcome

DEED_PREFIX: Final = "deed "  # of the aggregate of a deed's event


class DeedLog:
    """Append-only; its events are in the chain of all others."""

    def __init__(self, store: MongoStore) -> None:
        self._events, self._collection = MongoEvents(store), store.database.events

    def find(self, deed: str, session: ClientSession | None = None) -> tuple[Outcome, Document] | None:
        """What was done under this id, and what had been asked; None: nothing yet."""
        row = self._collection.find_one({"_id": event_id(f"{DEED_PREFIX}{deed}", 1)}, session=session)
        return None if row is None else (_outcome(row), row["payload"]["asked"])

    def append(self, outcome: Outcome, asked: Document, session: ClientSession, story: str) -> None:
        """Tell of a deed, within its transaction."""
        self._events.append(outcome.deed, {
            "_id": f"{DEED_PREFIX}{outcome.id}", "v": 1, "asked": asked, "who": outcome.who, "why": outcome.why,
            "at": outcome.at, "before": dict(outcome.before), "after": dict(outcome.after), "done": outcome.done,
            "warnings": list(outcome.warnings)}, FIRST, session, story)

    def newest(self, count: int) -> list[Outcome]:
        """The last deeds, newest first."""
        rows = self._collection.find({"_id": {"$regex": f"^{DEED_PREFIX}"}}).sort([("ms", -1), ("order", -1)])
        return [_outcome(row) for row in rows.limit(count)]


def _outcome(row: Document) -> Outcome:
    said = row["payload"]
    return Outcome(deed=row["kind"], id=row["aggregate"].removeprefix(DEED_PREFIX), who=said["who"], why=said["why"],
                   at=said["at"], before=said["before"], after=said["after"], done=said["done"],
                   warnings=tuple(said["warnings"]))
