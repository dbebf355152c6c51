"""Panama back-adjustment: the newest prices are true, and a roll makes no profit."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.errors import DataError
from trading.objects.adjusted_prices import extended, roll_gaps, stitch


def multiple(price: list[float], forward: list[float], contract: list[str]) -> pd.DataFrame:
    index = pd.date_range("2021-11-01", periods=len(price), freq="D", tz="UTC")
    return pd.DataFrame({"PRICE": price, "FORWARD": forward, "PRICE_CONTRACT": contract}, index=index)


def test_the_check_of_the_reference_comes_out() -> None:
    assert list(stitch("X", multiple([100, 101, 105], [103, 104, np.nan], ["A", "A", "B"]))) == [103, 104, 105]


def test_without_a_roll_nothing_moves() -> None:
    assert list(stitch("X", multiple([1, 2, -3], [np.nan] * 3, ["A"] * 3))) == [1, 2, -3]


def test_the_gaps_of_several_rolls_add_up() -> None:
    frame = multiple([100, 110, 105], [112, 106, np.nan], ["A", "B", "C"])
    assert list(stitch("X", frame)) == [100 + 12 - 4, 110 - 4, 105]


def test_a_forward_price_that_is_missing_before_a_roll_is_named_by_its_time() -> None:
    with pytest.raises(DataError, match=r"missing at 2021-11-02 00:00:00\+00:00, the row before a roll"):
        stitch("X", multiple([100, 101, 105], [103, np.nan, np.nan], ["A", "A", "B"]))


def test_a_price_that_is_missing_elsewhere_stays_missing() -> None:
    adjusted = stitch("X", multiple([100, np.nan, 102, 105], [103, 104, 106, np.nan], ["A", "A", "A", "B"]))
    assert adjusted.isna().tolist() == [False, True, False, False]


ROWS = st.lists(st.tuples(st.floats(-1000, 1000), st.floats(-1000, 1000), st.booleans()), min_size=1, max_size=40)


@given(ROWS)
def test_changes_inside_a_contract_stay_what_they_were(rows: list[tuple[float, float, bool]]) -> None:
    # given prices that roll wherever the third value says
    labels = [str(n) for n in np.cumsum([rolls for _, _, rolls in rows])]
    frame = multiple([row[0] for row in rows], [row[1] for row in rows], labels)

    # when
    adjusted = stitch("X", frame)

    # then the last price is true, and only the steps at rolls differ: there it is new price less forward
    steps = np.diff(adjusted)
    raw = np.diff(frame["PRICE"])
    at_roll = np.array([a != b for a, b in itertools.pairwise(labels)], dtype=bool)
    over_roll = frame["PRICE"].to_numpy()[1:] - frame["FORWARD"].to_numpy()[:-1]
    assert adjusted.iloc[-1] == frame["PRICE"].iloc[-1]
    np.testing.assert_allclose(steps, np.where(at_roll, over_roll, raw), atol=1e-6)


MAYBE = st.one_of(st.just(float("nan")), st.floats(-1000, 1000))
ANY_ROWS = st.lists(st.tuples(MAYBE, st.floats(-1000, 1000), st.booleans()), min_size=2, max_size=30)


def made(rows: list[tuple[float, float, bool]]) -> pd.DataFrame:
    """Rows that roll wherever the third value says and price and forward price allow."""
    labels = np.cumsum([rolls and not np.isnan(rows[n - 1][0]) for n, (_, _, rolls) in enumerate(rows)])
    return multiple([row[0] for row in rows], [row[1] for row in rows], [str(label) for label in labels])


@given(ANY_ROWS, st.data())
def test_carrying_on_is_stitching_all_rows_anew(rows: list[tuple[float, float, bool]], data: st.DataObject) -> None:
    # given the series of the first rows, and then any number of further ones, rolls among them
    frame = made(rows)
    cut = data.draw(st.integers(1, len(frame)))
    if frame["PRICE"].head(cut).isna().all() or frame["PRICE"].iloc[cut - 1:].isna().all():
        return
    before = stitch("X", frame.head(cut))

    # when it is carried on
    after = extended("X", before, frame.iloc[cut - 1:cut], frame.iloc[cut:])

    # then it is the same as if we had waited
    pd.testing.assert_series_equal(after, stitch("X", frame), atol=1e-9, rtol=0, check_freq=False)


def test_a_series_may_be_longer_than_our_multiple_prices() -> None:
    frame = multiple([101, 105], [104, np.nan], ["A", "B"])
    older = pd.Series([50.0], index=pd.DatetimeIndex(["1990-01-01"], tz="UTC"))
    adjusted = extended("X", pd.concat([older, frame["PRICE"].head(1)]), frame.head(1), frame.tail(1))
    assert adjusted.tolist() == [53, 104, 105]


def test_a_series_that_ends_elsewhere_cannot_be_carried_on() -> None:
    frame = multiple([101, 105, 106], [104, np.nan, np.nan], ["A", "B", "B"])
    with pytest.raises(DataError, match=r"X: the adjusted prices do not end at the last multiple price. Stitch them"):
        extended("X", frame["PRICE"], frame.iloc[1:2], frame.tail(1))


def test_local_times_do_not_carry_on_a_series_in_utc() -> None:
    frame = multiple([101, 105], [104, np.nan], ["A", "B"])
    with pytest.raises(DataError, match="X: some of the rows have a time zone and some have none"):
        extended("X", frame["PRICE"].head(1), frame.head(1), frame.tail(1).tz_localize(None))


def test_the_gaps_stand_on_the_last_row_of_each_contract() -> None:
    gaps = roll_gaps("X", multiple([100, 110, 105], [112, 106, np.nan], ["A", "B", "C"]))
    assert gaps.tolist() == [12, -4]
    assert [stamp.day for stamp in gaps.index] == [1, 2]


GOOD = multiple([100, 101, 105], [103, 104, np.nan], ["A", "A", "B"])


@pytest.mark.parametrize(("frame", "complaint"), [
    (GOOD.head(0), r"X: no price is known \(rows: 0\)"),
    (GOOD.assign(PRICE=np.nan), r"X: no price is known \(rows: 3\). Import or fetch prices first"),
    (GOOD.iloc[[1, 0, 2]], "X: the rows are not in order of time"),
    (GOOD.iloc[[0, 1, 1]], "X: 2021-11-02 00:00:00.00:00 is there twice"),
    (GOOD.reset_index(drop=True), "X: the rows have no times"),
    (GOOD.assign(PRICE=[100, np.inf, 105]), "X: the price at 2021-11-02 .* is infinite"),
    (GOOD.assign(FORWARD=[-np.inf, 104, 105]), "X: the price at 2021-11-01 .* is infinite"),
    (GOOD.assign(PRICE_CONTRACT=["A", None, "B"]), "X: the price at 2021-11-02 .* has no contract"),
    (GOOD.assign(PRICE_CONTRACT=["A", "", "B"]), "X: the price at 2021-11-02 .* has no contract"),
    (GOOD.assign(PRICE=[100, np.nan, 105]), "X: price or forward price is missing at 2021-11-02")])
def test_rows_that_would_give_a_wrong_series_give_none(frame: pd.DataFrame, complaint: str) -> None:
    with pytest.raises(DataError, match=complaint):
        stitch("X", frame)
