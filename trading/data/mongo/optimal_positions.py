"""What each strategy wanted to hold, day by day."""

from dataclasses import asdict

from trading.data.mongo.connection import Document, MongoStore
from trading.errors import NotFound
from trading.systems.buffered_position import BufferedPosition
from trading.systems.provenance import Provenance


class MongoOptimalPositions:
    """One document a strategy, instrument and trading day; repeating a day replaces it."""

    def __init__(self, store: MongoStore) -> None:
        self._collection = store.database.optimal_positions

    def save(self, strategy: str, instrument: str, day: str, position: BufferedPosition, source: Provenance) -> None:
        """Store what is wanted, and from what it was computed."""
        document = {"strategy": strategy, "instrument": instrument, "day": day, **asdict(position),
                    "provenance": asdict(source)}
        self._collection.replace_one({"_id": f"{strategy}/{instrument}/{day}"}, document, upsert=True)

    def provenance(self, strategy: str, instrument: str, day: str) -> Provenance:
        """From what the position of `day` was computed.

        Raises:
            NotFound: nothing was wanted that day.
        """
        row = self._collection.find_one({"_id": f"{strategy}/{instrument}/{day}"}, {"provenance": 1})
        if row is None:
            raise NotFound(f"{strategy} wanted nothing in {instrument} on {day}.")
        return Provenance(**row["provenance"])

    def of_day(self, strategy: str, day: str) -> dict[str, BufferedPosition]:
        """Instrument to the position wanted on `day`."""
        rows = self._collection.find({"strategy": strategy, "day": day}).sort("instrument", 1)
        return {row["instrument"]: _position(row) for row in rows}


def _position(row: Document) -> BufferedPosition:
    return BufferedPosition(lower=row["lower"], upper=row["upper"], optimal=row["optimal"],
                            reference_price=row["reference_price"], reference_contract=row["reference_contract"],
                            as_of=row["as_of"], previous=row.get("previous"), usual_change=row.get("usual_change"))
