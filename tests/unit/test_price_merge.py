"""How new rows join stored ones: what is stored stays as it is, unless a person wants a correction."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.conventions import PYSYSTEMTRADE
from trading.errors import DataError
from trading.objects.price_merge import LabelledPrices, corrected, extended, gaps_filled
from trading.objects.price_spikes import PriceSpike

NAN = math.nan
DAYS = st.dictionaries(st.integers(0, 60), st.one_of(st.just(NAN), st.floats(-100, 100)), max_size=40)


def series(values: dict[int, float]) -> pd.Series:
    index = pd.Timestamp("2021-01-01", tz="UTC") + pd.to_timedelta(sorted(values), unit="D")
    return pd.Series([values[day] for day in sorted(values)], index=pd.DatetimeIndex(index), dtype=float)


def known(prices: pd.Series) -> dict[pd.Timestamp, float]:
    return prices.dropna().to_dict()


@given(DAYS, DAYS)
def test_joining_never_changes_what_is_stored(old: dict[int, float], new: dict[int, float]) -> None:
    newer = {day: price for day, price in new.items() if day > max(old, default=-1)}
    try:
        merged = extended("X", series(old), series(new))
    except PriceSpike:
        return
    pd.testing.assert_series_equal(merged, series(old | newer), check_freq=False)


@given(DAYS, DAYS)
def test_filling_gaps_changes_no_known_price(old: dict[int, float], new: dict[int, float]) -> None:
    merged = gaps_filled("X", series(old), series(new))
    assert known(merged) == known(series(new)) | known(series(old))
    assert set(merged.index) == set(series(old).index) | set(series(new).index)


@given(DAYS, DAYS)
def test_a_correction_is_believed_where_it_says_anything(old: dict[int, float], new: dict[int, float]) -> None:
    merged = corrected("X", series(old), series(new))
    assert known(merged) == known(series(old)) | known(series(new))
    assert corrected("X", merged, series(new)).equals(merged)


def test_a_correction_may_lose_what_is_newer_by_the_other_conventions() -> None:
    old, new = series({1: 1.0}), series({1: 2.0, 2: 3.0})
    assert corrected("X", old, new).tolist() == [2.0, 3.0]
    assert corrected("X", old, new, PYSYSTEMTRADE).tolist() == [2.0]


def test_a_crash_is_refused_for_ever_by_the_other_conventions() -> None:
    old = series({day: 100.0 + day % 2 for day in range(60)})
    crash = series({61: 50.0, 62: 51.0, 63: 50.0})
    assert len(extended("X", old, crash)) == 63
    with pytest.raises(PriceSpike, match="X: 50 at 2021-03-03"):
        extended("X", old, crash, PYSYSTEMTRADE)


def test_a_price_that_was_missing_does_not_hide_a_jump() -> None:
    old = series({day: 100.0 + day % 2 for day in range(59)} | {59: NAN})
    jump = series({61: 150.0, 62: 100.0, 63: 101.0})
    with pytest.raises(PriceSpike) as ours:
        extended("X", old, jump)
    with pytest.raises(PriceSpike) as theirs:
        extended("X", old, jump, PYSYSTEMTRADE)
    assert (ours.value.stamp.day, theirs.value.stamp.day) == (3, 4)


@pytest.mark.parametrize(("new", "complaint"), [
    (series({1: 1.0}).iloc[[0, 0]], "X: 2021-01-02 00:00:00.00:00 is there twice"),
    (series({1: 1.0, 2: 2.0}).iloc[::-1], "X: the rows are not in order of time .2021-01-02 .* follows 2021-01-03"),
    (series({1: math.inf}), "X: the price at 2021-01-02 .* is infinite"),
    (pd.Series([1.0]), "X: the rows have no times .found: int64.. Give them a DatetimeIndex"),
    (pd.Series([1.0], index=pd.DatetimeIndex([pd.NaT])), "X: a row has no time"),
    (pd.Series(["1"], index=series({1: 1.0}).index), "X: the prices are no numbers .found: (str|object)")])
def test_rows_that_are_no_series_are_refused(new: pd.Series, complaint: str) -> None:
    for join in (extended, gaps_filled, corrected):
        with pytest.raises(DataError, match=complaint):
            join("X", series({0: 1.0}), new)


def test_times_of_a_zone_and_times_of_none_do_not_join() -> None:
    local = series({1: 1.0}).tz_localize(None)
    for join in (extended, gaps_filled, corrected):
        with pytest.raises(DataError, match="X: some of the rows have a time zone and some have none"):
            join("X", series({0: 1.0}), local)


def labelled(*rows: tuple[int, float, str]) -> LabelledPrices:
    index = series({day: 0.0 for day, _, _ in rows}).index
    return LabelledPrices(pd.Series([price for _, price, _ in rows], index=index, dtype=float),
                          pd.Series([label for _, _, label in rows], index=index, dtype=object))


STORED = labelled((1, 1, "a"), (2, 2, "a"), (3, 3, "b"), (4, NAN, "b"))


@pytest.mark.parametrize(("new", "prices", "labels"), [
    (labelled((2, 7, "b"), (3, 3, "b"), (4, 4, "b")), [1, 2, 3, 4], "aabb"),  # the check of the reference
    (labelled((3, 9, "b"), (4, 4, "b"), (5, 5, "b")), [1, 2, 3, 4, 5], "aabbb"),
    (labelled((3, 9, "b"), (4, 4, "c"), (5, 5, "c")), [1, 2, 3, NAN], "aabb"),  # they have rolled, we have not
    (labelled((5, 5, "b"), (6, 6, "c")), [1, 2, 3, NAN, 5, 6], "aabbbc"),
    (labelled((5, 5, "c")), [1, 2, 3, NAN], "aabb"),
    (labelled((0, 5, "a")), [1, 2, 3, NAN], "aabb")])
def test_prices_join_only_where_the_contracts_agree_to_the_end(new: LabelledPrices, prices: list[float],
                                                               labels: str) -> None:
    merged = STORED.merged("X", new)
    np.testing.assert_array_equal(merged.prices, prices)
    assert "".join(merged.labels) == labels


def test_an_agreement_that_broke_later_is_none() -> None:
    stored = labelled(*((day, NAN, "a") for day in range(1, 5)))
    merged = stored.merged("X", labelled((1, 1, "b"), (2, 2, "a"), (3, 3, "b"), (4, 4, "a")))
    np.testing.assert_array_equal(merged.prices, [NAN, NAN, NAN, 4])


def test_without_anything_stored_all_rows_are_new() -> None:
    nothing = LabelledPrices(STORED.prices.head(0), STORED.labels.head(0))
    assert nothing.merged("X", STORED).labels.tolist() == list("aabb")
    assert STORED.merged("X", nothing).prices.equals(STORED.prices)
