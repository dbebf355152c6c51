"""When cron expressions fire: against a table, a brute-force oracle, and the forms that are refused."""

from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice
from zoneinfo import ZoneInfo, available_timezones

import pytest
from cron_firings import ROWS
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.schedule import CronError, between, check, explain, lint, next_after

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
# zone and a UTC day near which its clock changes by at most three hours
CHANGES = (
    ("Europe/London", "2026-03-29"), ("Europe/London", "2026-10-25"), ("America/New_York", "2026-03-08"),
    ("America/New_York", "2026-11-01"), ("Australia/Lord_Howe", "2026-10-03"), ("Australia/Lord_Howe", "2026-04-04"),
    ("Africa/Cairo", "2026-04-23"), ("Africa/Cairo", "2026-10-29"), ("Antarctica/Troll", "2026-03-29"),
    ("Antarctica/Troll", "2026-10-25"), ("Asia/Kathmandu", "1985-12-31"), ("America/Caracas", "2007-12-09"),
    ("Africa/Casablanca", "2026-02-15"), ("America/St_Johns", "1988-04-03"), ("UTC", "2026-02-28"),
)


@pytest.mark.parametrize(("name", "zone", "expression", "start", "expected"), ROWS, ids=[row[0] for row in ROWS])
def test_the_table_of_firings(name: str, zone: str, expression: str, start: str, expected: tuple[str, ...]) -> None:
    after = datetime.fromisoformat(start).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    wanted = [datetime.fromisoformat(instant).replace(tzinfo=UTC) for instant in expected]
    one_by_one, now = [], after
    for _ in wanted:
        now = next_after(expression, ZoneInfo(zone), now).instant
        one_by_one.append(now)
    assert one_by_one == wanted
    at_once = between(expression, ZoneInfo(zone), after, wanted[-1])
    assert [fire.instant for fire in at_once] == wanted


def test_slots_that_fall_into_one_gap_are_one_run_that_knows_them_all() -> None:
    fire = next_after("0,30 1 * * *", ZoneInfo("Europe/London"), datetime(2026, 3, 28, 12, tzinfo=UTC))
    assert fire.instant == datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert [nominal.strftime("%H:%M") for nominal in fire.nominals] == ["01:00", "01:30"]


FIELDS = (
    st.sampled_from(("*", "*/7", "0", "30", "15,45", "10-20/5", "59", "*/15")),
    st.sampled_from(("*", "*/2", "0", "1", "2", "1,2", "0-3", "23", "22-23", "3")),
    st.sampled_from(("*", "*/2", "1", "28-31", "15,31")),
    st.sampled_from(("*", "1-12", "*/1")),
    st.sampled_from(("*", "0", "1-5", "*/2", "6,7")),
)


@settings(max_examples=60, deadline=None)
@given(fields=st.tuples(*FIELDS), change=st.sampled_from(CHANGES), start_min=st.integers(-1500, 1500))
def test_firings_equal_those_of_a_minute_by_minute_oracle(fields: tuple[str, ...], change: tuple[str, str],
                                                          start_min: int) -> None:
    start = datetime.fromisoformat(change[1]).replace(tzinfo=UTC) + start_min * MINUTE
    assert_oracle_agrees(" ".join(fields), ZoneInfo(change[0]), start)


@settings(max_examples=80, deadline=None)
@given(fields=st.tuples(*FIELDS), name=st.sampled_from(sorted(available_timezones() - {"localtime"})),
       year=st.integers(1973, 2037), which=st.integers(0, 3), start_min=st.integers(-1500, 1500))
def test_firings_around_any_change_of_any_zone_equal_the_oracle(fields: tuple[str, ...], name: str, year: int,
                                                                which: int, start_min: int) -> None:
    days = days_before_a_change(ZoneInfo(name), year) or [datetime(year, 6, 1, tzinfo=UTC)]
    assert_oracle_agrees(" ".join(fields), ZoneInfo(name), days[which % len(days)] + start_min * MINUTE)


