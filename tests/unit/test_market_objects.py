"""Contracts, rolls, prices, capital: the nouns of the market."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.market.recorded_day import NothingLeftToPlay, day_to_play, not_before
from trading.data.mongo.settings import Playback
from trading.errors import DataError
from trading.objects.adjusted_prices import stitch
from trading.objects.capital import Capital, CapitalFall, CapitalMethod, CapitalRise, split_by_weight
from trading.objects.contracts import Contract, DeliveryMonth
from trading.objects.multiple_prices import ContractSet, current_contracts, roll_gap, roll_reason, rows_of
from trading.objects.price_spikes import PriceSpike, check_spike
from trading.objects.recorded_days import recorded_days
from trading.objects.rolls import RollParameters

QUARTERLY = RollParameters(hold_cycle="HMUZ", priced_cycle="HMUZ", roll_offset_days=-5, carry_offset=1,
                           expiry_offset_days=14)
WINTER = RollParameters(hold_cycle="Z", priced_cycle="FGHJKMNQUVXZ", roll_offset_days=-40, carry_offset=-1,
                        expiry_offset_days=-11)


def month(text: str) -> DeliveryMonth:
    return DeliveryMonth.parse(text)


def test_a_contract_is_read_and_written_the_same() -> None:
    assert str(Contract.parse("BRENT-LAST/20220300")) == "BRENT-LAST/20220300"
    assert str(month("202203")) == str(month("20220315")) == str(month("20220300.0")) == "20220300"


@pytest.mark.parametrize("text", ["", "20221300", "2022", "abc", "20220000"])
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(DataError, match="is no contract date"):
        DeliveryMonth.parse(text)


@given(st.integers(1970, 2099), st.integers(1, 12), st.integers(-500, 500))
def test_shifting_there_and_back_is_where_we_were(year: int, number: int, months: int) -> None:
    assert DeliveryMonth(year, number).shifted(months).shifted(-months) == DeliveryMonth(year, number)


def test_months_that_follow_from_roll_parameters() -> None:
    assert str(QUARTERLY.next_held(month("20211200"))) == "20220300"
    assert QUARTERLY.desired_roll_date(month("20211200")) == date(2021, 12, 10)
    assert str(QUARTERLY.held_on(date(2021, 12, 10))) == "20211200"
    assert str(QUARTERLY.held_on(date(2021, 12, 11))) == "20220300"
    assert ContractSet.of(month("20221200"), WINTER) == ContractSet(month("20221200"), month("20221100"),
                                                                    month("20231200"))


def test_a_cycle_of_unknown_letters_is_refused() -> None:
    with pytest.raises(DataError, match="is no roll cycle"):
        RollParameters(hold_cycle="HMA", priced_cycle="HM", roll_offset_days=0, carry_offset=1, expiry_offset_days=0)


def stamps(count: int, freq: str = "D", start: str = "2021-11-01") -> pd.DatetimeIndex:
    return pd.date_range(start, periods=count, freq=freq, tz="UTC")


def test_panama_moves_older_prices_by_the_gap_at_the_roll() -> None:
    multiple = pd.DataFrame({"PRICE": [100.0, 101.0, 105.0], "FORWARD": [103.0, 104.0, np.nan],
                             "PRICE_CONTRACT": ["A", "A", "B"]}, index=stamps(3))
    assert list(stitch("X", multiple)) == [103.0, 104.0, 105.0]


def test_a_roll_without_forward_price_cannot_be_stitched() -> None:
    multiple = pd.DataFrame({"PRICE": [100.0, 105.0], "FORWARD": [np.nan, np.nan], "PRICE_CONTRACT": ["A", "B"]},
                            index=stamps(2))
    with pytest.raises(DataError, match="price or forward price is missing at 2021-11-01"):
        stitch("X", multiple)


SET = ContractSet.of(month("20211200"), QUARTERLY)


def rows(price: list[float], forward: list[float]) -> pd.DataFrame:
    closes = {SET.price: pd.Series(price, stamps(len(price))), SET.forward: pd.Series(forward, stamps(len(forward)))}
    return rows_of(SET, closes)


def test_multiple_prices_carry_the_labels_of_their_contracts() -> None:
    frame = rows([1.0, 2.0], [1.5, 2.5])
    assert current_contracts("SP500", frame) == SET
    assert list(frame["CARRY"]) == [1.5, 2.5]  # carry and forward are the same contract here


def test_it_is_time_to_roll_on_the_desired_date_or_when_the_contract_falls_silent() -> None:
    both, silent = rows([1.0], [1.5]), rows([np.nan], [1.5])
    assert roll_reason(SET, QUARTERLY, both, date(2021, 12, 9)) is None
    assert roll_reason(SET, QUARTERLY, both, date(2021, 12, 10)) == "20211200 was to be left on 2021-12-10"
    assert roll_reason(SET, QUARTERLY, silent, date(2021, 11, 1)) == "20211200 is no longer quoted while 20220300 is"
    assert roll_reason(SET, QUARTERLY, rows([1.0], [np.nan]), date(2022, 1, 1)) is None


def test_the_gap_of_a_roll_is_taken_where_both_prices_are_known() -> None:
    assert roll_gap("X", rows([10.0, 11.0], [12.0, np.nan])) == 2.0
    with pytest.raises(DataError, match="X cannot be rolled"):
        roll_gap("X", rows([10.0, np.nan], [np.nan, 12.0]))


def quiet_history() -> pd.Series:
    return pd.Series(100 + np.tile([0.0, 1.0], 50), index=stamps(100, start="2021-01-01"))


def test_a_price_that_stands_alone_is_refused() -> None:
    new = pd.Series([100.5, 150.0, 100.0, 101.0], index=stamps(4, "h", "2021-06-01"))
    with pytest.raises(PriceSpike, match=r"SP500/20211200: 150 at 2021-06-01 01:00 is a move \d+ times the usual one"):
        check_spike("SP500/20211200", quiet_history(), new)


def test_a_crash_that_its_own_later_prices_confirm_is_a_price() -> None:
    check_spike("X", quiet_history(), pd.Series([100.0, 60.0, 61.0, 60.5], index=stamps(4, "h", "2021-06-01")))


def test_a_jump_at_the_very_end_waits_for_confirmation() -> None:
    with pytest.raises(PriceSpike):
        check_spike("X", quiet_history(), pd.Series([100.0, 60.0], index=stamps(2, "h", "2021-06-01")))


def test_a_young_series_has_no_usual_move() -> None:
    check_spike("X", quiet_history().head(5), pd.Series([500.0], index=stamps(1, "h", "2021-06-01")))


def test_a_day_counts_when_half_of_the_instruments_have_a_price() -> None:
    long, short = pd.Series(1.0, index=stamps(5)), pd.Series(1.0, index=stamps(3))
    assert [str(day) for day in recorded_days([short, short, long], ZoneInfo("UTC"))] == [
        "2021-11-01", "2021-11-02", "2021-11-03"]


def test_playback_goes_on_repeats_and_ends() -> None:
    days = (date(2021, 11, 3), date(2021, 11, 4))
    fresh = Playback(days=days, source="x")
    assert day_to_play(fresh, again=False) == days[0]
    assert day_to_play(Playback(days=days, source="x", current=days[0], finished=False), again=False) == days[0]
    played = Playback(days=days, source="x", current=days[0])
    assert (day_to_play(played, again=False), day_to_play(played, again=True)) == (days[1], days[0])
    with pytest.raises(NothingLeftToPlay, match=r"All 2 recorded days \(2021-11-03 to 2021-11-04\) have been played"):
        day_to_play(Playback(days=days, source="x", current=days[1]), again=False)


def test_a_played_day_does_not_run_backwards() -> None:
    start = datetime(2021, 11, 3, 23, 15, tzinfo=UTC)
    later = datetime(2021, 11, 3, 23, 17, tzinfo=UTC)
    assert not_before(start, None, ZoneInfo("UTC")) == start
    assert not_before(start, later, ZoneInfo("UTC")) > later
    assert not_before(start, datetime(2021, 11, 5, tzinfo=UTC), ZoneInfo("UTC")) == start


PATH = (108.0, 100.0, 92.0, 96.0, 105.0, 113.0)


@pytest.mark.parametrize(("method", "expected"), [
    (CapitalMethod.FULL, [108, 100, 92, 96, 105, 113]), (CapitalMethod.HALF, [100, 92, 84, 88, 97, 100]),
    (CapitalMethod.FIXED, [100] * 6)])
def test_capital_follows_the_account_by_its_rule(method: CapitalMethod, expected: list[float]) -> None:
    capital, seen = Capital.opened_with(100.0), []
    for value in PATH:
        capital = capital.after(value, method)
        seen.append(capital.total)
    assert seen == expected


def test_a_jump_of_the_account_needs_a_person() -> None:
    with pytest.raises(CapitalRise, match="more than 10% up in a day: a deposit"):
        Capital.opened_with(100.0).after(111.0, CapitalMethod.FULL)
    with pytest.raises(CapitalFall, match="more than 25% down in a day"):
        Capital.opened_with(100.0).after(74.0, CapitalMethod.FULL)
    assert Capital.opened_with(100.0).after(80.0, CapitalMethod.FULL).total == 80.0


def test_capital_is_split_by_weight() -> None:
    assert split_by_weight(90.0, {"a": 2.0, "b": 1.0}) == {"a": 60.0, "b": 30.0}
