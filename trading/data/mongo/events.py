"""Everything that ever happened to an order, fill, lock, limit or level: append-only, in a chain of digests.

An event holds the whole document after its change, who changed it, and the digest of the event before it. The newest
one equals the stored document, versions have no gaps, and nobody can change or leave out one without being noticed.
Written in the transaction that makes the change, or not at all.
"""

import hashlib
import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from bson import Int64
from pymongo.client_session import ClientSession

from trading.clock import from_milliseconds, to_milliseconds
from trading.data.mongo.connection import Document, MongoStore

FIRST: Final = ""  # what stands before the first event of a thing


@dataclass(frozen=True, kw_only=True)
class Event:
    """One change: what was changed, to what, by whom and when."""

    aggregate: str
    version: int
    kind: str
    payload: Document
    actor: str
    story: str  # the instrument order that it belongs to; empty for none
    at: datetime
    digest: str


class MongoEvents:
    """The log of all changes."""

    def __init__(self, store: MongoStore) -> None:
        self._collection = store.database.events
        self._author, self._clock = store.author, store.clock

    def append(self, kind: str, document: Document, previous: str, session: ClientSession, story: str = "") -> str:
        """Write that `document` (with its _id and v) is so now; the digest of the event.

        Args:
            previous: the digest of the event before it, FIRST for none.
        """
        event, found = self.prepared(kind, document, previous, story)
        self._collection.insert_one(event, session=session)
        return found

    def append_all(self, events: Iterable[Document], session: ClientSession) -> None:
        """Write what `prepared` made, in one statement."""
        rows = list(events)
        if rows:
            self._collection.insert_many(rows, ordered=True, session=session)

    def prepared(self, kind: str, document: Document, previous: str, story: str = "") -> tuple[Document, str]:
        """The event, and its digest, which goes into the changed document."""
        payload = {key: value for key, value in document.items() if key not in ("_id", "chain")}
        found = digest(previous, kind, document["_id"], payload)
        return {"_id": event_id(document["_id"], document["v"]), "aggregate": document["_id"], "v": document["v"],
                "kind": kind, "payload": payload, "actor": self._author, "story": story,
                "ms": Int64(to_milliseconds(self._clock.now())), "order": Int64(time.monotonic_ns()),
                "previous": previous, "digest": found}, found

    def of(self, aggregate: str) -> list[Event]:
        """All that happened to one thing, oldest first."""
        return list(map(_event, self._collection.find(_about(aggregate)).sort("_id", 1)))

    def newest(self, aggregate: str, session: ClientSession | None = None) -> tuple[int, str]:
        """Version and digest of the last event of a thing; 0 and FIRST when nothing has happened to it."""
        row = self._collection.find_one(_about(aggregate), sort=[("_id", -1)], session=session)
        return (0, FIRST) if row is None else (row["v"], row["digest"])

    def story(self, order: str) -> list[Event]:
        """All that happened to an instrument order and everything below it, in time order."""
        rows = self._collection.find({"story": order}).sort([("ms", 1), ("order", 1)])
        return list(map(_event, rows))

    def breaks_in_chain(self) -> Iterator[str]:
        """A sentence for each event that is missing, or is not what was written."""
        aggregate, previous, expected = "", FIRST, 1
        for row in self._collection.find({}).sort("_id", 1):
            if row["aggregate"] != aggregate:
                aggregate, previous, expected = row["aggregate"], FIRST, 1
            if row["v"] != expected:
                yield f"{aggregate}: version {row['v']} follows {expected - 1}; events are missing."
            elif row["previous"] != previous or row["digest"] != digest(
                    previous, row["kind"], aggregate, row["payload"]):
                yield f"{aggregate}: version {row['v']} is not what was written."
            previous, expected = row["digest"], row["v"] + 1


def event_id(aggregate: str, version: int) -> str:
    """One event a thing and version, so that no update is ever lost; they sort by thing, then by version."""
    return f"{aggregate}#{version:06d}"


def _about(aggregate: str) -> Document:
    """By `_id`: an index of its own would cost as much as the event. $ is the character behind #."""
    return {"_id": {"$gte": f"{aggregate}#", "$lt": f"{aggregate}$"}, "aggregate": aggregate}


def digest(previous: str, kind: str, aggregate: str, payload: Document) -> str:
    """The digest of one event on top of the one before."""
    text = json.dumps([previous, kind, aggregate, payload], sort_keys=True, default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: Any) -> str:
    """Times as the store keeps them: whole milliseconds."""
    return value.isoformat(timespec="milliseconds") if isinstance(value, datetime) else str(value)


def _event(row: Document) -> Event:
    return Event(aggregate=row["aggregate"], version=row["v"], kind=row["kind"], payload=row["payload"],
                 actor=row["actor"], story=row["story"], at=from_milliseconds(row["ms"]), digest=row["digest"])
