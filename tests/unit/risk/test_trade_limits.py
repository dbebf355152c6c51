"""Trade limits are recounted from what was traded, in windows that roll."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.risk.trade_limits import DAY, MONTH, Bucket, TradedLots, cut, lots_used, remaining

NOW = datetime(2026, 3, 2, 14, tzinfo=UTC)


def fill(hours_ago: float, lots: int, bucket: Bucket = Bucket.TRADES, *, is_live: bool = False) -> TradedLots:
    return TradedLots(at=NOW - timedelta(hours=hours_ago), lots=lots, bucket=bucket, is_live=is_live)


TRADED = st.lists(st.builds(fill, st.floats(-1, 900), st.integers(0, 20), st.sampled_from(Bucket),
                            is_live=st.booleans()), max_size=20)


@given(TRADED, st.integers(0, 50), st.sampled_from(Bucket), st.sampled_from([DAY, MONTH]))
def test_what_remains_is_the_limit_less_a_recount_and_never_negative(traded: list[TradedLots], limit: int,
                                                                     bucket: Bucket, window: timedelta) -> None:
    recount = 0
    for each in traded:
        if each.bucket is bucket and (each.is_live or NOW - each.at < window):
            recount += each.lots
    assert remaining(traded, limit, bucket, window, NOW) == max(0, limit - recount)


@given(TRADED, st.sampled_from(Bucket))
def test_the_longer_window_never_counts_less(traded: list[TradedLots], bucket: Bucket) -> None:
    assert lots_used(traded, bucket, DAY, NOW) <= lots_used(traded, bucket, MONTH, NOW)


@given(TRADED, st.integers(0, 5), st.integers(0, 900))
def test_a_live_order_that_fills_is_counted_once_all_along(traded: list[TradedLots], lots: int, age: int) -> None:
    live = [*traded, fill(age, lots, is_live=True)]
    filled = [*traded, fill(0, lots)]
    assert lots_used(live, Bucket.TRADES, DAY, NOW) == lots_used(filled, Bucket.TRADES, DAY, NOW)


@given(st.integers(-50, 50), st.integers(-5, 50))
def test_a_cut_shrinks_without_turning(quantity: int, left: int) -> None:
    # a negative remainder of -3 once let 3 lots through
    allowed = cut(quantity, left)
    assert abs(allowed) == min(abs(quantity), max(0, left))
    assert allowed * quantity >= 0


def test_the_window_rolls_and_has_no_anchor() -> None:
    traded = [fill(24, 5), fill(23.99, 2), fill(0, 1)]
    assert lots_used(traded, Bucket.TRADES, DAY, NOW) == 3


def test_a_limit_lowered_below_what_was_traded_leaves_nothing() -> None:
    assert remaining([fill(1, 9)], 4, Bucket.TRADES, DAY, NOW) == 0


def test_an_order_that_has_lived_longer_than_the_window_still_counts() -> None:
    assert lots_used([fill(30, 4, is_live=True)], Bucket.TRADES, DAY, NOW) == 4


def test_pst_932_what_strategies_trade_takes_nothing_from_rolls() -> None:
    assert remaining([fill(1, 99)], 6, Bucket.ROLLS, DAY, NOW) == 6


def test_traded_lots_have_no_sign() -> None:
    with pytest.raises(ValueError, match="no sign, but got -2"):
        fill(1, -2)
