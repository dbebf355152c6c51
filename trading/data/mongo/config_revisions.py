"""The configurations that were in use: one document a generation, never changed and never deleted."""

from dataclasses import replace
from typing import Final

from pymongo.errors import DuplicateKeyError
from ulid import ULID

from trading.control.config_revision import ConfigRevision, Source
from trading.data.mongo.connection import Document, MongoStore
from trading.errors import ConcurrentUpdate, NotFound

_DOT: Final = "\uff0e"  # stands for the dot of a file name, which means a path in a key of a document


class MongoConfigRevisions:
    """To insert the next generation is to win it: its number is the key."""

    def __init__(self, store: MongoStore) -> None:
        self._collection = store.database.config_revisions

    def newest(self) -> ConfigRevision | None:
        """The last accepted configuration; None before the first."""
        return next(iter(self.history(1)), None)

    def newest_generation(self) -> int:
        """That of the last accepted configuration; 0 before the first."""
        found = next(iter(self._collection.find({}, {"_id": 1}).sort("_id", -1).limit(1)), None)
        return 0 if found is None else int(found["_id"])

    def get(self, generation: int) -> ConfigRevision:
        """
        Raises:
            NotFound: there is no such generation.
        """
        document = self._collection.find_one({"_id": generation})
        if document is None:
            raise NotFound(f"There is no generation {generation} of the configuration. See: tradectl schedule history")
        return _revision(document)

    def history(self, limit: int) -> list[ConfigRevision]:
        """The newest first."""
        return [_revision(document) for document in self._collection.find().sort("_id", -1).limit(limit)]

    def insert(self, revision: ConfigRevision, nonce: str = "") -> ConfigRevision:
        """Make `revision` the generation behind its parent, and return it with its number.

        Raises:
            ConcurrentUpdate: somebody else made that generation; look at it and decide again.
        """
        numbered = replace(revision, generation=(revision.parent or 0) + 1)
        document = _document(numbered) | {"nonce": nonce or str(ULID())}
        try:
            self._collection.insert_one(document)
        except DuplicateKeyError as error:
            stored = self._collection.find_one({"_id": numbered.generation}, {"nonce": 1}) or {}
            if stored.get("nonce") != document["nonce"]:
                raise ConcurrentUpdate("the configuration", numbered.parent or 0) from error
            # our own write, acknowledged late: a retried insert may meet itself
        return numbered


def _document(revision: ConfigRevision) -> Document:
    return {"_id": revision.generation, "sha256": revision.sha256, "author": revision.author,
            "files": {name.replace(".", _DOT): text for name, text in revision.files.items()},
            "reason": revision.reason, "source": revision.source.value, "at": revision.at, "parent": revision.parent,
            "changes": list(revision.changes)}


def _revision(document: Document) -> ConfigRevision:
    return ConfigRevision(
        generation=int(document["_id"]), sha256=document["sha256"], author=document["author"],
        files={name.replace(_DOT, "."): text for name, text in document["files"].items()}, reason=document["reason"],
        source=Source(document["source"]), at=document["at"], parent=document["parent"],
        changes=tuple(document["changes"]))
