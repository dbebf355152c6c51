"""All courses of two broker orders, the sender, the handler, the wire and the broker: none breaks a promise.

Nothing is drawn at random: every interleaving within the bounds is looked at, breadth first. What a broken promise
looks like is shown by putting the mistakes of the first design back, one by one (orders_and_risk.md 7.1, 8, 11.3).
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations

import pytest
from exploring import Explored, explored
from model_desk import heard
from model_promises import problem_between, problem_of
from model_state import News, State, Stored, begin
from model_steps import steps
from seeded_rules import OURS, SEEDED, Rules

from trading.execution.broker_orders import BrokerLifecycle

pytestmark = pytest.mark.usefixtures("without_log_lines")
ENOUGH = 3_000_000


def looked_at(lots: tuple[int, ...], faults: int, rules: Rules = OURS) -> Explored:
    """Every state behind contract orders of `lots` with at most so many faults."""
    def onward(state: State) -> Iterator[tuple[str, State]]:
        return steps(state, rules)
    return explored(begin(lots, faults), onward, problem_of, problem_between, ENOUGH)


def assert_nothing_breaks(found: Explored) -> None:
    assert found.broken is None, f"\n{found.broken}"
    assert found.is_all


@pytest.mark.parametrize(("lots", "faults", "attempts"), [
    ((1,), 2, 2), ((2,), 1, 2), ((-1,), 1, 2), ((1, 1), 0, 1), ((1, -1), 0, 1)])
def test_no_course_of_events_breaks_a_promise(lots: tuple[int, ...], faults: int, attempts: int) -> None:
    assert_nothing_breaks(looked_at(lots, faults, replace(OURS, attempts=attempts)))


@pytest.mark.soak
@pytest.mark.parametrize(("lots", "faults", "attempts"), [
    ((1,), 3, 2), ((2,), 2, 2), ((1, 1), 1, 1), ((1, -1), 1, 1), ((1,), 1, 3)])
def test_no_longer_course_of_events_breaks_a_promise(lots: tuple[int, ...], faults: int, attempts: int) -> None:
    assert_nothing_breaks(looked_at(lots, faults, replace(OURS, attempts=attempts)))


@pytest.mark.parametrize(("rules", "promises"), [
    (rules, {"S-02": "V1 V2", "S-03": "V4", "S-05": "V4", "S-07": "V5", "S-11": "V11", "S-16": "V2 V5"}.get(
        rules.name[:4], "V3 V4")) for rules in SEEDED], ids=lambda each: getattr(each, "name", ""))
def test_each_mistake_of_the_first_design_is_found_when_it_is_put_back(rules: Rules, promises: str) -> None:
    found = looked_at((2,), 1, rules)
    assert found.broken is not None
    assert found.broken.promise.partition(":")[0] in promises.split(), f"\n{found.broken}"


def test_the_first_way_to_a_mistake_is_the_shortest() -> None:
    # given a sender that takes an exception for a rejection
    rules = next(each for each in SEEDED if each.name.startswith("S-03"))

    # when every course is looked at, from the shortest on
    found = looked_at((1,), 1, rules)

    # then the story is told in the fewest steps, as a person would tell it
    assert str(found.broken) == (
        "V4: 1-C1-B2 exists and 1-C1-B1 may still trade\n"
        "   1. 1-C1-B1 for +1 is stored as an intent\n"
        "   2. 1-C1-B1 is claimed with id 1\n"
        "   3. 1-C1-B1 leaves\n"
        "   4. the connection breaks in the middle of a send\n"
        "   5. 1-C1-B2 for +1 is stored as an intent")


def test_bytes_that_arrive_after_the_last_question_are_what_the_proof_cannot_know() -> None:
    """The one thing that is assumed: nothing of a dead connection arrives once two answers were empty."""
    found = looked_at((1,), 1, replace(OURS, late_bytes_end_in_time=False))
    assert found.broken is not None
    assert found.broken.promise.startswith("V4")


def sent() -> Stored:
    """Two lots, sent a moment ago."""
    state = begin((2,), 0)
    for wanted in ("stored as an intent", "claimed", "leaves", "marked as sent"):
        state = next(after for words, after in steps(state, OURS) if wanted in words)
    return state.stored


SUBMITTED = News("status", "1-C1-B1", 1, 1, word="Submitted")
FIRST, SECOND = (News("execution", "1-C1-B1", 1, 1, filled=1, number=number) for number in (1, 2))
UNKNOWN_CODE = News("error", "", 1, 1, word="9999")
ENDINGS = {
    "filled": ((SUBMITTED, FIRST, SECOND, News("status", "1-C1-B1", 1, 1, word="Filled", filled=2)),
               (BrokerLifecycle.FILLED, 2)),
    "cancelled after a lot": ((SUBMITTED, FIRST, News("status", "1-C1-B1", 1, 1, word="Cancelled", filled=1),
                               News("status", "1-C1-B1", 1, 1, word="PendingCancel")),
                              (BrokerLifecycle.CANCELLED, 1)),
    "cancelled": ((SUBMITTED, News("status", "1-C1-B1", 1, 1, word="PreSubmitted"),
                   News("status", "1-C1-B1", 1, 1, word="Cancelled")), (BrokerLifecycle.CANCELLED, 0)),
    "filled, with an error that nobody knows": ((SUBMITTED, FIRST, SECOND, UNKNOWN_CODE), (BrokerLifecycle.FILLED, 2)),
    "filled behind its cancel": ((SUBMITTED, FIRST, SECOND, News("status", "1-C1-B1", 1, 1, word="Cancelled")),
                                 (BrokerLifecycle.FILLED, 2)),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_every_order_and_repetition_of_the_same_messages_ends_the_same(ending: str) -> None:
    messages, expected = ENDINGS[ending]
    for twice in (None, *messages):
        for arranged in set(permutations((*messages, twice) if twice else messages)):
            stored = sent()
            for news in arranged:
                stored = heard(stored, news, OURS)
            order, = stored.orders
            assert (order.lifecycle, order.filled) == expected, arranged
            assert stored.legs[0].filled == sum(each.quantity for each in stored.fills) == order.filled
