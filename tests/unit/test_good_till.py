"""The second dead man: an order ends by itself at the broker soon after its algo should have ended it (RC-34)."""

from datetime import UTC, datetime, timedelta

import pytest
from execution_fakes import World

from trading.execution.broker_terms import good_till
from trading.execution.order_states import ExecutionStyle

NOW = datetime(2026, 3, 2, 15, 0, 0, 700_000, UTC)
CLOSE = datetime(2026, 3, 2, 22, tzinfo=UTC)


@pytest.mark.parametrize(("lasts", "closes", "ends"), [
    (timedelta(minutes=10), CLOSE, datetime(2026, 3, 2, 15, 11, tzinfo=UTC)),
    (timedelta(minutes=10), None, None),
    (timedelta(hours=8), CLOSE, None),
    (CLOSE - NOW - timedelta(seconds=60), CLOSE, None),
    (CLOSE - NOW - timedelta(seconds=61), CLOSE, CLOSE - timedelta(seconds=1)),
], ids=["its algo and a minute", "an unknown session", "the session ends first", "at the close", "just before it"])
def test_an_order_ends_a_minute_behind_its_algo_or_with_its_session(lasts: timedelta, closes: datetime | None,
                                                                    ends: datetime | None) -> None:
    assert good_till(NOW + lasts, closes) == ends


def sent_by(world: World) -> list[tuple[str, bool]]:
    """How long each order that was sent is good, and whether it has an end of its own."""
    world.wants(2)
    world.handler().run(lambda: None)
    return [(order.time_in_force, order.good_till is not None) for order in world.sent]


def test_what_is_sent_has_an_end_of_its_own() -> None:
    world = World(closes=datetime(2100, 1, 1, tzinfo=UTC))
    assert set(sent_by(world)) == {("GTD", True)}
    for order in world.sent:
        assert order.good_till is not None
        assert timedelta(0) < order.good_till - order.created <= timedelta(minutes=11)


def test_whoever_wants_none_gets_orders_of_the_day() -> None:
    world = World(closes=datetime(2100, 1, 1, tzinfo=UTC), good_till_date=False)
    assert set(sent_by(world)) == {("DAY", False)}


def test_the_brokers_own_algo_works_only_orders_of_the_day() -> None:
    world = World(closes=datetime(2100, 1, 1, tzinfo=UTC), style=ExecutionStyle.ADAPTIVE)
    sent_by(world)
    by_its_algo = [order for order in world.sent if order.adaptive is not None]
    assert by_its_algo
    assert {(order.time_in_force, order.good_till) for order in by_its_algo} == {("DAY", None)}
