"""When cron expressions fire: against a table, a brute-force oracle, and the forms that are refused."""

from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from cron_firings import ROWS
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.cron_expression import parse
from daemon.schedule import CronError, between, check, explain, lint, next_after

MINUTE = timedelta(minutes=1)
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
    st.sampled_from(("*", "*/2", "1", "28-31", "L")),
    st.sampled_from(("*", "1-12", "*/1")),
    st.sampled_from(("*", "0", "1-5", "*/2", "sat,sun")),
)


@settings(max_examples=80, deadline=None)
@given(fields=st.tuples(*FIELDS), change=st.sampled_from(CHANGES), start_min=st.integers(-1500, 1500))
def test_firings_equal_those_of_a_minute_by_minute_oracle(fields: tuple[str, ...], change: tuple[str, str],
                                                          start_min: int) -> None:
    expression, zone = " ".join(fields), ZoneInfo(change[0])
    start = datetime.fromisoformat(change[1]).replace(tzinfo=UTC) + start_min * MINUTE
    end = start + timedelta(days=2)
    assert [fire.instant for fire in between(expression, zone, start, end)] == oracle(expression, zone, start, end)


def oracle(expression: str, zone: ZoneInfo, start: datetime, end: datetime) -> list[datetime]:
    """Walk every minute; a fixed time that a gap has swallowed fires at the first minute behind it."""
    cron, fired, seen = parse(expression), [], set()
    now = start - timedelta(days=2)
    previous = now.astimezone(zone).replace(tzinfo=None)
    while (now := now + MINUTE) <= end:
        local = now.astimezone(zone).replace(tzinfo=None)
        passed = [local]
        if cron.fixed and local - previous > MINUTE:
            passed += [previous + i * MINUTE for i in range(1, (local - previous) // MINUTE)]
        hit = {nominal for nominal in passed if matches(cron, nominal)}
        new = hit - seen if cron.fixed else hit
        if new and now > start:
            fired.append(now)
        seen |= hit
        previous = local
    return fired


def matches(cron: object, local: datetime) -> bool:
    return (local.minute in cron.minutes and local.hour in cron.hours  # type: ignore[attr-defined]
            and local.day in cron.days_in(local.year, local.month))  # type: ignore[attr-defined]


@settings(max_examples=60, deadline=None)
@given(fields=st.tuples(*FIELDS), day=st.integers(0, 9000))
def test_fire_times_rise_strictly(fields: tuple[str, ...], day: int) -> None:
    zone, now = ZoneInfo("Australia/Lord_Howe"), datetime(2001, 1, 1, tzinfo=UTC) + timedelta(days=day)
    for _ in range(10):
        later = next_after(" ".join(fields), zone, now).instant
        assert later > now
        now = later


def test_equals_cronsim_where_cronsim_is_right() -> None:
    from cronsim import CronSim

    zone, start = ZoneInfo("Europe/Riga"), datetime(2026, 3, 1, tzinfo=UTC)
    for expression in ("*/20 3 * * *", "30 3 * * *", "0 0 1 * *", "15 2-5 * * 0", "0 0 * * *", "0 12 L * *"):
        theirs = [fire.astimezone(UTC) for fire in islice(CronSim(expression, start.astimezone(zone)), 50)]
        ours = [fire.instant for fire in islice(between(expression, zone, start, datetime(2040, 1, 1, tzinfo=UTC)), 50)]
        assert ours == theirs, expression


REFUSED = (
    ("* * * *", "it has 4 fields, not five (minute hour day month weekday)"),
    ("0 0 6 * * 1", "it has 6 fields, not five (minute hour day month weekday); seconds and years are not supported"),
    ("60 * * * *", "60 is no minute (allowed: 0-59)"),
    ("0 24 * * *", "24 is no hour (allowed: 0-23)"),
    ("0 22-2 * * *", "22-2 runs backwards; write 22-23,0-2"),
    ("0 0 * * fri-mon", "fri-mon runs backwards; write 5-6,0-1"),
    ("1,,2 * * * *", "an empty item in a list; remove the comma"),
    ("*/0 * * * *", "the step '0' is no positive number"),
    ("-5 * * * *", "'' is no minute (allowed: 0-59)"),
    ("+5 * * * *", "'+5' is no minute (allowed: 0-59)"),
    ("٣ * * * *", "'٣' is no minute (allowed: 0-59)"),
    ("0 0 * * sunday", "'sunday' is no day of the week (allowed: 0-7 or sun, mon, tue, wed, thu, fri, sat)"),
    ("0 0 31 2 *", "no date matches; it would never run"),
    ("0 0 31 4,6,9,11 *", "no date matches; it would never run"),
    ("@reboot", "@reboot is not supported; a daemon start is no slot. Name a time"),
)


@pytest.mark.parametrize(("expression", "reason"), REFUSED)
def test_what_means_nothing_or_two_things_is_refused(expression: str, reason: str) -> None:
    with pytest.raises(CronError) as refusal:
        check(expression)
    assert str(refusal.value).endswith(reason)


@pytest.mark.parametrize("expression", ["0 0 * * fri#2x", "0 0 ? * *", "0 0 5#2 * *", "L 0 * * *", "0 0 32W * *"])
def test_extensions_in_the_wrong_place_are_refused(expression: str) -> None:
    with pytest.raises(CronError):
        check(expression)


def test_an_error_names_the_column() -> None:
    with pytest.raises(CronError, match=r"^cron '5 6 \* \* 9', column 9: 9 is no day of the week"):
        check("5 6 * * 9")


def test_expressions_in_words() -> None:
    assert explain("0 6 * * 1-5") == "at 06:00 on Monday to Friday"
    assert explain("*/15 * * * *") == "every 15 minutes"
    assert explain("30 22 1 jan *") == "at 22:30 on day 1 of the month in January"


def test_lint_warns_of_times_that_the_clock_change_swallows() -> None:
    warnings = lint("30 1 * * *", ZoneInfo("Europe/London"), datetime(2026, 1, 1, tzinfo=UTC))
    assert warnings == ["on 2026-03-29 the clock goes from 01:00 to 02:00: it runs at 02:00 instead",
                        "on 2026-10-25 the clock goes back from 02:00 to 01:00: it runs only the first time"]
