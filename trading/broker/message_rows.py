"""Rows of the broker journal on their way to a worker: plain JSON, in which every `at` is an ISO 8601 instant. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from trading.execution.broker_messages import BrokerMessage, MessageKind


def row_of(message: BrokerMessage) -> dict[str, Any]:
    """`message` as JSON can carry it; instants in milliseconds, as the store keeps them."""
    facts = {name: _text(value) if isinstance(value, datetime) else value for name, value in message.facts.items()}
    return {"sequence": message.sequence, "at": _text(message.at), "epoch": message.epoch, "kind": message.kind.value,
            "facts": facts}


def messages_of(rows: Iterable[Mapping[str, Any]]) -> list[BrokerMessage]:
    """What `row_of` made rows of."""
    return [BrokerMessage(sequence=row["sequence"], at=datetime.fromisoformat(row["at"]), epoch=row["epoch"],
                          kind=MessageKind(row["kind"]), facts=_facts(row["facts"])) for row in rows]


def _facts(facts: dict[str, Any]) -> dict[str, Any]:
    return facts | {"at": datetime.fromisoformat(facts["at"])} if facts.get("at") else facts


def _text(instant: datetime) -> str:
    return instant.isoformat(timespec="milliseconds")
