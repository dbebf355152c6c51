"""Writing versioned documents together with the events that tell of them; all, or nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from pymongo import InsertOne, ReplaceOne
from pymongo.client_session import ClientSession
from pymongo.errors import BulkWriteError

from trading.data.mongo.connection import Document, MongoStore
from trading.data.mongo.events import MongoEvents
from trading.errors import ConcurrentUpdate

_DUPLICATE: Final = 11000


class Chained(Protocol):
    """A stored fact that knows its version and its newest event."""

    @property
    def id(self) -> str: ...
    @property
    def version(self) -> int: ...
    @property
    def chain(self) -> str: ...
    def as_dict(self) -> dict[str, Any]: ...


@dataclass(frozen=True, kw_only=True)
class Change:
    """One document as it is to be stored, and what its event says."""

    collection: str
    fact: Chained
    kind: str
    story: str = ""
    is_fresh: bool = False  # read within the very transaction: the server refuses to write over anything newer

    @property
    def what(self) -> str:
        return f"{self.kind} {self.fact.id}"


def document_of(fact: Chained) -> Document:
    """What is stored of `fact` in its next version."""
    document = fact.as_dict()
    document["_id"] = document.pop("id")
    document["v"] = document.pop("version") + 1
    return document


def values_of(row: Document) -> Document:
    """What `from_dict` reads, from a stored document."""
    values = dict(row)
    values["id"], values["version"] = values.pop("_id", None), values.pop("v", None)
    return values


class ChainedWriter:
    """Writes documents and their events inside one transaction."""

    def __init__(self, store: MongoStore) -> None:
        self._database = store.database
        self._events = MongoEvents(store)

    def write(self, collection: str, fact: Chained, kind: str, session: ClientSession, story: str = "") -> str:
        """Write `fact` against the version that it was read at; the digest of its event.

        Raises:
            ConcurrentUpdate: somebody wrote since it was read.
        """
        return self.write_all([Change(collection=collection, fact=fact, kind=kind, story=story)], session)[0]

    def write_all(self, changes: Sequence[Change], session: ClientSession) -> list[str]:
        """The same of several, with a statement for each collection and one for all events; their digests.

        Raises:
            ConcurrentUpdate: somebody wrote one of them since it was read.
        """
        told = [(change, *self._told(change)) for change in changes]
        for collection in dict.fromkeys(change.collection for change in changes):
            of_it = [(change, document) for change, document, _ in told if change.collection == collection]
            if len(of_it) > 1:
                self._refuse_stale([change for change, _ in of_it], session)
            self._send(of_it, session)
        self._events.append_all((event for _, _, event in told), session)
        return [event["digest"] for _, _, event in told]

    def _told(self, change: Change) -> tuple[Document, Document]:
        """What is stored, and the event of it."""
        document = document_of(change.fact)
        event, digest = self._events.prepared(change.kind, document, change.fact.chain, change.story)
        return document | {"chain": digest}, event

    def _refuse_stale(self, changes: Sequence[Change], session: ClientSession) -> None:
        """One look for all of a collection: the embedded server finds a document twice as fast by its `_id` alone."""
        known = {change.fact.id: change for change in changes if change.fact.version and not change.is_fresh}
        if not known:
            return
        rows = self._database[changes[0].collection].find({"_id": {"$in": sorted(known)}}, {"v": 1}, session=session)
        stored = {row["_id"]: row["v"] for row in rows}
        for name, change in known.items():
            if stored.get(name) != change.fact.version:
                raise ConcurrentUpdate(change.what, change.fact.version)

    def _send(self, written: Sequence[tuple[Change, Document]], session: ClientSession) -> None:
        first = written[0][0]
        names_version = len(written) == 1 and not first.is_fresh
        statements = [_statement(document, names_version=names_version) for _, document in written]
        try:
            done = self._database[first.collection].bulk_write(statements, session=session)
        except BulkWriteError as error:
            refused = error.details["writeErrors"][0]
            if refused.get("code") == _DUPLICATE:
                raise ConcurrentUpdate(written[refused["index"]][0].what, 0) from error
            raise
        if done.inserted_count + done.matched_count != len(statements):
            raise ConcurrentUpdate(first.what if len(written) == 1 else f"one of the {first.collection}",
                                   first.fact.version)


def _statement(document: Document, *, names_version: bool) -> InsertOne[Document] | ReplaceOne[Document]:
    """A first version must not exist yet; what was looked at within the transaction is found by its `_id`."""
    if document["v"] == 1:
        return InsertOne(document)
    named = {"_id": document["_id"]} | ({"v": document["v"] - 1} if names_version else {})
    return ReplaceOne(named, document)