def days_before_a_change(zone: ZoneInfo, year: int) -> list[datetime]:
    """Days within which the clock changes by at most three hours."""
    days = [datetime(year, 1, 3, tzinfo=UTC) + i * DAY for i in range(360)]
    shifts = {day: wall(day + DAY, zone) - wall(day, zone) - DAY for day in days}
    return [day for day, shift in shifts.items() if timedelta(0) < abs(shift) <= timedelta(minutes=180)]


def assert_oracle_agrees(expression: str, zone: ZoneInfo, start: datetime) -> None:
    """`between` and repeated `next_after` both give what a walk over all minutes gives."""
    end, expected = start + 2 * DAY, oracle(expression, zone, start)
    assert [fire.instant for fire in between(expression, zone, start, end)] == expected
    one_by_one, now = [], start
    while (now := next_after(expression, zone, now).instant) <= end:
        one_by_one.append(now)
    assert one_by_one == expected


def oracle(expression: str, zone: ZoneInfo, start: datetime) -> list[datetime]:
    """Walk every minute for two days; a fixed time that a gap has swallowed fires at the first minute behind it."""
    fixed = not any(text.startswith("*") for text in expression.split()[:2])
    fired, seen, now = [], set(), start - 2 * DAY
    previous = wall(now, zone)
    while (now := now + MINUTE) <= start + 2 * DAY:
        local = wall(now, zone)
        skipped = (local - previous) // MINUTE - 1 if fixed else 0
        hit = {each for each in (local, *(previous + i * MINUTE for i in range(1, skipped + 1)))
               if matches(expression, each)}
        if (hit - seen if fixed else hit) and now > start:
            fired.append(now)
        seen |= hit
        previous = local
    return fired


def wall(instant: datetime, zone: ZoneInfo) -> datetime:
    """What the clock on the wall shows; since 1973 in whole minutes."""
    return instant.astimezone(zone).replace(tzinfo=None)


@cache
def values(text: str, low: int, high: int) -> frozenset[int]:
    """The numbers of one field: stars, numbers, ranges, steps, lists."""
    found: set[int] = set()
    for item in text.split(","):
        span, _, step = item.partition("/")
        first, _, last = span.replace("*", f"{low}-{high}").partition("-")
        found |= set(range(int(first), int(last or first) + 1, int(step or 1)))
    return frozenset(found)


def matches(expression: str, local: datetime) -> bool:
    minute, hour, day, month, weekday = expression.split()
    by_day = local.day in values(day, 1, 31)
    by_weekday = local.isoweekday() % 7 in {value % 7 for value in values(weekday, 0, 6)}
    either = day.startswith("*") or weekday.startswith("*")
    return (local.minute in values(minute, 0, 59) and local.hour in values(hour, 0, 23)
            and local.month in values(month, 1, 12)
            and (by_day and by_weekday if either else by_day or by_weekday))


@settings(max_examples=60, deadline=None)
@given(fields=st.tuples(*FIELDS), day=st.integers(0, 9000))
def test_fire_times_rise_strictly(fields: tuple[str, ...], day: int) -> None:
    zone, now = ZoneInfo("Australia/Lord_Howe"), datetime(2001, 1, 1, tzinfo=UTC) + day * DAY
    for _ in range(10):
        later = next_after(" ".join(fields), zone, now).instant
        assert later > now
        now = later


def test_a_fixed_job_does_not_run_again_when_asked_in_the_second_pass() -> None:
    second_pass = datetime(2026, 10, 25, 1, 10, tzinfo=UTC)  # 01:10 GMT; 01:30 BST was at 00:30 UTC
    assert next_after("30 1 * * *", ZoneInfo("Europe/London"), second_pass).instant == datetime(
        2026, 10, 26, 1, 30, tzinfo=UTC)


def test_seconds_of_the_asking_moment_do_not_lose_a_minute() -> None:
    asked = datetime(2026, 6, 1, 5, 59, 59, 999_999, tzinfo=UTC)
    assert next_after("0 6 * * *", ZoneInfo("UTC"), asked).instant == datetime(2026, 6, 1, 6, tzinfo=UTC)


def test_any_aware_time_may_ask() -> None:
    zone = ZoneInfo("America/New_York")
    asked = datetime(2026, 6, 1, 12, tzinfo=ZoneInfo("Asia/Tokyo"))
    assert next_after("0 0 * * *", zone, asked) == next_after("0 0 * * *", zone, asked.astimezone(UTC))


