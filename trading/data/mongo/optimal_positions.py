"""What each strategy wanted to hold, day by day."""

from dataclasses import asdict

from trading.data.mongo.connection import Document, MongoStore
from trading.systems.buffered_position import BufferedPosition


class MongoOptimalPositions:
    """One document a strategy, instrument and trading day; repeating a day replaces it."""

    def __init__(self, store: MongoStore) -> None:
        self._collection = store.database.optimal_positions

    def save(self, strategy: str, instrument: str, day: str, position: BufferedPosition) -> None:
        document = {"strategy": strategy, "instrument": instrument, "day": day, **asdict(position)}
        self._collection.replace_one({"_id": f"{strategy}/{instrument}/{day}"}, document, upsert=True)

    def of_day(self, strategy: str, day: str) -> dict[str, BufferedPosition]:
        """Instrument to the position wanted on `day`."""
        rows = self._collection.find({"strategy": strategy, "day": day}).sort("instrument", 1)
        return {row["instrument"]: _position(row) for row in rows}


def _position(row: Document) -> BufferedPosition:
    return BufferedPosition(lower=row["lower"], upper=row["upper"], optimal=row["optimal"],
                            reference_price=row["reference_price"], reference_contract=row["reference_contract"],
                            as_of=row["as_of"])
