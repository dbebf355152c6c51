"""When a fill was, in each way in which a gateway says it; what the words leave open is closed, never ignored."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.execution.execution_time import instant_of, told_instant

LONDON = ZoneInfo("Europe/London")
NOON = datetime(2023, 6, 30, 12, tzinfo=UTC)  # one o'clock in London


@pytest.mark.parametrize("words", [
    "20230630 13:00:00 Europe/London", "20230630-12:00:00", "20230630 07:00:00 US/Central",
    "20230630 21:00:00 Asia/Tokyo"])
def test_utc_with_a_dash_and_a_known_zone_need_nothing_else(words: str) -> None:
    assert told_instant(words) == NOON
    assert instant_of(words, ZoneInfo("Asia/Tokyo"), NOON + timedelta(hours=5)) == NOON


@pytest.mark.parametrize("words", [
    "20230630  13:00:00", "20230630 13:00:00", "20230630 13:00:00 Atlantis", "20230630 13:00:00 ../etc/passwd",
    "20231029 01:30:00 Europe/London", "yesterday", ""])
def test_what_words_leave_open_they_do_not_tell(words: str) -> None:
    assert told_instant(words) is None


def test_a_time_without_a_zone_is_that_of_the_gateway() -> None:
    assert instant_of("20230630  13:00:00", LONDON, NOON + timedelta(hours=7)) == NOON


@pytest.mark.parametrize(("words", "late_s"), [("20230630 07:00:00 Central?", 1), ("20230630 17:45:00 Nepal", 20),
                                               ("20230630 13:00:00 Atlantis", 0)])
def test_a_fill_in_a_zone_of_nobody_that_is_heard_at_once_gives_its_offset_away(words: str, late_s: float) -> None:
    assert instant_of(words, LONDON, NOON + timedelta(seconds=late_s)) == NOON


def test_one_that_is_heard_hours_later_is_read_in_the_zone_of_the_gateway() -> None:
    assert instant_of("20230630 13:00:00 Atlantis", LONDON, NOON + timedelta(hours=3, minutes=5)) == NOON


def test_one_that_would_lie_ahead_is_put_near_to_when_it_was_heard() -> None:
    heard = NOON + timedelta(minutes=4)
    assert instant_of("20230630 21:00:00 Atlantis", LONDON, heard) == NOON


@pytest.mark.parametrize(("heard", "expected"), [("00:31", "00:30"), ("01:31", "01:30"), ("09:00", "01:30")])
def test_of_an_hour_that_comes_twice_it_is_the_one_nearer_to_when_it_was_heard(heard: str, expected: str) -> None:
    def on_the_night(clock: str) -> datetime:
        return datetime.fromisoformat(f"2023-10-29T{clock}+00:00")
    for words in ("20231029 01:30:00 Europe/London", "20231029  01:30:00"):
        assert instant_of(words, LONDON, on_the_night(heard)) == on_the_night(expected)


def test_words_that_cannot_be_read_mean_when_they_were_heard() -> None:
    assert instant_of("yesterday", LONDON, NOON) == NOON


@given(st.datetimes(datetime(2000, 1, 1), datetime(2037, 1, 1)),
       st.sampled_from(["Europe/London", "US/Central", "Australia/Lord_Howe", "Asia/Kolkata"]))
def test_whatever_is_written_at_once_is_read_back(naive: datetime, zone: str) -> None:
    at, own = naive.replace(microsecond=0, tzinfo=UTC), ZoneInfo(zone)
    local = at.astimezone(own)
    for words in (f"{local:%Y%m%d %H:%M:%S} {zone}", f"{local:%Y%m%d  %H:%M:%S}", f"{at:%Y%m%d-%H:%M:%S}",
                  f"{local:%Y%m%d %H:%M:%S} Nowhere"):
        assert instant_of(words, own, at + timedelta(seconds=3)) == at
