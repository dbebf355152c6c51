"""Business days: weekdays without holidays, or the sessions of an exchange, and what a calendar does not know."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from daemon.cron.business_days import WEEKDAYS, BusinessDays

CHRISTMAS, FRIDAY, SATURDAY, MONDAY = date(2026, 12, 25), date(2026, 11, 27), date(2026, 11, 28), date(2026, 11, 30)
DAYS = st.dates(date(2020, 1, 1), date(2030, 12, 31))


def test_the_built_in_calendar_knows_weekends_only() -> None:
    assert WEEKDAYS.is_business_day(CHRISTMAS)
    assert not WEEKDAYS.is_business_day(SATURDAY)
    assert WEEKDAYS.until is None


def test_a_holiday_is_no_business_day() -> None:
    calendar = BusinessDays.without([CHRISTMAS], until=date(2026, 12, 31))
    assert not calendar.is_business_day(CHRISTMAS)
    assert calendar.next(date(2026, 12, 24)) == date(2026, 12, 28)
    assert calendar.previous(date(2026, 12, 28)) == date(2026, 12, 24)
    assert calendar.until == date(2026, 12, 31)


def test_an_exchange_may_work_on_saturday_and_rest_on_monday() -> None:
    calendar = BusinessDays.of_sessions([FRIDAY, SATURDAY], first=FRIDAY, last=MONDAY)
    assert [calendar.is_business_day(day) for day in (FRIDAY, SATURDAY, MONDAY)] == [True, True, False]


def test_outside_of_its_dates_a_calendar_knows_nothing() -> None:
    calendar = BusinessDays.of_sessions([FRIDAY], first=FRIDAY, last=MONDAY)
    assert [calendar.knows(day) for day in (FRIDAY - timedelta(1), FRIDAY, MONDAY, MONDAY + timedelta(1))] == [
        False, True, True, False]
    assert calendar.next(FRIDAY) == MONDAY + timedelta(1)  # the next weekday that it says nothing about


@given(day=DAYS, holidays=st.frozensets(DAYS, max_size=30))
def test_previous_and_next_enclose_a_day_without_a_business_day_between(day: date, holidays: frozenset[date]) -> None:
    calendar = BusinessDays.without(holidays)
    before, behind = calendar.previous(day), calendar.next(day)
    assert before < day < behind
    between = [before + timedelta(i) for i in range(1, (behind - before).days)]
    assert [each for each in between if calendar.is_business_day(each) and each != day] == []
    assert calendar.is_business_day(before)
    assert calendar.is_business_day(behind)
