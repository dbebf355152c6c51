"""Versioned documents: whoever writes names the version that he read, so no update is ever lost."""

from typing import Any

from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from trading.data.mongo.connection import Document
from trading.errors import ConcurrentUpdate


def replace_version(collection: Collection[Document], document: Document, seen: int, what: str,
                    session: ClientSession | None = None) -> Document:
    """Write `document` over version `seen` (0: it must not exist yet) and return it with its new version.

    Raises:
        ConcurrentUpdate: somebody wrote since `seen` was read; load it and decide again.
    """
    newer = document | {"v": seen + 1}
    if seen == 0:
        _insert(collection, newer, what, session)
    elif collection.replace_one({"_id": newer["_id"], "v": seen}, newer, session=session).matched_count != 1:
        raise ConcurrentUpdate(what, seen)
    return newer


def _insert(collection: Collection[Document], document: Document, what: str, session: ClientSession | None) -> None:
    try:
        collection.insert_one(document, session=session)
    except DuplicateKeyError as error:
        if session is not None or collection.find_one({"_id": document["_id"]}) != document:
            raise ConcurrentUpdate(what, 0) from error
        # our own write, acknowledged late: a retried insert may meet itself


def by_id(collection: Collection[Document], key: Any, session: ClientSession | None = None) -> Document | None:
    """The document `key`, or None when there is none."""
    return collection.find_one({"_id": key}, session=session)
