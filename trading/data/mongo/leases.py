"""The leader lease: which daemon may act. Expiry is judged by the server's clock alone (scheduler.md 4.1)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from bson import Int64

from trading.data.mongo.connection import Document, MongoStore


@dataclass(frozen=True, kw_only=True)
class Lease:
    """The lease as it stands. `token` grows with every change of holder; a smaller one is refused everywhere."""

    nonce: str
    token: int
    holder: str
    boot_id: str
    pid: int
    start_ticks: int
    taken_ms: int = 0  # when this holder took it, by the server's clock


class MongoLeases:
    """One document; taken and renewed by a single conditional update, right on MongoDB and on the embedded server."""

    def __init__(self, store: MongoStore) -> None:
        self._collection = store.database.leases

    def take_or_renew(self, wanted: Lease, ttl_ms: int) -> Lease:
        """Extend the lease if `wanted.nonce` holds it, take it if it has expired; the lease as it stands then."""
        now = {"$toLong": "$$NOW"}
        expired = {"$lte": [{"$ifNull": ["$expires_ms", 0]}, "$now_ms"]}
        mine = {key: {"$cond": ["$expired", {"$literal": value}, f"${key}"]} for key, value in {
            "nonce": wanted.nonce, "holder": wanted.holder, "boot_id": wanted.boot_id, "pid": wanted.pid,
            "start_ticks": wanted.start_ticks}.items()}
        taken = {"$cond": ["$expired", "$now_ms", {"$ifNull": ["$taken_ms", "$now_ms"]}]}
        token = {"$cond": ["$expired", {"$add": [{"$ifNull": ["$token", {"$toLong": 0}]}, {"$toLong": 1}]}, "$token"]}
        until = {"$cond": [{"$eq": ["$nonce", {"$literal": wanted.nonce}]},
                           {"$add": ["$now_ms", {"$toLong": ttl_ms}]}, "$expires_ms"]}
        steps: list[Mapping[str, Any]] = [
            {"$set": {"now_ms": now}}, {"$set": {"expired": expired}},
            {"$set": {**mine, "token": token, "taken_ms": taken}}, {"$set": {"expires_ms": until}},
            {"$unset": ["now_ms", "expired"]}]
        document = self._collection.find_one_and_update({"_id": "leader"}, steps, upsert=True, return_document=True)
        assert document is not None, "an upsert returns its document"
        return _lease(document)

    def read(self) -> Lease | None:
        """The lease as it stands; None when nobody ever led."""
        document = self._collection.find_one({"_id": "leader"})
        return None if document is None or not document["nonce"] else _lease(document)

    def has_expired(self) -> bool:
        """Whether the lease can be taken, by the server's clock."""
        left = {"$expr": {"$gt": ["$expires_ms", {"$toLong": "$$NOW"}]}}
        return self._collection.find_one({"_id": "leader", **left}, {"_id": 1}) is None

    def sign_of_life(self) -> int | None:
        """A number that changes whenever a leader renews its lease; None when nobody ever led."""
        document = self._collection.find_one({"_id": "leader"})
        return None if document is None else int(document["expires_ms"])

    def settle_token(self, lease: Lease) -> Lease | None:
        """Make sure that the token of a lease just taken is greater than any before, also if the lease was deleted.

        The greatest token ever is kept in a document of its own; the holder raises its lease above it. None: the lease
        has passed to somebody else meanwhile.
        """
        counter = self._collection.find_one_and_update(
            {"_id": "greatest_token"}, {"$max": {"token": Int64(lease.token)}}, upsert=True, return_document=False)
        greatest = 0 if counter is None else int(counter["token"])
        if lease.token > greatest:
            return lease
        raised = replace(lease, token=greatest + 1)
        mine = {"_id": "leader", "nonce": lease.nonce}
        if self._collection.update_one(mine, {"$set": {"token": Int64(raised.token)}}).matched_count != 1:
            return None
        self._collection.update_one({"_id": "greatest_token"}, {"$max": {"token": Int64(raised.token)}})
        return raised

    def raise_token(self, token: int) -> None:
        """From now on every new leader's token is greater than `token`."""
        self._collection.update_one({"_id": "greatest_token"}, {"$max": {"token": Int64(token)}}, upsert=True)

    def release(self, nonce: str) -> None:
        """Let the lease expire now, if `nonce` holds it."""
        self._collection.update_one({"_id": "leader", "nonce": nonce}, {"$set": {"expires_ms": Int64(0)}})


def _lease(document: Document) -> Lease:
    return Lease(nonce=document["nonce"], token=int(document["token"]), holder=document["holder"],
                 boot_id=document["boot_id"], pid=document["pid"], start_ticks=document["start_ticks"],
                 taken_ms=int(document.get("taken_ms", 0)))
