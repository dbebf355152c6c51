"""Slots of a process: calendar, window, moves, and that a span has the same slots however it is cut."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from daemon.cron.business_days import WEEKDAYS, BusinessDays
from daemon.decisions.slots import Slot, jitter_s, never_fires, next_slot, slots_between
from trading.process_config import ProcessConfig

LONDON = ZoneInfo("Europe/London")
EVENING = {"start": "20:00", "stop": "23:50"}
XLON = BusinessDays.without([date(2026, 12, 25), date(2026, 12, 28)])  # Friday and Monday
DAY = timedelta(days=1)


def process(**keys: object) -> ProcessConfig:
    return ProcessConfig.model_validate({"timeout": 60, **keys})


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def slots(of: ProcessConfig, start: str, end: str, calendar: BusinessDays | None = None) -> list[Slot]:
    return list(slots_between(of, LONDON, calendar, at(start), at(end)))


def shown(found: list[Slot]) -> list[tuple[str, str]]:
    return [(f"{slot.instant:%d %H:%M}", slot.left_out) for slot in found]


def test_a_slot_outside_of_its_window_says_so() -> None:
    found = slots(process(cron="0 */10 * * *", window=EVENING), "2026-01-05T00:00", "2026-01-05T23:00")
    assert shown(found) == [("05 10:00", "outside its window 20:00-23:50"), ("05 20:00", "")]


def test_a_slot_between_two_windows_names_both() -> None:
    windows = [{"start": "08:00", "stop": "10:00"}, {"start": "14:00", "stop": "16:00"}]
    found = slots(process(cron="30 9,11,14 * * *", window=windows), "2026-01-05T00:00", "2026-01-05T23:00")
    assert shown(found) == [("05 09:30", ""), ("05 11:30", "outside its windows 08:00-10:00 and 14:00-16:00"),
                            ("05 14:30", "")]


@pytest.mark.parametrize(("rule", "expected"), [
    ("skip", [("24 21:00", ""), ("25 21:00", "2026-12-25 is no business day of xlon"),
              ("26 21:00", "2026-12-26 is no business day of xlon"),
              ("27 21:00", "2026-12-27 is no business day of xlon"),
              ("28 21:00", "2026-12-28 is no business day of xlon"), ("29 21:00", "")]),
    ("run", [(f"{day} 21:00", "") for day in range(24, 30)]),
    ("previous", [("24 21:00", ""), ("29 21:00", "")]),
    ("next", [("24 21:00", ""), ("29 21:00", "")]),
])
def test_slots_on_days_that_are_no_business_days(rule: str, expected: list[tuple[str, str]]) -> None:
    job = process(cron="0 21 * * *", calendar="xlon", on_holiday=rule, window=EVENING)
    assert shown(slots(job, "2026-12-24T12:00", "2026-12-30T12:00", XLON)) == expected


@pytest.mark.parametrize(("rule", "day", "numbers"), [("previous", 24, [24, 25, 26, 27, 28]),
                                                      ("next", 29, [25, 26, 27, 28, 29])])
def test_a_slot_that_others_were_moved_to_stands_for_all_of_them(rule: str, day: int, numbers: list[int]) -> None:
    job = process(cron="0 21 * * *", calendar="xlon", on_holiday=rule)
    found = next(slot for slot in slots(job, "2026-12-23T22:00", "2026-12-30T12:00", XLON) if slot.instant.day == day)
    assert [nominal.day for nominal in found.nominals] == numbers


def test_what_to_do_on_holidays_needs_a_calendar() -> None:
    with pytest.raises(ValidationError, match="on_holiday: next needs a calendar that knows the holidays"):
        process(cron="0 6 * * *", on_holiday="next")


def test_a_moved_slot_keeps_its_local_time_across_a_change_of_the_clock() -> None:
    # Sunday 29 March 2026 is the day on which London goes to summer time
    moved = slots(process(cron="0 6 29 3 *", calendar="w", on_holiday="previous"), "2026-03-26T00:00",
                  "2026-03-30T12:00", WEEKDAYS)
    assert moved == [Slot(at("2026-03-27T06:00"), (datetime(2026, 3, 29, 6),))]
    moved = slots(process(cron="0 6 28 3 *", calendar="w", on_holiday="next"), "2026-03-26T00:00",
                  "2026-03-30T12:00", WEEKDAYS)
    assert moved == [Slot(at("2026-03-30T05:00"), (datetime(2026, 3, 28, 6),))]


def test_behind_the_end_of_its_calendar_a_slot_is_left_out() -> None:
    calendar = BusinessDays.without([], until=date(2026, 12, 31))
    job = process(cron="0 21 * * *", calendar="xlon")
    *_, last = slots(job, "2026-12-30T00:00", "2027-01-01T22:00", calendar)
    assert last.left_out == ("the calendar xlon is good from any date to 2026-12-31, so nobody knows on which business "
                             "day 2027-01-01 would run")
    assert next_slot(job, LONDON, calendar, at("2026-12-31T22:00")) is None


def test_a_rhythm_begins_with_each_window() -> None:
    found = slots(process(every="PT1H30M", window=EVENING), "2026-01-05T00:00", "2026-01-06T21:00")
    assert shown(found) == [("05 20:00", ""), ("05 21:30", ""), ("05 23:00", ""), ("06 20:00", "")]


def test_a_rhythm_without_a_window_begins_at_midnight_in_real_time() -> None:
    # given the day on which London has 25 hours
    found = slots(process(every="PT7H"), "2026-10-24T22:59", "2026-10-26T01:00")
    assert [f"{slot.nominals[0]:%d %H:%M}" for slot in found] == [
        "25 00:00", "25 06:00", "25 13:00", "25 20:00", "26 00:00"]


def test_what_has_no_clock_has_no_slots() -> None:
    for job in (process(after_finish=60), process(on_success_of="other"), process(cron="@reboot")):
        assert slots(job, "2026-01-05T00:00", "2026-02-05T00:00") == []
        assert next_slot(job, LONDON, None, at("2026-01-05T00:00")) is None
        assert never_fires(job, LONDON, None, at("2026-01-05T00:00")) == ""


def test_the_next_slot_is_the_next_that_runs() -> None:
    job = process(cron="* * * * *", calendar="xlon", window=EVENING)
    found = next_slot(job, LONDON, XLON, at("2026-12-24T23:49"))
    assert found == Slot(at("2026-12-29T20:00"), (datetime(2026, 12, 29, 20),))


def test_a_leap_day_is_found_however_far_away() -> None:
    found = next_slot(process(cron="0 6 29 2 *"), LONDON, None, at("2096-03-01T00:00"))
    assert found is not None
    assert found.instant == at("2104-02-29T06:00")


def test_a_schedule_that_never_meets_its_window_says_so() -> None:
    job = process(cron="0 10 * * *", window=EVENING)
    assert never_fires(job, LONDON, None, at("2026-01-05T00:00")) == (
        "it never runs: every slot of the next 400 days is left out, the first (2026-01-05 10:00) because it lies "
        "outside its window 20:00-23:50. Change its times, its window or its calendar")


def test_a_schedule_that_never_meets_a_business_day_says_so() -> None:
    said = never_fires(process(cron="0 10 * * 6", calendar="weekdays"), LONDON, WEEKDAYS, at("2026-01-05T00:00"))
    assert "the first (2026-01-10 10:00) because 2026-01-10 is no business day of weekdays" in said


@pytest.mark.parametrize("job", [process(cron="0 10 29 2 *"), process(cron="0 21 * * *", window=EVENING),
                                 process(cron="0 10 * * 6", calendar="weekdays", on_holiday="next"),
                                 process(every="PT5M", window=EVENING)])
def test_a_schedule_that_fires_is_not_complained_about(job: ProcessConfig) -> None:
    assert never_fires(job, LONDON, WEEKDAYS if job.calendar else None, at("2026-01-05T00:00")) == ""


@given(name=st.text(max_size=20), key=st.text(max_size=20), jitter=st.integers(1, 10_000))
def test_jitter_lies_below_its_limit_and_never_changes(name: str, key: str, jitter: int) -> None:
    delay_s = jitter_s(name, key, jitter)
    assert 0 <= delay_s < jitter
    assert jitter_s(name, key, jitter) == delay_s


def test_jitter_spreads_processes_and_slots() -> None:
    assert len({jitter_s(name, key, 1000) for name in "abc" for key in ("1", "2", "3")}) == 9
    assert jitter_s("update_fx_prices", "2026-03-02T20:00:00Z", 30) == 23.413


JOBS = st.fixed_dictionaries({"calendar": st.just("c")}, optional={
    "on_holiday": st.sampled_from(("skip", "run", "previous", "next")),
    "window": st.sampled_from((EVENING, {"start": "22:00", "stop": "02:00"},
                               [{"start": "00:30", "stop": "01:30"}, {"start": "12:00", "stop": "18:00"}])),
}).flatmap(lambda rest: st.sampled_from(({"cron": "*/20 * * * *"}, {"cron": "30 1 * * *"}, {"cron": "0 0-23 * * *"},
                                         {"cron": "0,30 0,12,23 * * 5-7"}, {"every": "PT45M"}, {"every": "PT7H"}))
           .map(lambda trigger: process(**trigger, **rest)))
CLOCKS = (("Europe/London", "2026-03-27"), ("Europe/London", "2026-10-23"), ("America/St_Johns", "2005-10-28"),
          ("Africa/Cairo", "2026-04-22"), ("Australia/Lord_Howe", "2026-10-02"), ("Pacific/Apia", "2011-12-28"))


@settings(max_examples=150, deadline=None)
@given(job=JOBS, clock=st.sampled_from(CLOCKS), cuts=st.tuples(*[st.integers(0, 6 * 96)] * 3),
       holidays=st.frozensets(st.integers(-3, 9), max_size=6))
def test_a_span_has_the_same_slots_however_it_is_cut(job: ProcessConfig, clock: tuple[str, str],
                                                     cuts: tuple[int, int, int], holidays: frozenset[int]) -> None:
    # given a week with holidays around a change of the clock, cut at some quarter of an hour
    zone, begin = ZoneInfo(clock[0]), at(clock[1])
    calendar = BusinessDays.without((begin + number * DAY).date() for number in holidays)
    a, b, c = (begin + number * timedelta(minutes=15) for number in sorted(cuts))

    # when
    whole = list(slots_between(job, zone, calendar, a, c))
    halves = [*slots_between(job, zone, calendar, a, b), *slots_between(job, zone, calendar, b, c)]

    # then nothing is lost, doubled or out of order
    assert halves == whole
    instants = [slot.instant for slot in whole]
    assert instants == sorted(set(instants))
    assert all(a < instant <= c for instant in instants)


@settings(max_examples=100, deadline=None)
@given(job=JOBS, clock=st.sampled_from(CLOCKS), start=st.integers(0, 500),
       holidays=st.frozensets(st.integers(-3, 9), max_size=6))
def test_the_next_slot_is_the_first_of_those_that_run(job: ProcessConfig, clock: tuple[str, str], start: int,
                                                      holidays: frozenset[int]) -> None:
    zone, after = ZoneInfo(clock[0]), at(clock[1]) + start * timedelta(minutes=15)
    calendar = BusinessDays.without((at(clock[1]) + number * DAY).date() for number in holidays)
    expected = next((slot for slot in slots_between(job, zone, calendar, after, after + 20 * DAY)
                     if not slot.left_out), None)
    assert next_slot(job, zone, calendar, after) == expected


@settings(max_examples=60, deadline=None)
@given(job=JOBS, holidays=st.frozensets(st.integers(0, 9), max_size=6))
def test_every_firing_has_a_slot_that_names_it(job: ProcessConfig, holidays: frozenset[int]) -> None:
    begin = at("2026-06-01T00:00")
    calendar = BusinessDays.without((begin + number * DAY).date() for number in holidays)
    bare = job.model_copy(update={"calendar": None, "window": job.window if job.every else ()})
    fired = {nominal for slot in slots_between(bare, LONDON, None, begin, begin + 9 * DAY) for nominal in slot.nominals}
    named = [nominal for slot in slots_between(job, LONDON, calendar, begin - 30 * DAY, begin + 30 * DAY)
             for nominal in slot.nominals]
    assert fired <= set(named)
    assert len(named) == len(set(named))
