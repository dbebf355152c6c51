"""The broker's words for trading hours, in both forms, over midnight, over a change of the clocks, and nonsense."""

from datetime import UTC, datetime

import pytest

from trading.errors import DataError
from trading.objects.trading_hours import OpenHours, open_hours


def utc(day: int, hour: int, minute: int = 0, month: int = 10) -> datetime:
    return datetime(2021, month, day, hour, minute, tzinfo=UTC)


def test_a_session_over_midnight_in_the_zone_of_the_exchange() -> None:
    assert open_hours("20211013:1700-20211014:1600;20211014:1700-20211015:1600", "America/Chicago") == (
        OpenHours(start=utc(13, 22), end=utc(14, 21)), OpenHours(start=utc(14, 22), end=utc(15, 21)))


def test_the_older_form_and_a_closed_day() -> None:
    assert open_hours("20211013:0830-1500,1530-1600;20211014:CLOSED", "Europe/London") == (
        OpenHours(start=utc(13, 7, 30), end=utc(13, 14)), OpenHours(start=utc(13, 14, 30), end=utc(13, 15)))


def test_sessions_that_touch_are_one() -> None:
    assert len(open_hours("20211013:0000-20211014:0000;20211014:0000-20211015:0000", "Europe/London")) == 1


def test_a_session_in_which_the_clocks_change_has_an_hour_more() -> None:
    [session] = open_hours("20211030:1700-20211031:1600", "Europe/London")
    assert session == OpenHours(start=utc(30, 16), end=utc(31, 16))


def test_an_older_session_that_ends_after_midnight() -> None:
    [session] = open_hours("20211013:1800-0100", "Europe/London")
    assert session == OpenHours(start=utc(13, 17), end=utc(14, 0))


def test_no_words_are_no_sessions() -> None:
    assert open_hours("", "Europe/London") == ()


@pytest.mark.parametrize(("words", "zone"), [("20211013:17h-1800", "Europe/London"), ("20211013", "Europe/London"),
                                             ("20211013:1700-1800", "Mars/North")])
def test_what_cannot_be_understood_is_no_information(words: str, zone: str) -> None:
    with pytest.raises(DataError, match="cannot be understood"):
        open_hours(words, zone)
