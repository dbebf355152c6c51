"""Every order-related message of the broker, stored before anybody acts on it. Append only; `_id` is its place."""

from collections.abc import Iterable, Sequence

from pymongo import WriteConcern

from trading.data.mongo.connection import Document, MongoStore
from trading.execution.broker_messages import BrokerMessage, MessageKind
from trading.execution.broker_orders import BrokerOrder


class MongoBrokerJournal:
    """One writer (the leading daemon), any number of readers."""

    def __init__(self, store: MongoStore) -> None:
        self._collection = store.database.broker_messages
        settings = store.database.settings
        self._settings = settings.with_options(write_concern=WriteConcern(1, j=False))  # a bookmark, and no more

    def last_sequence(self) -> int:
        newest = self._collection.find_one({}, {"_id": 1}, sort=[("_id", -1)])
        return 0 if newest is None else int(newest["_id"])

    def append(self, messages: Sequence[BrokerMessage]) -> None:
        """Store `messages`; a duplicate key means that a second daemon writes, and is an error."""
        self._collection.insert_many([_document(message) for message in messages], ordered=True)

    def after(self, sequence: int, limit: int = 1000) -> list[BrokerMessage]:
        rows = self._collection.find({"_id": {"$gt": sequence}}).sort("_id", 1).limit(limit)
        return [_message(row) for row in rows]

    def newest(self, kind: MessageKind, limit: int) -> list[BrokerMessage]:
        """The newest `limit` messages of `kind`, oldest first, however much else was said since."""
        rows = self._collection.find({"kind": kind.value}).sort("_id", -1).limit(limit)
        return [_message(row) for row in rows][::-1]

    def about(self, orders: Iterable[BrokerOrder]) -> list[BrokerMessage]:
        """What was said of these orders, by reference, permanent id, or the handle of its connection."""
        wanted: list[Document] = []
        for order in orders:
            wanted.append({"facts.reference": order.id})
            wanted += [{"facts.perm_id": order.perm_id}] * bool(order.perm_id)
            if order.ib_order_id is not None:
                wanted += [{"epoch": order.epoch, f"facts.{name}": order.ib_order_id}
                           for name in ("ib_order_id", "request_id")]
        return [_message(row) for row in self._collection.find({"$or": wanted}).sort("_id", 1)] if wanted else []

    def offered_after(self, epoch: str) -> int | None:
        """The order id that the broker offered on the first connection after `epoch`, as the same client; None: there
        was no other connection, or nobody remembers that of `epoch`."""
        connected: Document = {"kind": MessageKind.CONNECTED.value}
        own = self._collection.find_one(connected | {"epoch": epoch})
        if own is None:
            return None
        later = connected | {"_id": {"$gt": own["_id"]}, "facts.client_id": own["facts"].get("client_id")}
        found = self._collection.find_one(later, sort=[("_id", 1)])
        return None if found is None else int(found["facts"]["next_valid_id"])

    def applied(self) -> int:
        """The last message whose effect is in the books."""
        return int((self._settings.find_one({"_id": "journal_applied"}) or {}).get("sequence", 0))

    def mark_applied(self, sequence: int) -> None:
        """A crash may lose the newest of it: then messages are applied again, which changes nothing."""
        self._settings.update_one({"_id": "journal_applied"}, {"$max": {"sequence": sequence}}, upsert=True)

    def drop_applied_before(self, sequence: int) -> int:
        """Delete old messages that are in the books; the number deleted."""
        limit = min(sequence, self.applied())
        return self._collection.delete_many({"_id": {"$lt": limit}}).deleted_count


def _document(message: BrokerMessage) -> Document:
    return {"_id": message.sequence, "at": message.at, "epoch": message.epoch, "kind": message.kind.value,
            "facts": message.facts}


def _message(row: Document) -> BrokerMessage:
    return BrokerMessage(sequence=row["_id"], at=row["at"], epoch=row["epoch"], kind=MessageKind(row["kind"]),
                         facts=row["facts"])
