"""Which broker messages are only echoes: most come twice, and all of a day's again on request. Pure.

A fill or a commission is stored once for ever, by its execution id and what it says. The state of an order is stored
when it says something else than the last time on this connection: the same word after another one is news.
"""

import json
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final

from trading.execution.broker_messages import BrokerMessage, MessageKind

REMEMBERED: Final = 20_000
_ONCE: Final = (MessageKind.EXECUTION, MessageKind.COMMISSION)
_STATES: Final = (MessageKind.OPEN_ORDER, MessageKind.ORDER_STATUS, MessageKind.COMPLETED_ORDER)


class HeardMessages:
    """What one journal holds, as far as it matters. Mutable, bounded."""

    def __init__(self) -> None:
        self._heard: OrderedDict[tuple[str, ...], str] = OrderedDict()

    def remember(self, message: BrokerMessage) -> None:
        """`message` is stored already."""
        self.is_echo(message.kind, message.epoch, message.facts)

    def is_echo(self, kind: MessageKind, epoch: str, facts: Mapping[str, Any]) -> bool:
        """Was this said before? Remembers it."""
        key = _key(kind, epoch, facts)
        if key is None:
            return False
        content = json.dumps(facts, sort_keys=True, default=str)
        echo = self._heard.get(key) == content
        self._heard[key] = content
        self._heard.move_to_end(key)
        while len(self._heard) > REMEMBERED:
            self._heard.popitem(last=False)
        return echo


def _key(kind: MessageKind, epoch: str, facts: Mapping[str, Any]) -> tuple[str, ...] | None:
    """About what a message is; None for those of which each counts."""
    if kind in _ONCE:
        return kind.value, str(facts["execution_id"])
    if kind in _STATES:
        return kind.value, epoch, str(facts.get("ib_order_id", "")), str(facts["perm_id"])
    return None
