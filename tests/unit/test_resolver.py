"""Orders of unknown fate: what counts as proof, when to ask, and how often."""

from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from broker_order_samples import NOW, a_broker_order

from trading.broker.facts import OrderEvidence
from trading.execution.broker_orders import BrokerLifecycle
from trading.execution.stack_handler.resolver import Pass, Resolver, Verdict, needs_resolving, verdict

B = BrokerLifecycle
SILENCE = timedelta(seconds=5)


def seen(next_valid_id: int, epoch: str = "later", **found: bool) -> OrderEvidence:
    places = {"found_open": False, "found_completed": False, "found_executed": False}
    return OrderEvidence(**places | found, next_valid_id=next_valid_id, epoch=epoch)


OLD = {"epoch": "of the order"}
VERDICTS = (
    ("nobody was asked", [], 10, Verdict.UNDECIDED),
    ("two empty answers", [seen(10), seen(10)], 10, Verdict.UNDECIDED),
    ("three empty answers, id never used", [seen(10)] * 3, 10, Verdict.NOT_RECEIVED),
    ("three empty answers, a smaller id offered", [seen(9)] * 3, 10, Verdict.NOT_RECEIVED),
    ("three empty answers, but the id was used", [seen(11)] * 3, 10, Verdict.UNDECIDED),
    ("three over the connection that it was sent on", [seen(10, **OLD)] * 3, 10, Verdict.UNDECIDED),
    ("two of three over a later one", [seen(10, **OLD), seen(10), seen(10)], 10, Verdict.UNDECIDED),
    ("no id was ever given to it", [seen(1)] * 3, None, Verdict.UNDECIDED),
    ("found among the open", [seen(1, found_open=True)], 10, Verdict.KNOWN),
    ("found among the completed", [seen(1), seen(1, found_completed=True)], 10, Verdict.KNOWN),
    ("found once, then gone", [seen(1, found_executed=True), seen(1), seen(1), seen(1)], 10, Verdict.KNOWN),
)


def passes(answers: list[OrderEvidence], apart_s: float = 30) -> list[Pass]:
    return [Pass(at=NOW + timedelta(seconds=apart_s * place), evidence=each) for place, each in enumerate(answers)]


@pytest.mark.parametrize(("answers", "order_id", "expected"), [row[1:] for row in VERDICTS],
                         ids=[row[0] for row in VERDICTS])
def test_the_verdict_follows_from_the_evidence(answers: list[OrderEvidence], order_id: int | None,
                                               expected: Verdict) -> None:
    order = a_broker_order(ib_order_id=order_id, epoch="of the order")
    assert verdict(order, passes(answers)) is expected


def test_answers_that_come_too_soon_after_each_other_prove_nothing() -> None:
    order = a_broker_order(ib_order_id=10, epoch="of the order")
    assert verdict(order, passes([seen(10)] * 3, apart_s=29)) is Verdict.UNDECIDED


@pytest.mark.parametrize(("hours", "is_doubtful", "expected"), [
    (24, False, Verdict.NOT_RECEIVED), (23, False, Verdict.UNDECIDED), (24, True, Verdict.UNDECIDED)])
def test_an_order_that_has_outlived_its_session_unseen_was_never_received(hours: int, is_doubtful: bool,
                                                                          expected: Verdict) -> None:
    order = a_broker_order(ib_order_id=10, epoch="of the order", sent=NOW - timedelta(hours=hours))
    assert verdict(order, passes([seen(11)] * 3), is_doubtful=is_doubtful) is expected
    assert verdict(order, passes([seen(11), seen(11)]), is_doubtful=False) is Verdict.UNDECIDED
    assert verdict(order, passes([seen(11, **OLD)] * 3), is_doubtful=False) is Verdict.UNDECIDED


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
    """Knows nothing of any order; counts who asked, and how often its connection was made anew."""

    epoch: str = "of the order"
    asked: list[str] = field(default_factory=list)
    renewals: int = 0

    def evidence(self, order_id: str) -> OrderEvidence:
        self.asked.append(order_id)
        return seen(1, self.epoch)

    def renew(self) -> None:
        self.renewals += 1
        self.epoch = f"connection {self.renewals}"


def test_another_connection_is_asked_for_once_and_proves_it_within_a_minute() -> None:
    # given an order that nobody knows, looked at each second
    broker, order = ABroker(), a_broker_order(lifecycle=B.UNKNOWN, ib_order_id=5, epoch="of the order")
    resolver = Resolver(broker)
    verdicts = [resolver.resolve(order, NOW + timedelta(seconds=second)) for second in range(90)]

    # then the proof came over a connection that was made for it
    assert broker.renewals == 1
    proven = verdicts.index(Verdict.NOT_RECEIVED)
    assert 60 <= proven <= 80
    assert len(broker.asked) <= 3 + 9


def test_each_order_has_its_own_evidence() -> None:
    broker = ABroker()
    resolver = Resolver(broker)
    for name in ("a", "b", "a", "b"):
        resolver.resolve(a_broker_order(id=name, ib_order_id=5), NOW)
    assert broker.asked == ["a", "b"]
