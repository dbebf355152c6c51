"""What the broker said, word by word in our own terms: the journal's rows. Pure.

A row is stored before anybody acts on it, so no fill is lost while no job is running; applying it twice is harmless.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class MessageKind(StrEnum):
    """The messages that can move an order or a position."""

    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    OPEN_ORDER = "open_order"
    ORDER_STATUS = "order_status"
    EXECUTION = "execution"
    COMMISSION = "commission"
    COMPLETED_ORDER = "completed_order"
    ERROR = "error"


@dataclass(frozen=True, kw_only=True)
class BrokerMessage:
    """One row. `sequence` grows without gaps in one store; `epoch` names the connection."""

    sequence: int
    at: datetime
    epoch: str
    kind: MessageKind
    facts: dict[str, Any]
