"""The leader lease: which daemon may act. Expiry is judged by the server's clock alone (scheduler.md 4.1)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trading.data.mongo.connection import MongoStore


@dataclass(frozen=True, kw_only=True)
class Lease:
    """The lease as it stands. `token` grows with every change of holder; a smaller one is refused everywhere."""

    nonce: str
    token: int
    holder: str
    boot_id: str
    pid: int
    start_ticks: int


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
        token = {"$cond": ["$expired", {"$add": [{"$ifNull": ["$token", {"$toLong": 0}]}, {"$toLong": 1}]}, "$token"]}
        until = {"$cond": [{"$eq": ["$nonce", {"$literal": wanted.nonce}]},
                           {"$add": ["$now_ms", {"$toLong": ttl_ms}]}, "$expires_ms"]}
        steps: list[Mapping[str, Any]] = [
            {"$set": {"now_ms": now}}, {"$set": {"expired": expired}}, {"$set": {**mine, "token": token}},
            {"$set": {"expires_ms": until}}, {"$unset": ["now_ms", "expired"]}]
        document = self._collection.find_one_and_update({"_id": "leader"}, steps, upsert=True, return_document=True)
        assert document is not None, "an upsert returns its document"
        return Lease(nonce=document["nonce"], token=int(document["token"]), holder=document["holder"],
                     boot_id=document["boot_id"], pid=document["pid"], start_ticks=document["start_ticks"])

    def release(self, nonce: str) -> None:
        """Let the lease expire now, if `nonce` holds it."""
        self._collection.update_one({"_id": "leader", "nonce": nonce}, {"$set": {"expires_ms": 0}})