def test_a_dateline_change_is_a_correction_and_not_made_up_for() -> None:
    fires = between("0 12 * * *", ZoneInfo("Pacific/Apia"), datetime(2011, 12, 29, 16, tzinfo=UTC),
                    datetime(2011, 12, 31, 12, tzinfo=UTC))
    assert [fire.nominals[0].day for fire in fires] == [29, 31]


def test_fields_may_be_parted_by_tabs() -> None:
    asked = datetime(2026, 6, 1, 12, tzinfo=UTC)
    expected = next_after("0 6 * * 1-5", ZoneInfo("UTC"), asked)
    assert next_after(" 0\t6 * *\tMON-fri ", ZoneInfo("UTC"), asked) == expected


def test_equals_cronsim_where_cronsim_is_right() -> None:
    from cronsim import CronSim

    zone, start = ZoneInfo("Europe/Riga"), datetime(2026, 3, 1, tzinfo=UTC)
    for expression in ("*/20 3 * * *", "30 3 * * *", "0 0 1 * *", "0 9 * * 1", "15 2-5 * * 0", "0 0 * * *",
                       "0 12 L * *", "0 0 * * 5/1"):
        theirs = [fire.astimezone(UTC) for fire in islice(CronSim(expression, start.astimezone(zone)), 50)]
        ours = [fire.instant for fire in islice(between(expression, zone, start, datetime(2040, 1, 1, tzinfo=UTC)), 50)]
        assert ours == theirs, expression


REFUSED = (
    ("* * * *", "it has 4 fields, not five (minute hour day month weekday)"),
    ("0 0 6 * * 1", "it has 6 fields, not five (minute hour day month weekday); seconds and years are not supported, "
                    "did you mean '0 6 * * 1'?"),
    ("0 0 6 * * 1 2027", "it has 7 fields, not five (minute hour day month weekday); seconds and years are not "
                         "supported, did you mean '0 6 * * 1'?"),
    ("60 * * * *", "60 is no minute (allowed: 0-59)"),
    ("0 24 * * *", "24 is no hour (allowed: 0-23)"),
    ("0 22-2 * * *", "22-2 runs backwards; write 22-23,0-2"),
    ("0 0 * * fri-mon", "fri-mon runs backwards; write 5-6,0-1"),
    ("0 0 * * 7-2", "7-2 runs backwards; write 0-2"),
    ("0 0 * nov-feb *", "nov-feb runs backwards; write 11-12,1-2"),
    ("1,,2 * * * *", "an empty item in a list; remove the comma"),
    (f"{'9' * 5000} * * * *", f"'{'9' * 5000}' is no minute (allowed: 0-59)"),
    (f"*/{'9' * 5000} * * * *", f"the step '{'9' * 5000}' is no positive number, as in */15"),
    ("*/0 * * * *", "the step '0' is no positive number, as in */15"),
    ("*/-5 * * * *", "the step '-5' is no positive number, as in */15"),
    ("-5 * * * *", "a number is missing in -5 (there are no signs; a range is written 1-5)"),
    ("+5 * * * *", "'+5' is no minute (allowed: 0-59)"),
    ("٣ * * * *", "'٣' is no minute (allowed: 0-59)"),
    ("0 0 * * sunday", "'sunday' is no day of the week (allowed: 0-7 or sun, mon, tue, wed, thu, fri, sat); write sun"),
    ("0 0 30 2 *", "no date matches; it would never run"),
    ("0 0 31 2 *", "no date matches; it would never run"),
    ("0 0 31 4,6,9,11 *", "no date matches; it would never run"),
    ("@fortnightly", "@fortnightly is unknown (known: @yearly, @annually, @monthly, @weekly, @daily, @midnight, "
                     "@hourly, @reboot)"),
    ("@Daily", "@Daily is unknown; it is written in small letters: @daily"),
    ("@REBOOT", "@REBOOT is unknown; it is written in small letters: @reboot"),
    ("@daily 5", "@daily stands alone; remove '5'"),
    ("@reboot sleep 5", "@reboot stands alone; remove 'sleep 5'"),
    ("@every 90s", "a real interval is not cron; write every: PT90S instead of cron:"),
    ("0 6 * * 1 2027", "it has 6 fields, not five (minute hour day month weekday); seconds and years are not "
                       "supported, did you mean '0 6 * * 1'?"),
    ("0 6 * * 1-5 /usr/bin/true now", "it has 7 fields, not five (minute hour day month weekday); a command does not "
                                      "belong here, write '0 6 * * 1-5'"),
    ("", "it has 0 fields, not five (minute hour day month weekday)"),
)


