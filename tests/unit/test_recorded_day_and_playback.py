"""Playing recorded days one after the other: the next, an interrupted one, the same again, and the end."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from daemon.market.recorded_day import NothingLeftToPlay, day_to_play, instant_of, not_before
from trading.data.mongo.settings import Playback

DAYS = (date(2021, 11, 3), date(2021, 11, 4), date(2021, 11, 5))
LONDON = ZoneInfo("Europe/London")


def at(current: date | None, finished: bool = True) -> Playback:
    return Playback(days=DAYS, source="x", current=current, finished=finished)


@pytest.mark.parametrize(("playback", "again", "day"), [
    (at(None), False, DAYS[0]), (at(None), True, DAYS[0]), (at(DAYS[0]), False, DAYS[1]),
    (at(DAYS[0]), True, DAYS[0]), (at(DAYS[1], finished=False), False, DAYS[1]),
    (at(DAYS[1], finished=False), True, DAYS[1]), (at(DAYS[2]), True, DAYS[2]),
    (at(DAYS[2], finished=False), False, DAYS[2])])
def test_which_day_is_played(playback: Playback, again: bool, day: date) -> None:
    assert day_to_play(playback, again) == day


def test_after_the_last_day_comes_a_sentence() -> None:
    with pytest.raises(NothingLeftToPlay) as end:
        day_to_play(at(DAYS[2]), again=False)
    assert str(end.value) == ("All 3 recorded days (2021-11-03 to 2021-11-05) have been played. Play the last one "
                              "again with AGAIN=1, or remove the state directory to begin anew.")


def test_a_day_is_played_at_its_local_hour() -> None:
    assert instant_of(date(2021, 7, 1), time(23, 15), LONDON).astimezone(UTC) == datetime(2021, 7, 1, 22, 15,
                                                                                          tzinfo=UTC)


START = datetime(2021, 11, 3, 23, 15, tzinfo=UTC)


@pytest.mark.parametrize(("last", "expected"), [
    (None, START), (START.replace(hour=22), START), (START.replace(minute=50), START.replace(minute=50, second=1)),
    (START.replace(day=4, hour=1), START)])
def test_time_goes_on_behind_what_was_played_on_the_same_day(last: datetime | None, expected: datetime) -> None:
    assert not_before(START, last, LONDON) == expected
