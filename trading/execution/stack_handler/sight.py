"""What the stack handler sees when it has nothing to do: it works again as soon as it sees something else. Pure."""

from dataclasses import dataclass

from trading.execution.broker_orders import BrokerOrder
from trading.execution.locks import Lock
from trading.execution.order_states import Lifecycle
from trading.execution.orders import InstrumentOrder
from trading.risk.kill_level import KillState


@dataclass(frozen=True, kw_only=True)
class Sight:
    """What is open at one moment, and what keeps it from being traded."""

    wanted: tuple[InstrumentOrder, ...]
    living: tuple[BrokerOrder, ...]
    locks: tuple[Lock, ...]
    kill: KillState
    overrides: tuple[object, ...]  # as they are stored
    asked: int  # how often a person has asked for a comparison

    @property
    def has_open(self) -> bool:
        """Whether an order may trade and does not yet, for want of a quote or because of a lock."""
        return any(order.lifecycle is Lifecycle.OPEN for order in self.wanted)

    def has_more_than(self, before: "Sight") -> bool:
        """Whether an order came after `before`, so that who began to work then may have missed it."""
        return not {order.id for order in self.wanted} <= {order.id for order in before.wanted}
