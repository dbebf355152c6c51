"""Contracts as the broker describes them: conId, expiry, tick, trading hours. One document each."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal

from trading.broker.facts import ContractDetails
from trading.data.mongo.connection import Document, MongoStore
from trading.errors import NotFound
from trading.objects.contracts import Contract


class MongoContracts:
    """Keyed by INSTRUMENT/YYYYMM00."""

    def __init__(self, store: MongoStore) -> None:
        self._collection = store.database.contracts

    def load(self, contract: Contract) -> ContractDetails:
        row = self._collection.find_one({"_id": contract.key})
        if row is None:
            raise NotFound(f"The broker has not described {contract} yet. Run: tradectl run update_futures_contracts")
        return _details(row)

    def sampled(self, instrument: str) -> dict[Contract, ContractDetails]:
        """The contracts of `instrument` whose prices are collected, nearest first."""
        rows = self._collection.find({"instrument": instrument, "sampled": True}).sort("_id", 1)
        return {Contract.parse(row["_id"]): _details(row) for row in rows}

    def all(self) -> dict[str, ContractDetails]:
        """Every contract that the broker has described, by our key."""
        return {row["_id"]: _details(row) for row in self._collection.find()}

    def some(self, keys: Sequence[str]) -> dict[str, ContractDetails]:
        """Those of `keys` that the broker has described."""
        return {row["_id"]: _details(row) for row in self._collection.find({"_id": {"$in": list(keys)}})}

    def by_con_id(self) -> dict[int, Contract]:
        return {row["details"]["con_id"]: Contract.parse(row["_id"]) for row in self._collection.find()}

    def save(self, contract: Contract, details: ContractDetails, sampled: bool, now: datetime) -> bool:
        """Write what differs; whether anything did."""
        facts = asdict(details) | {"min_tick": str(details.min_tick)}
        stored = self._collection.find_one({"_id": contract.key})
        if stored is not None and stored["details"] == facts and stored["sampled"] == sampled:
            return False
        self._collection.replace_one(
            {"_id": contract.key},
            {"instrument": contract.instrument, "details": facts, "sampled": sampled, "updated": now,
             "v": (stored["v"] if stored else 0) + 1}, upsert=True)
        return True

    def stop_sampling(self, contract: Contract) -> None:
        self._collection.update_one({"_id": contract.key}, {"$set": {"sampled": False}, "$inc": {"v": 1}})


def _details(row: Document) -> ContractDetails:
    return ContractDetails(**row["details"] | {"min_tick": Decimal(row["details"]["min_tick"])})
