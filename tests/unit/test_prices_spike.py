"""A wrong tick is kept out, a crash is let in: the difference is what the next prices say."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.objects.fx_prices import FxPrices
from trading.objects.price_spikes import MAX_SPIKE, PriceSpike, check_spike
from trading.objects.prices import without_empty_bars

OLD = pd.Series(100 + np.tile([0.0, 1.0], 50),
                index=pd.date_range("2021-01-01", periods=100, freq="D", tz="UTC"))  # moves by one a day, ends at 101


def fresh(*prices: float, start: str = "2021-04-11", freq: str = "h") -> pd.Series:
    return pd.Series(prices, index=pd.date_range(start, periods=len(prices), freq=freq, tz="UTC"))


def is_refused(new: pd.Series, old: pd.Series = OLD) -> bool:
    try:
        check_spike("X/20211200", old, new)
    except PriceSpike:
        return True
    return False


@pytest.mark.parametrize(("prices", "refused"), [
    ((101.0, 102.0, 100.0), False), ((101.0 + MAX_SPIKE,), False), ((101.0 + MAX_SPIKE + 0.1,), True),
    ((60.0,), True), ((60.0, 61.0), True), ((60.0, 61.0, 60.0), False), ((60.0, 101.0, 101.0), True),
    ((60.0, 61.0, 101.0), True), ((101.0, 1e9, 101.0), True), ((-5.0, -5.0, -5.0), False),
    ((float("nan"), 101.0), False), ((float("nan"),), False)])
def test_a_jump_needs_two_later_prices_that_stay_with_it(prices: tuple[float, ...], refused: bool) -> None:
    assert is_refused(fresh(*prices)) is refused


def test_a_long_silence_may_end_in_a_larger_move() -> None:
    assert is_refused(fresh(115.0))
    assert not is_refused(fresh(115.0, start="2021-05-11"))


def test_missing_prices_neither_jump_nor_confirm() -> None:
    assert is_refused(fresh(60.0, float("nan"), float("nan"), 60.0))
    assert not is_refused(fresh(60.0, float("nan"), 60.0, 60.0))


def test_the_refusal_says_what_where_and_how_much() -> None:
    with pytest.raises(PriceSpike) as refusal:
        check_spike("SP500/20211200", OLD, fresh(150.0))
    assert str(refusal.value) == (
        "SP500/20211200: 150 at 2021-04-11 00:00 is a move 49 times the usual one (allowed: 8) and no later price "
        "confirms it. Nothing was stored; it is looked at again with the next prices. See: tradectl prices SP500")


@given(st.floats(1e-3, 1e3), st.floats(-1e3, 1e3))
def test_the_judgement_does_not_depend_on_the_units(scale: float, offset: float) -> None:
    for prices in ((103.0, 102.0), (60.0, 101.0, 101.0), (60.0, 60.0, 60.0)):
        assert is_refused(fresh(*prices) * scale + offset, OLD * scale + offset) == is_refused(fresh(*prices))


def test_a_series_that_never_moved_has_no_usual_move() -> None:
    still = pd.Series(5.0, index=OLD.index)
    assert not is_refused(fresh(500.0), still)


def test_bars_without_any_trade_are_dropped() -> None:
    bars = pd.DataFrame({"FINAL": [0.0, 0.0, 5.0, float("nan"), -1.0], "VOLUME": [0.0, 3.0, 0.0, 9.0, 0.0]})
    assert without_empty_bars(bars).index.tolist() == [1, 2, 4]


def test_rates_are_positive_and_newer_than_ours() -> None:
    ours = FxPrices("EURUSD", OLD)
    newer = ours.newer_than_ours(pd.concat([OLD.tail(3), fresh(101.0, 0.0, -1.0, 101.5)]))
    assert newer.tolist() == [101.0, 101.5]


def test_the_first_rates_of_a_pair_are_all_new() -> None:
    assert FxPrices("EURUSD", OLD.head(0)).newer_than_ours(OLD).equals(OLD)
