"""Which broker messages are only echoes: most come twice, and all of a day's again on request. Pure.

A fill or a commission is stored once for ever, by its execution id and what it says. The state of an order is stored
when it says something else than the last time on this connection: the same word after another one is news. What was
said on earlier connections is forgotten; a day with many of them would else remember its orders once for each.
"""

import json
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final

from trading.execution.broker_messages import BrokerMessage, MessageKind

REMEMBERED: Final = 20_000
ONCE: Final = (MessageKind.EXECUTION, MessageKind.COMMISSION)
_STATES: Final = (MessageKind.OPEN_ORDER, MessageKind.ORDER_STATUS, MessageKind.COMPLETED_ORDER)


class HeardMessages:
    """What one journal holds, as far as it matters. Mutable, bounded."""

    def __init__(self) -> None:
        self._once: OrderedDict[tuple[str, ...], str] = OrderedDict()
        self._states: OrderedDict[tuple[str, ...], str] = OrderedDict()  # of one connection
        self._epoch = ""

    def __len__(self) -> int:
        """How many messages are remembered."""
        return len(self._once) + len(self._states)

    def remember(self, message: BrokerMessage) -> None:
        """`message` is stored already."""
        self.is_echo(message.kind, message.epoch, message.facts)

    def is_echo(self, kind: MessageKind, epoch: str, facts: Mapping[str, Any]) -> bool:
        """Was this said before? Remembers it."""
        if kind in ONCE:
            return _is_echo(self._once, (kind.value, str(facts["execution_id"])), facts)
        if kind in _STATES:
            self._listen_on(epoch)
            return _is_echo(self._states, (kind.value, str(facts.get("ib_order_id", "")), str(facts["perm_id"])), facts)
        return False

    def _listen_on(self, epoch: str) -> None:
        if epoch != self._epoch:
            self._epoch = epoch
            self._states.clear()


def _is_echo(heard: "OrderedDict[tuple[str, ...], str]", about: tuple[str, ...], facts: Mapping[str, Any]) -> bool:
    content = json.dumps(facts, sort_keys=True, default=str)
    echo = heard.get(about) == content
    heard[about] = content
    heard.move_to_end(about)
    while len(heard) > REMEMBERED:
        heard.popitem(last=False)
    return echo
