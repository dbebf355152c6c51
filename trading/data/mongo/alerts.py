"""What was told about what is wrong: one document an alert; every write names the version that it read."""

from dataclasses import asdict
from typing import Any

from ulid import ULID

from trading.control.alert import AlertKind, AlertState, Audience, Message, Reason, Severity, Told
from trading.data.mongo.connection import Document, MongoStore
from trading.data.mongo.versioned import replace_version


class MongoAlerts:
    """The memory of the alerts, so that a restart or a fail-over neither repeats nor forgets one."""

    def __init__(self, store: MongoStore) -> None:
        self._alerts = store.database.alerts
        self._writer = str(ULID())  # two daemons may write the very same words; only one of them was first

    def load(self, key: str) -> AlertState | None:
        """The state of `key`; None when it never happened."""
        document = self._alerts.find_one({"_id": key})
        return None if document is None else _state(document)

    def unsettled(self) -> list[AlertState]:
        """Those of which something may be left to tell: open, told as open, or with undelivered messages."""
        some = [{"open": True}, {"told.open": True}, {"untold": {"$gt": 0}}, {"outbox": {"$ne": []}}]
        return [_state(document) for document in self._alerts.find({"$or": some}).sort("_id", 1)]

    def recent(self, limit: int) -> list[AlertState]:
        """The newest first, open or not."""
        return [_state(document) for document in self._alerts.find().sort("last_at", -1).limit(limit)]

    def save(self, state: AlertState) -> AlertState:
        """Write `state` and return it with its new version.

        Raises:
            ConcurrentUpdate: somebody wrote since `state` was read; load it and decide again.
        """
        document = _document(state) | {"writer": self._writer}
        return _state(replace_version(self._alerts, document, state.version, f"alert {state.key}"))


def _document(state: AlertState) -> Document:
    return {"_id": state.key} | {key: _plain(value) for key, value in asdict(state).items() if key != "version"}


def _plain(value: Any) -> Any:
    """Enums as their text, tuples as lists."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return value.value if isinstance(value, (AlertKind, Severity, Reason, Audience)) else value


def _state(document: Document) -> AlertState:
    values = {key: value for key, value in document.items() if key not in ("_id", "v", "writer")}
    told = values["told"]
    return AlertState(**values | {
        "kind": AlertKind(values["kind"]), "severity": Severity(values["severity"]), "version": document["v"],
        "told": None if told is None else Told(**told | {"severity": Severity(told["severity"])}),
        "outbox": tuple(_message(row) for row in values["outbox"])})


def _message(row: Document) -> Message:
    return Message(**row | {"kind": AlertKind(row["kind"]), "severity": Severity(row["severity"]),
                            "reason": Reason(row["reason"]), "audience": Audience(row["audience"])})