@pytest.mark.parametrize(("expression", "reason"), REFUSED, ids=[row[0][:20] for row in REFUSED])
def test_what_means_nothing_or_two_things_is_refused(expression: str, reason: str) -> None:
    with pytest.raises(CronError) as refusal:
        check(expression)
    assert str(refusal.value).endswith(reason)


@pytest.mark.parametrize("expression", ["0 0 * * fri#2x", "0 0 * * fri#6", "0 0 ? * *", "0 0 5#2 * *", "L 0 * * *",
                                        "0 0 32W * *", "0 0 L-31 * *", "0 0 L-٣ * *", "0 0 * * ſatL", "0 0 * * LW"])
def test_extensions_in_the_wrong_place_are_refused(expression: str) -> None:
    with pytest.raises(CronError):
        check(expression)


def test_an_error_names_the_column() -> None:
    with pytest.raises(CronError, match=r"^cron '5 6 \* \* 9', column 9: 9 is no day of the week"):
        check("5 6 * * 9")


@pytest.mark.parametrize("text", ["@reboot", " @reboot "])
def test_a_start_of_the_daemon_is_accepted_but_is_no_time(text: str) -> None:
    check(text)
    assert explain(text) == "once at each start of the daemon"
    assert lint(text, ZoneInfo("Europe/London"), datetime(2026, 1, 1, tzinfo=UTC)) == []
    said = "@reboot is no time: it runs once at each start of the daemon and has no next fire time"
    with pytest.raises(CronError, match=said):
        next_after(text, ZoneInfo("UTC"), datetime(2026, 1, 1, tzinfo=UTC))
    with pytest.raises(CronError, match=said):
        between(text, ZoneInfo("UTC"), datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))


def first(expression: str, zone: str, after: str, count: int = 1) -> list[str]:
    start = datetime.fromisoformat(after).replace(tzinfo=UTC)
    fires = between(expression, ZoneInfo(zone), start, start + 15_000 * DAY)
    return [f"{fire.instant:%Y-%m-%dT%H:%M:%S}" for fire in islice(fires, count)]


def test_an_offset_with_seconds_gives_instants_with_seconds() -> None:
    # Monrovia was 44 minutes and 30 seconds behind until it jumped to UTC at midnight of 7 January 1972
    assert first("0 6 * * *", "Africa/Monrovia", "1972-01-05T12:00") == ["1972-01-06T06:44:30"]
    assert first("10 0 * * *", "Africa/Monrovia", "1972-01-06T12:00", 2) == [
        "1972-01-07T00:45:00", "1972-01-08T00:10:00"]
    assert first("*/15 * * * *", "Africa/Monrovia", "1972-01-07T00:00", 3) == [
        "1972-01-07T00:14:30", "1972-01-07T00:29:30", "1972-01-07T00:45:00"]


def test_the_last_minute_of_the_year_comes_in_the_next_one_too() -> None:
    assert first("59 23 31 12 *", "Pacific/Apia", "2026-12-31T10:59", 2) == [
        "2027-12-31T10:59:00", "2028-12-31T10:59:00"]


def test_a_change_at_the_turn_of_the_year_loses_nothing_and_repeats_nothing() -> None:
    # Kathmandu went from +05:30 to +05:45 at midnight of 1 January 1986: 31 December, 18:30 UTC
    assert first("5 0 * * *", "Asia/Kathmandu", "1985-12-31T00:00", 2) == ["1985-12-31T18:30:00", "1986-01-01T18:20:00"]
    hours = list(between("0 * * * *", ZoneInfo("UTC"), datetime(2026, 12, 25, tzinfo=UTC),
                         datetime(2027, 1, 5, tzinfo=UTC)))
    assert len(hours) == len(set(hours)) == 11 * 24


