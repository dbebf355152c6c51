"""Capital by day: the account's under the owner `total`, each strategy's under its name."""

from dataclasses import asdict

from trading.data.mongo.connection import MongoStore
from trading.objects.capital import Capital

TOTAL = "total"


class MongoCapital:
    """One document an owner and day; repeating a day replaces it."""

    def __init__(self, store: MongoStore) -> None:
        self._collection = store.database.capital

    def history(self) -> list[tuple[str, Capital]]:
        """(day, capital) of the account, oldest first."""
        rows = self._collection.find({"owner": TOTAL}).sort("day", 1)
        return [(row["day"], Capital(**row["capital"])) for row in rows]

    def before(self, day: str) -> Capital | None:
        """The account's capital on the last day before `day`."""
        row = self._collection.find_one({"owner": TOTAL, "day": {"$lt": day}}, sort=[("day", -1)])
        return None if row is None else Capital(**row["capital"])

    def save(self, day: str, capital: Capital) -> None:
        self._put(TOTAL, day, {"capital": asdict(capital)})

    def latest(self) -> Capital | None:
        row = self._collection.find_one({"owner": TOTAL}, sort=[("day", -1)])
        return None if row is None else Capital(**row["capital"])

    def save_strategy(self, strategy: str, day: str, amount: float) -> None:
        self._put(strategy, day, {"amount": amount})

    def strategy(self, strategy: str) -> float | None:
        """The newest capital of `strategy`, None when it never got any."""
        row = self._collection.find_one({"owner": strategy}, sort=[("day", -1)])
        return None if row is None else float(row["amount"])

    def _put(self, owner: str, day: str, facts: dict[str, object]) -> None:
        key = f"{owner}/{day}"
        self._collection.replace_one({"_id": key}, {"owner": owner, "day": day, **facts}, upsert=True)
