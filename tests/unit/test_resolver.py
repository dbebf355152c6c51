"""Orders of unknown fate: what counts as proof, when to ask, and how often."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from broker_order_samples import NOW, a_broker_order

from trading.broker.facts import OrderEvidence
from trading.execution.broker_orders import BrokerLifecycle
from trading.execution.stack_handler.resolver import Resolver, Verdict, needs_resolving, verdict

B = BrokerLifecycle
SILENCE = timedelta(seconds=5)


def seen(offered_id: int | None, **found: bool) -> OrderEvidence:
    places = {"found_open": False, "found_completed": False, "found_executed": False}
    return OrderEvidence(**places | found, offered_id=offered_id)


VERDICTS: tuple[tuple[str, list[OrderEvidence], int | None, Verdict], ...] = (
    ("nobody was asked", [], 10, Verdict.UNDECIDED),
    ("one empty answer", [seen(10)], 10, Verdict.UNDECIDED),
    ("two empty answers, id never used", [seen(10), seen(10)], 10, Verdict.NOT_RECEIVED),
    ("two empty answers, a smaller id offered", [seen(9), seen(9)], 10, Verdict.NOT_RECEIVED),
    ("two empty answers, but the id was used", [seen(11), seen(11)], 10, Verdict.UNDECIDED),
    ("the id was used by the time of the second answer", [seen(10), seen(11)], 10, Verdict.UNDECIDED),
    ("nobody has connected again", [seen(None)] * 5, 10, Verdict.UNDECIDED),
    ("no id was ever given to it", [seen(1), seen(1)], None, Verdict.UNDECIDED),
    ("found among the open", [seen(1, found_open=True)], 10, Verdict.KNOWN),
    ("found among the completed", [seen(1), seen(1, found_completed=True)], 10, Verdict.KNOWN),
    ("found once, then gone", [seen(1, found_executed=True), seen(1), seen(1)], 10, Verdict.KNOWN),
)


@pytest.mark.parametrize(("passes", "order_id", "expected"), [row[1:] for row in VERDICTS],
                         ids=[row[0] for row in VERDICTS])
def test_the_verdict_follows_from_the_evidence(passes: list[OrderEvidence], order_id: int | None,
                                               expected: Verdict) -> None:
    assert verdict(a_broker_order(ib_order_id=order_id), list(passes)) is expected


@pytest.mark.parametrize(("state", "age_s", "needs"), [
    (B.UNKNOWN, 0, True), (B.SENDING, 4, False), (B.SENDING, 5, True), (B.SENT, 5, True), (B.SENT, 4, False),
    (B.INTENT, 600, False), (B.ACKED, 600, False), (B.WORKING, 600, False), (B.PENDING_CANCEL, 600, False),
    (B.CANCELLED, 600, False)])
def test_an_order_is_asked_for_after_a_silence(state: BrokerLifecycle, age_s: int, needs: bool) -> None:
    order = a_broker_order(lifecycle=state, sent=NOW - timedelta(seconds=age_s))
    assert needs_resolving(order, NOW, SILENCE) is needs


def test_a_claim_without_a_time_is_asked_for_at_once() -> None:
    assert needs_resolving(a_broker_order(lifecycle=B.SENDING), NOW, SILENCE)


@dataclass
class ABroker:
    """Knows nothing of any order, and counts who asked."""

    asked: list[str] = field(default_factory=list)

    def evidence(self, order_id: str) -> OrderEvidence:
        self.asked.append(order_id)
        return seen(1)


def test_two_answers_lie_two_seconds_apart() -> None:
    # given an order that nobody knows
    broker, order = ABroker(), a_broker_order(lifecycle=B.UNKNOWN, ib_order_id=5)
    resolver = Resolver(broker)

    def judged(seconds: float) -> Verdict:
        at: datetime = NOW + timedelta(seconds=seconds)
        return resolver.resolve(order, at)

    # when it is looked at again and again
    verdicts = [judged(0), judged(0.5), judged(1.9), judged(2)]

    # then only the answers that lie apart count
    assert verdicts == [Verdict.UNDECIDED] * 3 + [Verdict.NOT_RECEIVED]
    assert len(broker.asked) == 2


def test_each_order_has_its_own_evidence() -> None:
    broker = ABroker()
    resolver = Resolver(broker)
    for name in ("a", "b", "a", "b"):
        resolver.resolve(a_broker_order(id=name, ib_order_id=5), NOW)
    assert broker.asked == ["a", "b"]