def test_a_29_february_that_must_be_a_sunday_may_be_forty_years_away() -> None:
    assert first("0 0 29 2 */7", "UTC", "2088-03-01T00:00") == ["2128-02-29T00:00:00"]


def test_the_end_of_time_is_an_end() -> None:
    last = datetime.max.replace(tzinfo=UTC)
    assert len(list(between("0 0 * * *", ZoneInfo("Europe/London"), datetime(9999, 12, 20, tzinfo=UTC), last))) == 9
    with pytest.raises(CronError, match="it does not fire again within forty years after 9999-12-31"):
        next_after("0 0 * * *", ZoneInfo("Europe/London"), datetime(9999, 12, 31, tzinfo=UTC))


def test_after_a_large_step_back_the_new_time_holds() -> None:
    # Vostok went from +07 to UTC on 31 January 1994, 17:00 UTC: seven hours, so no daylight saving
    assert first("30 20 * * *", "Antarctica/Vostok", "1994-01-31T12:00", 2) == [
        "1994-01-31T13:30:00", "1994-01-31T20:30:00"]


@pytest.mark.parametrize(("zone", "day", "missing"), [("Pacific/Apia", "2011-12-30", 1), ("Pacific/Kwajalein",
                                                                                        "1993-08-21", 1)])
def test_a_day_that_a_dateline_swallowed_has_no_run(zone: str, day: str, missing: int) -> None:
    start = datetime.fromisoformat(day).replace(tzinfo=UTC) - 5 * DAY
    days = [fire.nominals[0].date() for fire in between("0 12 * * *", ZoneInfo(zone), start, start + 10 * DAY)]
    assert datetime.fromisoformat(day).date() not in days
    assert (days[-1] - days[0]).days + 1 - len(days) == missing


@pytest.mark.parametrize("zone", ["Africa/Casablanca", "Antarctica/Troll", "Asia/Tehran", "America/Godthab",
                                  "Africa/Cairo", "America/St_Johns", "Antarctica/Casey"])
@settings(max_examples=8, deadline=None)
@given(minute_of_day=st.integers(0, 1439), year=st.integers(1973, 2037))
def test_a_fixed_daily_job_runs_once_for_each_local_date(zone: str, minute_of_day: int, year: int) -> None:
    hour, minute = divmod(minute_of_day, 60)
    start = datetime(year, 1, 1, 12, tzinfo=UTC)
    fires = list(between(f"{minute} {hour} * * *", ZoneInfo(zone), start, start + 360 * DAY))
    days = [nominal.date() for fire in fires for nominal in fire.nominals]
    assert days == [days[0] + i * DAY for i in range(len(days))]


@settings(max_examples=40, deadline=None)
@given(fields=st.tuples(*FIELDS), name=st.sampled_from(("Europe/London", "Australia/Lord_Howe", "Africa/Casablanca")),
       hours=st.tuples(st.integers(0, 9000), st.integers(0, 900), st.integers(0, 900)))
def test_two_halves_of_a_span_have_what_the_whole_has(fields: tuple[str, ...], name: str,
                                                      hours: tuple[int, int, int]) -> None:
    expression, zone = " ".join(fields), ZoneInfo(name)
    a = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hours[0])
    b = a + timedelta(hours=hours[1])
    c = b + timedelta(hours=hours[2])
    assert [*between(expression, zone, a, b), *between(expression, zone, b, c)] == [*between(expression, zone, a, c)]


