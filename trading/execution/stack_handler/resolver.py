"""Orders whose fate is unknown: ask until there is proof, and never send again without it. Pure decision, thin shell.

Proof that an order never reached the broker (orders_and_risk.md 2.6, 9): over one connection that was made after the
order was sent, the broker offered an order id at or below the order's own, and it knew nothing of the order in three
answers over a minute. The connection over which it was sent proves nothing: the bytes may still be on their way. An
order of its day that was sent a day ago has outlived its session: then the answers alone are proof, unless something in
its instrument is doubtful.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol

from trading.execution.broker_orders import SENT_PERHAPS, BrokerLifecycle, BrokerOrder

PASSES_NEEDED: Final = 3
PASSES_AT_MOST: Final = 12
PROVES_WITHIN: Final = timedelta(seconds=60)
SESSION_AT_MOST: Final = timedelta(hours=24)
PASS_EVERY: Final = timedelta(seconds=2)  # or a sixth of the time that a proof takes, if that is longer


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
    def next_valid_id(self) -> int: ...
    @property
    def epoch(self) -> str: ...


@dataclass(frozen=True, kw_only=True)
class Pass:
    """One full answer, and when it was given."""

    at: datetime
    evidence: Evidence


def verdict(order: BrokerOrder, passes: list[Pass], proves_within: timedelta = PROVES_WITHIN, *,
            is_doubtful: bool = True) -> Verdict:
    """What `passes` over everything that the broker knows prove about `order`.

    Args:
        is_doubtful: whether anything else in its instrument is not explained, so that it may have traded unseen.
    """
    if any(each.evidence.found for each in passes):
        return Verdict.KNOWN
    later = [each for each in passes if each.evidence.epoch == passes[-1].evidence.epoch != order.epoch]
    if order.ib_order_id is None or len(later) < PASSES_NEEDED or later[-1].at - later[0].at < proves_within:
        return Verdict.UNDECIDED
    was_never_seen = later[-1].evidence.next_valid_id <= order.ib_order_id
    is_over = not is_doubtful and later[0].at - (order.sent or order.created) >= SESSION_AT_MOST
    return Verdict.NOT_RECEIVED if was_never_seen or is_over else Verdict.UNDECIDED


def needs_another_connection(order: BrokerOrder, passes: list[Pass]) -> bool:
    """Whether the connection over which `order` was sent still lasts, and has been asked often enough."""
    return len(passes) >= PASSES_NEEDED and passes[-1].evidence.epoch == order.epoch


def vanished(passes: list[Pass]) -> bool:
    """Do the newest answers agree that the broker knows nothing of an order? It forgets what ended before midnight."""
    newest = passes[-2:]
    return len(newest) == 2 and not any(each.evidence.found for each in newest)


def needs_resolving(order: BrokerOrder, now: datetime, acknowledge_within: timedelta) -> bool:
    """Whether `order` may have been sent and nothing was heard of it for too long."""
    silent = order.sent is None or now - order.sent >= acknowledge_within
    return order.lifecycle is BrokerLifecycle.UNKNOWN or (order.lifecycle in SENT_PERHAPS and silent)


class AsksBroker(Protocol):
    """One full question to the broker about an order."""

    def evidence(self, order_id: str) -> Evidence: ...
    def renew(self) -> None: ...


@dataclass
class Resolver:
    """Collects evidence, a pass an order now and then; once an order it asks for a connection of its own."""

    broker: AsksBroker
    proves_within: timedelta = PROVES_WITHIN
    _passes: dict[str, list[Pass]] = field(default_factory=dict)
    _renewed: set[str] = field(default_factory=set)

    def gave_up(self, order_id: str) -> bool:
        """Whether asking about the order has not helped."""
        return len(self._passes.get(order_id, ())) >= PASSES_AT_MOST

    def misses(self, order_id: str) -> bool:
        """Whether the newest answer did not know the order."""
        passes = self._passes.get(order_id, [])
        return bool(passes) and not passes[-1].evidence.found

    def resolve(self, order: BrokerOrder, now: datetime, *, is_doubtful: bool = True) -> Verdict:
        """Ask once more if it is time to, and judge what is known by now."""
        passes = self._after_asking(order, now)
        found = verdict(order, passes, self.proves_within, is_doubtful=is_doubtful)
        if found is Verdict.UNDECIDED and order.id not in self._renewed and needs_another_connection(order, passes):
            self._renewed.add(order.id)
            self.broker.renew()
        return found

    def has_vanished(self, order: BrokerOrder, now: datetime) -> bool:
        """Ask once more if it is time to: does the broker no longer know an order that it did know?"""
        return vanished(self._after_asking(order, now))

    def _after_asking(self, order: BrokerOrder, now: datetime) -> list[Pass]:
        passes = self._passes.setdefault(order.id, [])
        every = max(PASS_EVERY, self.proves_within / 6) if self._later(order, passes) else PASS_EVERY
        if not passes or now - passes[-1].at >= every:
            passes.append(Pass(at=now, evidence=self.broker.evidence(order.id)))
        return passes

    def _later(self, order: BrokerOrder, passes: list[Pass]) -> bool:
        return bool(passes) and passes[-1].evidence.epoch != order.epoch
