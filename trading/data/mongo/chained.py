"""Writing a versioned document together with the event that tells of it; both, or neither."""

from collections.abc import Sequence
from typing import Any, Protocol

from pymongo.client_session import ClientSession

from trading.data.mongo.connection import Document, MongoStore
from trading.data.mongo.events import MongoEvents
from trading.data.mongo.versioned import replace_version


class Chained(Protocol):
    """A stored fact that knows its version and its newest event."""

    @property
    def id(self) -> str: ...
    @property
    def version(self) -> int: ...
    @property
    def chain(self) -> str: ...
    def as_dict(self) -> dict[str, Any]: ...


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
        return self.write_all([(collection, fact, kind)], session, story)[0]

    def write_all(self, facts: Sequence[tuple[str, Chained, str]], session: ClientSession,
                  story: str = "") -> list[str]:
        """Write several, each as (collection, fact, kind of event), with one statement for all their events."""
        events, chains = [], []
        for collection, fact, kind in facts:
            document = document_of(fact)
            event, chain = self._events.prepared(kind, document, fact.chain, story)
            replace_version(self._database[collection], document | {"chain": chain}, fact.version,
                            f"{kind} {fact.id}", session)
            events.append(event)
            chains.append(chain)
        self._events.append_all(events, session)
        return chains