WORDS = (
    ("* * * * *", "every minute"),
    ("0 6 * * 1-5", "at 06:00 on Monday to Friday"),
    ("*/15 * * * *", "every 15 minutes"),
    ("*/25 * * * *", "at minutes 0, 25 and 50 of every hour"),
    ("*/61 * * * *", "at minute 0 of every hour"),
    ("5 */1 * * *", "at minute 5 of every hour"),
    ("@hourly", "at minute 0 of every hour"),
    ("@daily", "at 00:00 every day"),
    ("* 3 * * *", "every minute between 03:00 and 03:59 every day"),
    ("30 22 1 jan *", "at 22:30 on day 1 of the month in January"),
    ("0 0 * jan,mar-may *", "at 00:00 every day in January and March to May"),
    ("*/5 8-17 * * 1-5", "every 5 minutes in the hours 8 to 17 on Monday to Friday"),
    ("0 0 * * 6,7", "at 00:00 on Saturday and Sunday"),
    ("0 0 * * 0-2", "at 00:00 on Sunday to Tuesday"),
    ("0 0 * * 5-7", "at 00:00 on Friday to Sunday"),
    ("0 0 1,2 * *", "at 00:00 on days 1 and 2 of the month"),
    ("0 0 13 * 5", "at 00:00 on day 13 of the month or on Friday"),
    ("0 0 31 2 0", "at 00:00 on day 31 of the month or on Sunday, in February"),
    ("0 0 1-31 * 5", "at 00:00 every day"),
    ("0 0 1-7 * */5", "at 00:00 on days 1 to 7 of the month if it falls on Friday or Sunday"),
    ("0 0 */2 * 5", "at 00:00 on every 2nd day (1, 3, 5, ...) of the month if it falls on Friday"),
    ("0 0 L,15 * *", "at 00:00 on day 15 and the last day of the month (an extension of Debian's cron)"),
    ("0 0 L-3 * *", "at 00:00 on the 3rd day before the last day of the month (an extension of Debian's cron)"),
    ("0 0 15W * *", "at 00:00 on the working day nearest to day 15 of the month (an extension of Debian's cron)"),
    ("0 0 * * fri#2", "at 00:00 on the 2nd Friday of the month (an extension of Debian's cron)"),
    ("0 0 1 * 5L", "at 00:00 on day 1 of the month or on the last Friday of the month (an extension of Debian's "
                   "cron)"),
)


@pytest.mark.parametrize(("expression", "sentence"), WORDS)
def test_expressions_in_words(expression: str, sentence: str) -> None:
    assert explain(expression) == sentence


WARNINGS = (
    ("30 1 * * *", ["on 2026-03-29 the clock goes from 01:00 to 02:00: one run at 02:00 (01:00 UTC) instead of 01:30",
                    "on 2026-10-25 the clock goes back from 02:00 to 01:00: 01:30 runs only the first time "
                    "(00:30 UTC)"]),
    ("0,30 1 25 10 *", ["on 2026-10-25 the clock goes back from 02:00 to 01:00: 01:00, 01:30 run only the first time "
                        "(00:00, 00:30 UTC)"]),
    ("10-20/7 6 * * *", []),
    ("0,30 1 29 3 *", ["on 2026-03-29 the clock goes from 01:00 to 02:00: one run at 02:00 (01:00 UTC) instead of "
                       "01:00, 01:30"]),
    ("*/30 1 * * *", ["on 2026-03-29 the clock goes from 01:00 to 02:00: no run instead of 01:00, 01:30"]),
    ("*/15 * * * *", []),
    ("0 6 * * 1-5", []),
    ("*/7 6 * * *", ["*/7: the step 7 does not divide 60, so the last interval is shorter"]),
    ("0 */5 * * *", ["*/5: the step 5 does not divide 24, so the last interval is shorter"]),
    ("*/61 6 * * *", ["*/61: the step is as large as the minute itself, so it matches once"]),
    ("5/15 6 * * *", ["5/15 is not Debian's cron: it means 5-59/15"]),
    ("0 6 13 * 5", ["both day fields are set: it runs when either matches, not only when both do"]),
    ("0 6 */2 * 5", ["both day fields are set and one begins with a star: it runs only when both match"]),
)


@pytest.mark.parametrize(("expression", "warnings"), WARNINGS)
def test_lint_warns_of_what_is_probably_not_meant(expression: str, warnings: list[str]) -> None:
    assert lint(expression, ZoneInfo("Europe/London"), datetime(2026, 1, 1, tzinfo=UTC)) == warnings


def test_lint_knows_what_a_correction_of_the_clock_does() -> None:
    warnings = lint("30 12 30 12 *", ZoneInfo("Pacific/Apia"), datetime(2011, 12, 1, tzinfo=UTC))
    assert warnings == ["on 2011-12-30 the clock goes from 00:00 to 00:00 on 2011-12-31: no run instead of "
                        "12:30"]
