"""Time without weekends."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.weekdays import time_on_weekdays

FRIDAY = datetime(2026, 3, 6, 22, tzinfo=UTC)
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))


@pytest.mark.parametrize(("since", "until", "hours"), [
    (FRIDAY, datetime(2026, 3, 6, 23, tzinfo=UTC), 1), (FRIDAY, datetime(2026, 3, 7, 12, tzinfo=UTC), 2),
    (FRIDAY, datetime(2026, 3, 8, 23, tzinfo=UTC), 2), (FRIDAY, datetime(2026, 3, 9, 22, tzinfo=UTC), 24),
    (datetime(2026, 3, 7, 9, tzinfo=UTC), datetime(2026, 3, 9, 1, tzinfo=UTC), 1),
    (datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 16, tzinfo=UTC), 240)])
def test_saturdays_and_sundays_do_not_count(since: datetime, until: datetime, hours: float) -> None:
    assert time_on_weekdays(since, until) == timedelta(hours=hours)


@given(MOMENTS, MOMENTS)
def test_the_way_back_is_as_long_and_never_longer_than_the_clock_says(one: datetime, other: datetime) -> None:
    passed = time_on_weekdays(one, other)
    assert passed == -time_on_weekdays(other, one)
    assert abs(passed) <= abs(other - one)


@given(MOMENTS, MOMENTS, MOMENTS)
def test_two_parts_are_the_whole(first: datetime, second: datetime, third: datetime) -> None:
    assert time_on_weekdays(first, second) + time_on_weekdays(second, third) == time_on_weekdays(first, third)
