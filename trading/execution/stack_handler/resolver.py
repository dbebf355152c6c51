"""Orders whose fate is unknown: ask until there is proof, and never send again without it. Pure decision, thin shell.

Proof that an order never reached the broker: the broker offered an order id at or below the order's own when we first
connected again, and in two separate answers, some seconds apart, it knew nothing of the order (ib_wire.md 4.2). On the
connection on which it was sent nothing is proof: answers may be empty while it lives (orders_and_risk.md 2.6).
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol

from trading.execution.broker_orders import SENT_PERHAPS, BrokerLifecycle, BrokerOrder

PASSES_NEEDED: Final = 2
PASSES_AT_MOST: Final = 5
PASS_EVERY: Final = timedelta(seconds=2)


class Verdict(StrEnum):
    """What the evidence says."""

    KNOWN = "known"  # the broker knows the order; its messages tell the rest
    NOT_RECEIVED = "not received"
    UNDECIDED = "undecided"


class Evidence(Protocol):
    """See trading.broker.facts.OrderEvidence."""

    @property
    def found(self) -> bool: ...
    @property
    def offered_id(self) -> int | None: ...


def verdict(order: BrokerOrder, passes: list[Evidence]) -> Verdict:
    """What `passes` over everything that the broker knows prove about `order`."""
    if any(evidence.found for evidence in passes):
        return Verdict.KNOWN
    offered = passes[-1].offered_id if passes else None
    never_seen = order.ib_order_id is not None and offered is not None and offered <= order.ib_order_id
    return Verdict.NOT_RECEIVED if never_seen and len(passes) >= PASSES_NEEDED else Verdict.UNDECIDED


def vanished(passes: list[Evidence]) -> bool:
    """Do the newest answers agree that the broker knows nothing of an order? It forgets what ended before midnight."""
    newest = passes[-PASSES_NEEDED:]
    return len(newest) == PASSES_NEEDED and not any(evidence.found for evidence in newest)


def needs_resolving(order: BrokerOrder, now: datetime, acknowledge_within: timedelta) -> bool:
    """Whether `order` may have been sent and nothing was heard of it for too long."""
    silent = order.sent is None or now - order.sent >= acknowledge_within
    return order.lifecycle is BrokerLifecycle.UNKNOWN or (order.lifecycle in SENT_PERHAPS and silent)


class AsksBroker(Protocol):
    """One full question to the broker about an order."""

    def evidence(self, order_id: str) -> Evidence: ...


@dataclass
class Resolver:
    """Collects evidence, at most one pass an order every two seconds."""

    broker: AsksBroker
    _passes: dict[str, list[Evidence]] = field(default_factory=dict)
    _asked: dict[str, datetime] = field(default_factory=dict)

    def gave_up(self, order_id: str) -> bool:
        """Whether asking about the order has not helped."""
        return len(self._passes.get(order_id, ())) >= PASSES_AT_MOST

    def misses(self, order_id: str) -> bool:
        """Whether the newest answer did not know the order."""
        passes = self._passes.get(order_id, [])
        return bool(passes) and not passes[-1].found

    def resolve(self, order: BrokerOrder, now: datetime) -> Verdict:
        """Ask once more if it is time to, and judge what is known by now."""
        return verdict(order, self._after_asking(order, now))

    def has_vanished(self, order: BrokerOrder, now: datetime) -> bool:
        """Ask once more if it is time to: does the broker no longer know an order that it did know?"""
        return vanished(self._after_asking(order, now))

    def _after_asking(self, order: BrokerOrder, now: datetime) -> list[Evidence]:
        passes = self._passes.setdefault(order.id, [])
        last = self._asked.get(order.id)
        if last is None or now - last >= PASS_EVERY:
            self._asked[order.id] = now
            passes.append(self.broker.evidence(order.id))
        return passes
