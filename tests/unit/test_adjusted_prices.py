"""Panama back-adjustment: the newest prices are true, and a roll makes no profit."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.errors import DataError
from trading.objects.adjusted_prices import stitch


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
