"""Roll calendars: when contracts were left for the next, made from parameters and prices, or read back from prices."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, reject
from hypothesis import strategies as st
from made_contracts import MONTHLY, PARAMETERS, QUARTERLY, TODAY, WINTER, made_closes

from trading.conventions import PYSYSTEMTRADE
from trading.errors import DataError
from trading.objects.adjusted_prices import stitch
from trading.objects.contracts import DeliveryMonth
from trading.objects.multiple_prices import CONTRACT_COLUMNS, PRICE_COLUMNS, from_calendar
from trading.objects.roll_calendars import (
    CALENDAR_COLUMNS,
    adjusted_calendar,
    approximate_calendar,
    backed_out_calendar,
    check_calendar,
)
from trading.objects.rolls import RollParameters

SEEDS = st.integers(0, 10_000)
KNOWN = st.sampled_from([1.0, 0.8, 0.3, 0.05])
Closes = dict[DeliveryMonth, pd.Series]


def calendar_of(rolls: RollParameters, closes: Closes) -> pd.DataFrame:
    return adjusted_calendar("X", approximate_calendar("X", rolls, closes), closes)


def made(rolls: RollParameters, seed: int, known: float) -> tuple[Closes, pd.DataFrame]:
    """Closes of which a share is `known`, and their calendar; draws for which there is none are given up."""
    closes = made_closes(rolls, seed, known)
    try:
        return closes, calendar_of(rolls, closes)
    except DataError:
        reject()


def prices(days: str, *values: float) -> pd.Series:
    """Values of the days of January 2021 named in `days`, for example "1 4 5"."""
    return pd.Series(values, index=pd.DatetimeIndex([f"2021-01-{int(day):02d}" for day in days.split()], tz="UTC"))


def a_calendar(*rows: tuple[int, str, str, str]) -> pd.DataFrame:
    index = pd.DatetimeIndex([f"2021-01-{day:02d}" for day, *_ in rows], tz="UTC")
    return pd.DataFrame([row[1:] for row in rows], columns=list(CALENDAR_COLUMNS), index=index)


MARCH, JUNE, SEPTEMBER = (DeliveryMonth(2021, month) for month in (3, 6, 9))


@given(PARAMETERS, SEEDS, KNOWN)
def test_a_calendar_is_increasing_and_has_prices_at_each_roll(rolls: RollParameters, seed: int, known: float) -> None:
    closes, calendar = made(rolls, seed, known)
    assert calendar.index.is_monotonic_increasing
    assert calendar.index.is_unique
    for at, row in calendar.iterrows():
        for month in (row["current_contract"], row["next_contract"]):
            assert closes[DeliveryMonth.parse(month)].notna()[at]
    check_calendar("X", calendar, closes)


@given(PARAMETERS, SEEDS, KNOWN)
def test_multiple_prices_contain_only_given_prices(rolls: RollParameters, seed: int, known: float) -> None:
    closes, calendar = made(rolls, seed, known)
    frame = from_calendar("X", calendar, closes, rolls)
    assert frame.index.is_monotonic_increasing
    assert frame.index.is_unique
    for price, contract in zip(PRICE_COLUMNS, CONTRACT_COLUMNS, strict=True):
        for label, rows in frame[frame[price].notna()].groupby(contract):
            given = closes[DeliveryMonth.parse(label)]
            assert rows[price].tolist() == given[rows.index].tolist()


@given(PARAMETERS, SEEDS, KNOWN)
def test_a_calendar_comes_back_out_of_the_prices_made_with_it(rolls: RollParameters, seed: int, known: float) -> None:
    closes, calendar = made(rolls, seed, known)
    frame = from_calendar("X", calendar, closes, rolls)
    visible = calendar[calendar.index < frame.index[-1]]  # a roll on the last row shows with the next price only
    pd.testing.assert_frame_equal(backed_out_calendar("X", frame), visible, check_index_type=False, check_dtype=False)
    assert stitch("X", frame).notna().equals(frame["PRICE"].notna())


@given(PARAMETERS, SEEDS)
def test_all_known_prices_of_the_contracts_held_are_used(rolls: RollParameters, seed: int) -> None:
    closes = made_closes(rolls, seed)
    calendar = calendar_of(rolls, closes)
    frame = from_calendar("X", calendar, closes, rolls)
    held = closes[DeliveryMonth.parse(calendar["next_contract"].iloc[-1])]
    assert frame["PRICE"].dropna().index[-1] == held.index[-1]
    assert frame.index[0] == closes[DeliveryMonth.parse(calendar["current_contract"].iloc[0])].index[0]


def test_rolls_are_desired_on_the_day_of_the_parameters() -> None:
    calendar = approximate_calendar("X", QUARTERLY, made_closes(QUARTERLY, 1, known=1.0))
    assert str(calendar.index[0]) == "2020-03-10 00:00:00+00:00"
    assert calendar.iloc[0].tolist() == ["20200300", "20200600", "20200600"]


def test_a_calendar_begins_with_a_month_that_is_held() -> None:
    rolls = replace(WINTER, carry_offset=1)
    closes = made_closes(rolls, 1)
    assert approximate_calendar("X", rolls, closes)["current_contract"].iloc[0] == "20201200"
    assert approximate_calendar("X", rolls, closes, PYSYSTEMTRADE)["current_contract"].iloc[0] == "20200100"


def test_months_without_prices_are_stepped_over() -> None:
    closes = made_closes(MONTHLY, 1)
    del closes[DeliveryMonth(2020, 5)]
    calendar = approximate_calendar("X", MONTHLY, closes)
    row = calendar[calendar["current_contract"] == "20200400"].iloc[0]
    assert (row["next_contract"], row["carry_contract"]) == ("20200600", "20200600")


def test_what_lies_behind_the_newest_price_has_not_happened() -> None:
    closes = made_closes(MONTHLY, 1)
    approximate = approximate_calendar("X", MONTHLY, closes)
    assert approximate.index[-1] > pd.Timestamp(TODAY, tz="UTC")
    assert calendar_of(MONTHLY, closes).index[-1] <= pd.Timestamp(TODAY, tz="UTC")
    theirs = adjusted_calendar("X", approximate, closes, PYSYSTEMTRADE)
    assert theirs["current_contract"].tolist() == approximate["current_contract"].tolist()[:-1]  # one that did not


def test_the_last_roll_is_kept_when_it_happened() -> None:
    closes = {MARCH: prices("4 5 6", 1, 2, 3), JUNE: prices("4 5 6 7", 5, 6, 7, 8)}
    approximate = a_calendar((5, "20210300", "20210600", "20210600"))
    assert len(adjusted_calendar("X", approximate, closes)) == 1
    assert adjusted_calendar("X", approximate, closes, PYSYSTEMTRADE).empty


@pytest.mark.parametrize(("common", "expected"), [("4 8", 4), ("1 8", 8), ("5 7", 5), ("6", 6), ("2 10", 2)])
def test_a_roll_moves_to_the_nearest_day_with_both_prices_and_of_two_to_the_earlier(common: str, expected: int) -> None:
    values = [1.0] * len(common.split())
    closes = {MARCH: prices(common, *values), JUNE: pd.concat([prices(common, *values), prices("20", 1.0)])}
    calendar = adjusted_calendar("X", a_calendar((6, "20210300", "20210600", "20210600")), closes)
    assert calendar.index[0].day == expected


def test_two_rolls_never_share_a_day_nor_swap() -> None:
    # given three contracts that are priced together on two days only
    both = prices("10 11", 1, 1)
    closes = {MARCH: both, JUNE: both, SEPTEMBER: pd.concat([both, prices("29", 1.0)])}
    approximate = a_calendar((12, "20210300", "20210600", "20210600"), (13, "20210600", "20210900", "20210900"))

    # then the second roll would have to be before the first, and we say so
    with pytest.raises(DataError, match="X: 20210600 cannot be rolled to 20210900: they have no price at the same"):
        adjusted_calendar("X", approximate, closes)


def test_carry_before_price_is_wanted_at_the_roll_but_not_needed() -> None:
    before = DeliveryMonth(2021, 2)
    closes = {MARCH: prices("4 6", 1, 1), JUNE: prices("4 6 9", 1, 1, 1), before: prices("4", 1)}
    approximate = a_calendar((6, "20210300", "20210600", "20210200"))
    assert adjusted_calendar("X", approximate, closes).index[0].day == 4
    closes[before] = prices("1", 1)
    assert adjusted_calendar("X", approximate, closes).index[0].day == 6


GOOD = {MARCH: prices("4 5", 1, 2), JUNE: prices("4 5", 3, 4), SEPTEMBER: prices("5 6", 5, 6)}


@pytest.mark.parametrize(("calendar", "complaint"), [
    (a_calendar((5, "20210300", "20210600", "20210600"), (4, "20210600", "20210900", "20210900")),
     "X: roll calendar: the rows are not in order of time"),
    (a_calendar((4, "20210300", "20210600", "20210600"), (5, "20210900", "20211200", "20211200")),
     "goes from 20210300 to 20210600 at 2021-01-04 00:00:00.00:00, and on from 20210900. Put in the roll"),
    (a_calendar((6, "20210300", "20210600", "20210600")), "X: 20210300 has no price at 2021-01-06"),
    (a_calendar((5, "20210600", "20211200", "20210900")), "X: 20211200 has no price at 2021-01-05"),
    (a_calendar((5, "2021", "20211200", "20210900")), "'2021' is no contract date"),
    (a_calendar(), "X: the roll calendar has 0 rolls, prices need 1. Make one from prices of more contracts")])
def test_a_calendar_that_cannot_be_rolled_by_is_refused(calendar: pd.DataFrame, complaint: str) -> None:
    with pytest.raises(DataError, match=complaint):
        from_calendar("X", calendar, GOOD, QUARTERLY)


@pytest.mark.parametrize(("closes", "complaint"), [
    ({}, "X: the contracts have no prices"),
    ({MARCH: prices("4 5", 1, 2)}, "X: no contract of the hold cycle HMUZ has prices together with its next"),
    ({DeliveryMonth(2021, 1): prices("4", 1), DeliveryMonth(2021, 2): prices("4", 1)}, "no contract of the hold cycle"),
    (GOOD | {JUNE: prices("4 4", 1, 2)}, "X/20210600: 2021-01-04 .* is there twice. Keep one"),
    (GOOD | {JUNE: prices("5 4", 1, 2)}, "X/20210600: the rows are not in order of time"),
    (GOOD | {JUNE: prices("4 5", 1, np.inf)}, "X/20210600: the price at 2021-01-05 .* is infinite"),
    (GOOD | {JUNE: prices("4", np.nan)}, "X/20210600: no price is known"),
    (GOOD | {JUNE: prices("4", 1).tz_localize(None)}, "times of several zones")])
def test_prices_that_no_calendar_can_be_made_of_are_refused(closes: Closes, complaint: str) -> None:
    with pytest.raises(DataError, match=complaint):
        approximate_calendar("X", QUARTERLY, closes)


def test_a_contract_that_the_calendar_names_must_have_prices() -> None:
    with pytest.raises(DataError, match="X: the roll calendar needs prices of 20211200, and there are none"):
        adjusted_calendar("X", a_calendar((5, "20210900", "20211200", "20211200")), GOOD)


def test_an_approximate_calendar_must_be_one() -> None:
    with pytest.raises(DataError, match="X: the approximate roll calendar is empty"):
        adjusted_calendar("X", a_calendar(), GOOD)
    with pytest.raises(DataError, match="X: roll calendar: the rows are not in order of time"):
        adjusted_calendar("X", a_calendar((5, "20210300", "20210600", "20210600"),
                                          (4, "20210600", "20210900", "20210900")), GOOD)


def test_contracts_that_go_back_in_time_make_no_calendar() -> None:
    frame = pd.DataFrame({"PRICE_CONTRACT": ["20210600", "20210300"], "CARRY_CONTRACT": ["20210600"] * 2},
                         index=prices("4 5", 1, 2).index)
    with pytest.raises(DataError, match="X: the priced contract goes back from 20210600 to 20210300 after 2021-01-04"):
        backed_out_calendar("X", frame)


def test_one_roll_is_a_history_only_when_its_ends_are_used() -> None:
    calendar = a_calendar((5, "20210300", "20210600", "20210600"))
    assert from_calendar("X", calendar, GOOD, QUARTERLY)["PRICE"].dropna().tolist() == [1, 2]
    with pytest.raises(DataError, match="X: the roll calendar has 1 rolls, prices need 2"):
        from_calendar("X", calendar, GOOD, QUARTERLY, PYSYSTEMTRADE)
