"""By when a contract must be left: business days, both calendars, both tables, in any zone."""

from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.execution.rolls.close_out import (
    CloseOutDates,
    ContractDates,
    DatesUnknown,
    Settlement,
    Side,
    days_left,
    must_be_out_by,
)
from trading.objects.open_days import OpenDays, exchange_date

WEEKDAYS = OpenDays()
GOOD_FRIDAY, EASTER_MONDAY = date(2026, 4, 3), date(2026, 4, 6)
OWN = ContractDates(last_trade=date(2026, 3, 20), first_notice=date(2026, 2, 27), first_position=date(2026, 2, 25))
DATES = CloseOutDates(own=OWN)
DAYS = st.dates(date(2020, 1, 1), date(2030, 12, 31))
HOLIDAYS = st.frozensets(st.dates(date(2026, 1, 1), date(2026, 3, 1)), max_size=20)
ZONES = st.sampled_from([UTC, *map(ZoneInfo, ("America/Chicago", "Europe/Berlin", "Asia/Tokyo", "Australia/Sydney"))])


@pytest.mark.parametrize(("side", "kind", "out_by"), [
    (Side.LONG, Settlement.PHYSICAL, date(2026, 2, 18)),  # first position day, less five
    (Side.SHORT, Settlement.PHYSICAL, date(2026, 3, 13)),  # last trade day, less five
    (Side.LONG, Settlement.CASH, date(2026, 3, 18)),
    (Side.SHORT, Settlement.CASH, date(2026, 3, 18)),
    (Side.LONG, Settlement.LME, date(2026, 2, 16)),
    (Side.SHORT, Settlement.LME, date(2026, 3, 11))])
def test_the_earliest_date_of_the_side_less_its_buffer_counts(side: Side, kind: Settlement, out_by: date) -> None:
    assert must_be_out_by(side, DATES, kind, WEEKDAYS) == out_by


def test_the_brokers_earlier_date_wins() -> None:
    earlier = replace(DATES, broker=replace(OWN, last_trade=date(2026, 3, 18)))
    assert must_be_out_by(Side.SHORT, earlier, Settlement.CASH, WEEKDAYS) == date(2026, 3, 16)


def test_a_later_date_of_the_broker_changes_nothing() -> None:
    later = replace(DATES, broker=replace(OWN, last_trade=date(2026, 3, 24)))
    assert must_be_out_by(Side.SHORT, later, Settlement.CASH, WEEKDAYS) == date(2026, 3, 18)


def test_a_cut_off_of_the_broker_before_our_own_day_is_kept() -> None:
    cut = replace(DATES, broker_cut_off=date(2026, 3, 15))  # a Sunday
    assert must_be_out_by(Side.SHORT, cut, Settlement.CASH, WEEKDAYS) == date(2026, 3, 13)


def test_fork_50_broker_rolled_early_around_a_weekend() -> None:
    # given a last trade day on the Tuesday after Easter: Good Friday at the exchange, Monday off at the broker
    dates = CloseOutDates(own=ContractDates(last_trade=date(2026, 4, 7)))
    holidays = OpenDays(exchange=frozenset({GOOD_FRIDAY}), broker=frozenset({EASTER_MONDAY}))

    # then two business days before it is the Wednesday before, and on Thursday it is too late already
    out_by = must_be_out_by(Side.LONG, dates, Settlement.CASH, holidays)
    assert out_by == date(2026, 4, 1)
    assert days_left(date(2026, 3, 31), out_by, holidays) == 1
    assert days_left(date(2026, 4, 2), out_by, holidays) == -1


def test_a_long_position_without_a_first_notice_day_cannot_be_timed() -> None:
    unknown = CloseOutDates(own=ContractDates(last_trade=date(2026, 3, 20)))
    with pytest.raises(DatesUnknown, match="No first notice day is known of the contract that last trades on 2026-03"):
        must_be_out_by(Side.LONG, unknown, Settlement.PHYSICAL, WEEKDAYS)
    assert must_be_out_by(Side.SHORT, unknown, Settlement.PHYSICAL, WEEKDAYS) == date(2026, 3, 13)


def test_the_brokers_first_notice_day_serves_where_ours_is_unknown() -> None:
    unknown = CloseOutDates(own=ContractDates(last_trade=date(2026, 3, 20)), broker=OWN)
    assert must_be_out_by(Side.LONG, unknown, Settlement.PHYSICAL, WEEKDAYS) == date(2026, 2, 18)


def test_a_date_that_passed_over_a_weekend_has_passed() -> None:
    friday, saturday, monday = date(2026, 3, 13), date(2026, 3, 14), date(2026, 3, 16)
    assert [days_left(day, friday, WEEKDAYS) for day in (friday, saturday, monday)] == [0, -1, -1]
    assert days_left(saturday, monday, WEEKDAYS) == 1


def test_the_side_of_nothing_is_the_stricter_one() -> None:
    assert [Side.of(lots) for lots in (-1, 0, 1)] == [Side.SHORT, Side.LONG, Side.LONG]


@given(DAYS, st.integers(0, 30), HOLIDAYS, HOLIDAYS)
def test_counting_back_and_forth_agree(day: date, count: int, exchange: frozenset[date],
                                       broker: frozenset[date]) -> None:
    calendar = OpenDays(exchange=exchange, broker=broker)
    found = calendar.before(day, count)
    assert calendar.is_open(found)
    assert found not in exchange | broker
    assert calendar.between(found, day) == (count if calendar.is_open(day) or count == 0 else count - 1)


@given(HOLIDAYS, st.sampled_from(Side), st.sampled_from(Settlement))
def test_more_holidays_never_leave_more_time(holidays: frozenset[date], side: Side, kind: Settlement) -> None:
    fewer = must_be_out_by(side, DATES, kind, WEEKDAYS)
    assert must_be_out_by(side, DATES, kind, OpenDays(broker=holidays)) <= fewer


def test_days_cannot_be_counted_backwards_by_less_than_none() -> None:
    with pytest.raises(ValueError, match="count from 0 upwards"):
        WEEKDAYS.before(date(2026, 3, 2), -1)


@given(st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)), ZONES, ZONES)
def test_the_exchanges_date_is_the_same_from_any_zone(now: datetime, exchange: ZoneInfo, written_in: ZoneInfo) -> None:
    assert exchange_date(now.astimezone(written_in), exchange) == exchange_date(now, exchange)


def test_an_evening_in_chicago_is_still_its_own_day_on_both_sides_of_the_clock_change() -> None:
    chicago = ZoneInfo("America/Chicago")
    assert exchange_date(datetime(2026, 3, 8, 5, 30, tzinfo=UTC), chicago) == date(2026, 3, 7)  # winter: UTC-6
    assert exchange_date(datetime(2026, 3, 9, 5, 30, tzinfo=UTC), chicago) == date(2026, 3, 9)  # summer: UTC-5


def test_a_time_without_a_zone_has_no_date() -> None:
    with pytest.raises(ValueError, match="has no zone, so its date at the exchange is unknown"):
        exchange_date(datetime(2026, 3, 2, 12), UTC)
