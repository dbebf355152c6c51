"""Multiple prices: rows of a set of contracts, when to roll, and by how much."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from trading.errors import DataError
from trading.objects.adjusted_prices import extended, stitch
from trading.objects.contracts import DeliveryMonth
from trading.objects.multiple_prices import (
    MULTIPLE_COLUMNS,
    ContractSet,
    current_contracts,
    last_price,
    normalised,
    roll_gap,
    roll_reason,
    roll_rows,
    rows_of,
)
from trading.objects.rolls import RollParameters

ROLLS = RollParameters(hold_cycle="HMUZ", priced_cycle="FGHJKMNQUVXZ", roll_offset_days=-5, carry_offset=-1,
                       expiry_offset_days=14)
SET = ContractSet.of(DeliveryMonth(2021, 12), ROLLS)
NAN = float("nan")


def series(*prices: float, start: str = "2021-11-01") -> pd.Series:
    return pd.Series(prices, index=pd.date_range(start, periods=len(prices), freq="D", tz="UTC"), dtype=float)


def test_a_set_of_contracts_follows_from_the_parameters() -> None:
    assert [str(month) for month in SET.months()] == ["20211200", "20211100", "20220300"]


def test_rows_join_the_three_contracts_by_time() -> None:
    frame = rows_of(SET, {SET.price: series(1, 2), SET.forward: series(5, start="2021-11-02"),
                          SET.carry: series(9, 9)})
    assert list(frame.columns) == list(MULTIPLE_COLUMNS)
    assert frame["PRICE"].tolist() == [1, 2]
    assert frame["FORWARD"].isna().tolist() == [True, False]
    assert set(frame["CARRY_CONTRACT"]) == {"20211100"}


def test_a_moment_at_which_only_carry_is_known_makes_no_row() -> None:
    frame = rows_of(SET, {SET.price: series(1), SET.carry: series(9, 9, 9)})
    assert len(frame) == 1


def test_a_contract_without_prices_leaves_its_column_empty() -> None:
    frame = rows_of(SET, {SET.price: series(1, 2)})
    assert frame["FORWARD"].isna().all()
    assert rows_of(SET, {}).empty


def test_an_instrument_without_rows_cannot_say_its_contracts() -> None:
    with pytest.raises(DataError, match=r"SP500 has no multiple prices yet. Import some: tradectl import"):
        current_contracts("SP500", rows_of(SET, {}))


def both(price: float, forward: float) -> pd.DataFrame:
    return rows_of(SET, {SET.price: series(price), SET.forward: series(forward)})


@pytest.mark.parametrize(("price", "forward", "today", "reason"), [
    (1.0, 2.0, date(2021, 12, 9), None),
    (1.0, 2.0, date(2021, 12, 10), "20211200 was to be left on 2021-12-10"),
    (NAN, 2.0, date(2021, 11, 1), "20211200 is no longer quoted while 20220300 is"),
    (1.0, NAN, date(2022, 6, 1), None)])
def test_a_roll_has_a_reason_and_a_forward_price(price: float, forward: float, today: date,
                                                 reason: str | None) -> None:
    assert roll_reason(SET, ROLLS, both(price, forward), today) == reason


def test_the_gap_is_taken_where_both_prices_stand_together() -> None:
    frame = rows_of(SET, {SET.price: series(10, 11, NAN), SET.forward: series(12, 12.5, 13)})
    assert roll_gap("SP500", frame) == 1.5


def test_a_gap_that_is_too_old_is_no_gap() -> None:
    frame = rows_of(SET, {SET.price: series(10, *[NAN] * 5), SET.forward: series(*[12.0] * 6)})
    with pytest.raises(DataError, match=r"SP500 cannot be rolled: .* within the last 3 rows"):
        roll_gap("SP500", frame, within_rows=3)


def test_labels_become_texts_and_prices_floats() -> None:
    raw = pd.DataFrame({"FORWARD": [1], "PRICE_CONTRACT": ["20211200"], "CARRY": [None], "PRICE": [2],
                        "CARRY_CONTRACT": [None], "FORWARD_CONTRACT": [np.nan]})
    frame = normalised(raw)
    assert list(frame.columns) == list(MULTIPLE_COLUMNS)
    assert frame.iloc[0].tolist()[3:] == ["20211200", "", ""]
    assert frame["PRICE"].dtype == np.float64


def test_the_last_price_is_the_newest_that_is_known() -> None:
    assert last_price(rows_of(SET, {SET.price: series(1, 2, NAN), SET.forward: series(5, 5, 5)})) == 2
    assert np.isnan(last_price(rows_of(SET, {})))


AFTER = ContractSet.of(SET.forward, ROLLS)


def test_a_roll_is_one_row_at_the_forward_price() -> None:
    rows = roll_rows("SP500", both(10, 12), AFTER)
    assert rows["PRICE"].tolist() == [12]
    assert rows.iloc[0].tolist()[3:] == ["20220300", "20220200", "20220600"]
    assert str(rows.index[0]) == "2021-11-01 00:00:01+00:00"


@pytest.mark.parametrize(("price", "forward", "splice"), [
    ([10, 11, NAN], [12, 13, 14], (12, 14)), ([10, 11, 12], [12, 13, NAN], (12, 14)),
    ([10, NAN, 11.5], [12, 13, NAN], (11.5, 13.5)), ([10, NAN], [12, 12.5], (10.5, 12.5))])
def test_a_roll_without_one_of_the_prices_says_what_it_was_made_of(price: list[float], forward: list[float],
                                                                   splice: tuple[float, float]) -> None:
    # given prices whose last row lacks one of the two, and the adjusted prices so far
    frame = rows_of(SET, {SET.price: series(*price), SET.forward: series(*forward)})
    adjusted = stitch("SP500", frame)

    # when rolled
    rows = roll_rows("SP500", frame, AFTER)

    # then the row before the roll holds both, a last known gap apart, and the stored series is the stitched one
    assert rows["PRICE_CONTRACT"].tolist() == ["20211200", "20220300"]
    assert rows[["PRICE", "FORWARD"]].iloc[0].tolist() == list(splice)
    assert rows["PRICE"].iloc[1] == splice[1]
    whole = pd.concat([frame, rows])
    pd.testing.assert_series_equal(extended("SP500", adjusted, frame.tail(1), rows), stitch("SP500", whole),
                                   check_freq=False)


def test_prices_that_were_never_known_together_cannot_be_rolled() -> None:
    frame = rows_of(SET, {SET.price: series(10, NAN), SET.forward: series(NAN, 12)})
    with pytest.raises(DataError, match="SP500 cannot be rolled: price and forward price were not known"):
        roll_rows("SP500", frame, AFTER)
