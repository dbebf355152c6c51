"""What strategies have made on the newest day that is known, and which were made to reduce for it. Two documents."""

from collections.abc import Iterable
from dataclasses import asdict

from trading.data.mongo.connection import MongoStore
from trading.risk.strategy_day import StrategyDay


class MongoStrategyDays:
    """Written by whoever has prices, read by whoever watches."""

    def __init__(self, store: MongoStore) -> None:
        self._collection = store.database.settings

    def load(self, day: str) -> list[StrategyDay]:
        """Those of `day`; empty when they are not known."""
        document = self._collection.find_one({"_id": "strategy_days", "day": day})
        return [] if document is None else [StrategyDay(**row) for row in document["strategies"]]

    def save(self, day: str, found: Iterable[StrategyDay]) -> None:
        rows = [asdict(each) for each in found]
        self._collection.replace_one({"_id": "strategy_days"}, {"day": day, "strategies": rows}, upsert=True)

    def reduced(self, day: str) -> frozenset[str]:
        """Strategies that were made to reduce for `day`: a person who takes that back is not overruled."""
        document = self._collection.find_one({"_id": "strategies_reduced", "day": day})
        return frozenset() if document is None else frozenset(document["strategies"])

    def save_reduced(self, day: str, strategies: Iterable[str]) -> None:
        self._collection.replace_one({"_id": "strategies_reduced"}, {"day": day, "strategies": sorted(strategies)},
                                     upsert=True)
