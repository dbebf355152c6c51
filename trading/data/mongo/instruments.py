"""Instruments with their roll parameters and their names at the broker; currency pairs. One document each."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from trading.data.mongo.connection import MongoStore
from trading.errors import NotFound
from trading.objects.instruments import BrokerInstrument, CurrencyPair, Instrument
from trading.objects.rolls import RollParameters


@dataclass(frozen=True, kw_only=True)
class InstrumentRecord:
    """All that is configured about one instrument; without rolls or a broker name it cannot be traded."""

    instrument: Instrument
    rolls: RollParameters | None
    broker: BrokerInstrument | None


class MongoInstruments:
    """Plain values in and out."""

    def __init__(self, store: MongoStore) -> None:
        self._collection = store.database.instruments
        self._pairs = store.database.currency_pairs

    def codes(self) -> list[str]:
        return sorted(self._collection.distinct("code"))

    def load(self, code: str) -> InstrumentRecord:
        """Raises NotFound, with what to do, when `code` was never imported."""
        document = self._collection.find_one({"_id": code})
        if document is None:
            raise NotFound(f"There is no instrument {code}. Known ones: tradectl prices; import more: "
                           f"tradectl import pysystemtrade DIR")
        return _from_document(document)

    def load_all(self, codes: Sequence[str] | None = None) -> dict[str, InstrumentRecord]:
        """All of them, or those of `codes` that there are."""
        wanted = {} if codes is None else {"_id": {"$in": list(codes)}}
        return {str(document["_id"]): _from_document(document)
                for document in self._collection.find(wanted).sort("_id", 1)}

    def save_all(self, records: dict[str, InstrumentRecord]) -> int:
        """Write what differs from what is stored; the number of documents written."""
        stored = {document["_id"]: document for document in self._collection.find()}
        wanted = {code: _to_document(record) for code, record in records.items()}
        changed = [document for code, document in wanted.items() if stored.get(code) != document]
        for document in changed:
            self._collection.replace_one({"_id": document["_id"]}, document, upsert=True)
        return len(changed)

    def pairs(self) -> dict[str, CurrencyPair]:
        found = self._pairs.find({}, {"_id": 0}).sort("code", 1)
        return {document["code"]: CurrencyPair(**document) for document in found}

    def save_pairs(self, pairs: dict[str, CurrencyPair]) -> None:
        for code, pair in pairs.items():
            self._pairs.replace_one({"_id": code}, asdict(pair), upsert=True)


def _to_document(record: InstrumentRecord) -> dict[str, Any]:
    return {"_id": record.instrument.code, "code": record.instrument.code, "currency": record.instrument.currency,
            "instrument": asdict(record.instrument), "rolls": record.rolls and asdict(record.rolls),
            "broker": record.broker and asdict(record.broker)}


def _from_document(document: dict[str, Any]) -> InstrumentRecord:
    rolls, broker = document["rolls"], document["broker"]
    return InstrumentRecord(instrument=Instrument(**document["instrument"]),
                            rolls=RollParameters(**rolls) if rolls else None,
                            broker=BrokerInstrument(**broker) if broker else None)
