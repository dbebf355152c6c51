"""The limit at the far touch: on the grid, never missing, for prices of any sign; and patience."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from broker_order_samples import NOW, a_broker_order
from hypothesis import given
from hypothesis import strategies as st

from trading.execution.algos.limit_at_touch import Touch, limit_price, should_cancel
from trading.execution.broker_orders import BrokerLifecycle

B = BrokerLifecycle
PRICES = st.decimals(-100_000, 100_000, places=5)
TICKS = st.sampled_from([Decimal(text) for text in ("0.00005", "0.0078125", "0.01", "0.015625", "0.25", "0.5", "1",
                                                    "12.5")])


def touch(bid: str, ask: str) -> Touch:
    return Touch(bid=Decimal(bid), ask=Decimal(ask), at=datetime(2026, 3, 2, tzinfo=UTC))


@pytest.mark.parametrize(("quantity", "bid", "ask", "tick", "limit"), [
    (1, "99.75", "100", "0.25", "100"), (-1, "99.75", "100", "0.25", "99.75"),
    (1, "99.80", "99.90", "0.25", "100.00"), (-1, "99.80", "99.90", "0.25", "99.75"),
    (1, "-37.63", "-37.60", "0.25", "-37.50"), (-1, "-37.63", "-37.60", "0.25", "-37.75"),
    (1, "0", "0", "0.25", "0"), (-1, "-0.10", "0.10", "0.25", "-0.25"), (1, "-0.10", "-0.05", "0.25", "0.00")])
def test_the_limit_lies_at_the_far_touch(quantity: int, bid: str, ask: str, tick: str, limit: str) -> None:
    assert limit_price(quantity, touch(bid, ask), Decimal(tick)) == Decimal(limit)


@given(PRICES, st.decimals(0, 10, places=5), TICKS, st.sampled_from([1, -1, 500, -500]))
def test_rounding_never_misses_and_never_gives_away_a_tick(bid: Decimal, spread: Decimal, tick: Decimal,
                                                           quantity: int) -> None:
    quote = Touch(bid=bid, ask=bid + spread, at=NOW)
    limit = limit_price(quantity, quote, tick)
    assert limit % tick == 0
    given_away = limit - quote.ask if quantity > 0 else quote.bid - limit
    assert 0 <= given_away < tick


@pytest.mark.parametrize(("bid", "ask", "sane"), [
    ("1", "2", True), ("1", "1", True), ("-2", "-1", True), ("2", "1", False), ("NaN", "1", False),
    ("1", "NaN", False), ("1", "Infinity", False), ("-Infinity", "1", False)])
def test_a_quote_is_sane_when_it_is_finite_and_not_crossed(bid: str, ask: str, sane: bool) -> None:
    assert touch(bid, ask).is_sane is sane


@pytest.mark.parametrize(("state", "age_s", "cancel"), [
    (B.WORKING, 60, True), (B.WORKING, 59, False), (B.ACKED, 60, True), (B.PENDING_CANCEL, 600, False),
    (B.SENT, 600, False), (B.UNKNOWN, 600, False), (B.INTENT, 600, False), (B.FILLED, 600, False)])
def test_only_a_live_order_that_had_its_time_is_cancelled(state: BrokerLifecycle, age_s: int, cancel: bool) -> None:
    order = a_broker_order(lifecycle=state, sent=NOW - timedelta(seconds=age_s))
    assert should_cancel(order, NOW, timedelta(seconds=60)) is cancel
