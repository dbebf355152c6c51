"""Decisions that are judged and stored together: each counts those before it, and a bad one hinders no other."""

from pathlib import Path
from typing import Any

import pytest
from test_order_generator import CODE, DAY, NOW, AtNight, Scene

from processes.job import JobContext
from processes.run_strategy_order_generator import Generator
from trading.data.mongo.connection import MongoStore
from trading.data.risk.decision_facts import DecisionFacts, decision_facts
from trading.data.risk.judging import judged_alone
from trading.data.risk.settings import for_account
from trading.execution.order_states import Lifecycle
from trading.execution.orders import InstrumentOrder
from trading.risk.limits import Limit, LimitKind
from trading.risk.order_kind import OrderKind
from trading.risk.proposal import Proposal
from trading.risk.snapshot import Snapshot
from trading.systems.buffered_position import BufferedPosition


class Stumbling(DecisionFacts):
    """Facts of which one strategy's are what nobody thought of."""

    at = ""

    def snapshot(self, proposal: Proposal, *args: Any, **more: Any) -> Snapshot:
        if proposal.strategy == self.at:
            raise ZeroDivisionError(self.at)
        return super().snapshot(proposal, *args, **more)


def decide(scene: Scene, lots: dict[str, int], stumbles_at: str = "") -> list[str]:
    """What was not stored of as many lots as each strategy wanted."""
    job = JobContext(config=scene.config, data=scene.data, clock=AtNight(), state=scene.folder, trading_day=DAY,
                     run_id="r", process=scene.config.processes["run_strategy_order_generator"], slot="s", attempt=1,
                     fence=1, stop_requested=lambda: False, is_fenced_out=lambda: False)
    facts = Stumbling(**vars(decision_facts(scene.data, scene.config, DAY)))
    facts.at = stumbles_at
    generator = Generator(job=job, facts=facts, settings=for_account(facts.settings, facts.risks),
                          wishes={name: {CODE: a_wish(wanted)} for name, wanted in lots.items()})
    return generator.decide([InstrumentOrder(
        id=f"IO-{name}", idempotency_key=f"{name}/{CODE}", account="DU1", strategy=name, instrument=CODE,
        kind=OrderKind.STRATEGY, quantity=wanted, trading_day=DAY.isoformat(), created=NOW,
        target=wanted, held=0, working=0, reference_at=NOW)
        for name, wanted in lots.items()], {CODE: sum(lots.values())})


def a_wish(lots: int) -> BufferedPosition:
    return BufferedPosition(lower=lots - 0.4, upper=lots + 0.4, optimal=lots, reference_price=100.0,
                            reference_contract="20211200", as_of=NOW, usual_change=2.0, previous=lots)


def stored(scene: Scene) -> list[tuple[str, int]]:
    rows = scene.data.store.database.instrument_orders.find({}).sort("_id", 1)
    return [(row["strategy"], row["quantity"] if row["lifecycle"] == "OPEN" else 0) for row in rows]


@pytest.fixture
def scene(store: MongoStore, tmp_path: Path) -> Scene:
    found = Scene(store, tmp_path)
    found.data.db_limits.put(Limit(kind=LimitKind.POSITION, instrument=CODE, lots=3))
    for name in "abc":
        found.data.db_limits.put(Limit(kind=LimitKind.POSITION, instrument=CODE, strategy=name, lots=3))
    return found


def test_a_decision_counts_those_before_it_which_are_not_stored_yet(scene: Scene) -> None:
    decide(scene, {"a": 2, "b": 2})
    assert stored(scene) == [("a", 2), ("b", 1)]


def test_a_decision_that_was_made_before_is_neither_repeated_nor_counted_twice(scene: Scene) -> None:
    decide(scene, {"a": 2})
    assert decide(scene, {"a": 2, "b": 1}) == []
    assert stored(scene) == [("a", 2), ("b", 1)]


def test_what_cannot_be_judged_stops_no_other_and_is_told(scene: Scene) -> None:
    assert decide(scene, {"a": 1, "b": 1, "c": 1}, stumbles_at="b") == [
        "b in WAVE (ZeroDivisionError: b)"]
    assert stored(scene) == [("a", 1), ("c", 1)]
    assert decide(scene, {"a": 1, "b": 1, "c": 1}) == []
    assert stored(scene) == [("a", 1), ("b", 1), ("c", 1)]


def by_hand(scene: Scene, name: str, lots: int) -> InstrumentOrder:
    order = scene.data.db_orders.add_instrument_order(InstrumentOrder(
        id=f"IO-{name}", idempotency_key=f"manual/{name}", account="DU1", strategy="a", instrument=CODE,
        kind=OrderKind.MANUAL, quantity=lots, trading_day=DAY.isoformat(), created=NOW, reason="by hand",
        lifecycle=Lifecycle.CREATED))
    assert order is not None
    return order


def answers(order: InstrumentOrder) -> tuple[bool, int]:
    """Whether it lives on, and the lots that the position limit has left of it."""
    [said] = [check for check in order.checks if check.control == "RC-03"]
    return order.is_open, said.quantity


def test_an_order_that_no_control_has_seen_takes_no_room_from_another(scene: Scene) -> None:
    # given an order of a person, and a slip of the hand that waits to be judged as well
    by_hand(scene, "slip", 100_000)
    order = by_hand(scene, "order", 2)
    facts = decision_facts(scene.data, scene.config, DAY)
    assert answers(judged_alone(order, facts, for_account(facts.settings, facts.risks))) == (True, 2)


def test_orders_of_a_person_count_those_that_were_judged_before_them(scene: Scene) -> None:
    facts = decision_facts(scene.data, scene.config, DAY)
    settings = for_account(facts.settings, facts.risks)
    orders = [by_hand(scene, name, 2) for name in ("one", "two", "three")]
    assert [answers(judged_alone(order, facts, settings)) for order in orders] == [(True, 2), (True, 1), (False, 0)]
