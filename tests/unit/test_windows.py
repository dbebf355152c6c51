"""Windows: their configuration, midnight, and edges that fall on a change of the clock."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from daemon.cron.windows import OpenWindow, next_window, window_at
from trading.process_config import ProcessConfig, WindowConfig

LONDON, UTC_ZONE = ZoneInfo("Europe/London"), ZoneInfo("UTC")


def windows(*spans: str) -> tuple[WindowConfig, ...]:
    """08:00-12:00 and so on."""
    return tuple(WindowConfig.model_validate(dict(zip(("start", "stop"), span.split("-"), strict=True)))
                 for span in spans)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def opening(day: str, opens: str, closes: str) -> OpenWindow:
    return OpenWindow(day=date.fromisoformat(day), opens=at(opens), closes=at(closes))


def configured(window: object) -> ProcessConfig:
    return ProcessConfig.model_validate({"cron": "* * * * *", "timeout": 60, "window": window})


def test_one_window_is_written_as_a_mapping_or_as_a_list() -> None:
    one = {"start": "20:00", "stop": "23:50"}
    assert configured(one).window == configured([one]).window == windows("20:00-23:50")
    assert configured(None).window == configured([]).window == ()


def test_several_windows_survive_a_round_trip_through_plain_values() -> None:
    process = configured([{"start": "08:00", "stop": "12:00"}, {"start": "22:00", "stop": "02:00"}])
    assert ProcessConfig.model_validate(process.model_dump(mode="json")) == process


@pytest.mark.parametrize(("one", "other"), [("08:00-12:00", "11:00-15:00"), ("08:00-12:00", "09:00-10:00"),
                                            ("22:00-02:00", "01:00-03:00"), ("22:00-02:00", "23:00-01:00"),
                                            ("08:00-12:00", "08:00-12:00"), ("22:00-06:00", "05:00-23:00")])
def test_windows_that_overlap_are_refused(one: str, other: str) -> None:
    for first, second in ((one, other), (other, one)):
        with pytest.raises(ValidationError, match=f"the windows {first} and {second} overlap; let one end where the "
                                                  f"other begins, or write one window for both"):
            configured([dict(zip(("start", "stop"), span.split("-"), strict=True)) for span in (first, second)])


def test_a_window_may_begin_where_another_ends() -> None:
    assert len(configured([{"start": "08:00", "stop": "12:00"}, {"start": "12:00", "stop": "08:00"}]).window) == 2


@pytest.mark.parametrize(("start", "reason"), [
    (1200, '1200 is no time; YAML reads a time without quotes as a number, write "20:00"'),
    ("24:00", '24:00 is no time of a day; write "00:00" for its end'),
    ("20:00+01:00", "has a zone; a window is read in the time zone of its process"),
    ("23:50", "start and stop are both 23:50; the window would never be open"),
])
def test_what_is_no_local_time_is_refused(start: object, reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        configured({"start": start, "stop": "23:50"})


def test_it_is_open_from_its_start_to_before_its_stop() -> None:
    evening = windows("20:00-23:50")
    expected = opening("2026-01-05", "2026-01-05T20:00", "2026-01-05T23:50")
    assert window_at(evening, LONDON, at("2026-01-05T20:00")) == expected
    assert window_at(evening, LONDON, at("2026-01-05T23:49:59")) == expected
    assert window_at(evening, LONDON, at("2026-01-05T19:59:59")) is None
    assert window_at(evening, LONDON, at("2026-01-05T23:50")) is None


def test_a_window_across_midnight_belongs_to_the_date_on_which_it_opens() -> None:
    night = windows("22:00-02:00")
    expected = opening("2026-01-05", "2026-01-05T22:00", "2026-01-06T02:00")
    assert window_at(night, LONDON, at("2026-01-06T01:00")) == expected


def test_the_next_window_opens_strictly_later() -> None:
    day = windows("14:00-18:00", "08:00-12:00")
    assert next_window(day, LONDON, at("2026-01-05T07:59")).opens == at("2026-01-05T08:00")
    assert next_window(day, LONDON, at("2026-01-05T08:00")).opens == at("2026-01-05T14:00")
    assert next_window(day, LONDON, at("2026-01-05T14:00")).opens == at("2026-01-06T08:00")


def test_without_windows_nothing_is_open_and_nothing_opens() -> None:
    assert window_at((), LONDON, at("2026-01-05T08:00")) is None
    with pytest.raises(ValueError, match="there is no window to open"):
        next_window((), LONDON, at("2026-01-05T08:00"))


EDGES = (  # in London 01:00 becomes 02:00 on 29 March 2026 (01:00 UTC), and 02:00 becomes 01:00 on 25 October
    ("an edge in the gap", "00:30-01:30", "2026-03-29", "2026-03-29T00:30", "2026-03-29T01:00"),
    ("it opens at the end of the gap", "01:30-03:00", "2026-03-29", "2026-03-29T01:00", "2026-03-29T02:00"),
    ("its start is repeated", "01:30-03:00", "2026-10-25", "2026-10-25T00:30", "2026-10-25T03:00"),
    ("its stop is repeated", "00:00-01:30", "2026-10-25", "2026-10-24T23:00", "2026-10-25T00:30"),
    ("both are repeated", "01:15-01:45", "2026-10-25", "2026-10-25T00:15", "2026-10-25T00:45"),
)


@pytest.mark.parametrize(("what", "span", "day", "opens", "closes"), EDGES, ids=[row[0] for row in EDGES])
def test_edges_at_a_change_of_the_clock(what: str, span: str, day: str, opens: str, closes: str) -> None:
    expected = opening(day, opens, closes)
    before = expected.opens - timedelta(seconds=1)
    assert next_window(windows(span), LONDON, before) == expected
    assert window_at(windows(span), LONDON, before) is None
    assert window_at(windows(span), LONDON, expected.opens) == expected
    assert window_at(windows(span), LONDON, expected.closes - timedelta(seconds=1)) == expected
    assert window_at(windows(span), LONDON, expected.closes) is None


def test_a_window_that_a_gap_has_swallowed_does_not_open_that_day() -> None:
    assert next_window(windows("01:10-01:50"), LONDON, at("2026-03-28T12:00")).day == date(2026, 3, 30)


def test_a_clock_that_goes_back_over_midnight_leaves_the_next_days_window_open() -> None:
    # in St John's 00:01 on 30 October 2005 became 23:01 of the day before (02:31 UTC)
    zone, midnight = ZoneInfo("America/St_Johns"), at("2005-10-30T02:30")
    found = window_at(windows("00:00-06:00"), zone, midnight + timedelta(minutes=30))
    assert found == opening("2005-10-30", "2005-10-30T02:30", "2005-10-30T09:30")


@settings(max_examples=150, deadline=None)
@given(hours=st.lists(st.integers(0, 47), min_size=2, max_size=6, unique=True), start=st.integers(0, 20_000),
       zone=st.sampled_from(("Europe/London", "America/St_Johns", "Africa/Cairo", "Pacific/Apia", "UTC")))
def test_windows_follow_each_other_and_are_open_in_between(hours: list[int], start: int, zone: str) -> None:
    # given windows that do not overlap, in half hours
    edges = sorted(hours)[:len(hours) // 2 * 2]
    spans = windows(*(f"{a // 2:02d}:{a % 2 * 30:02d}-{b // 2:02d}:{b % 2 * 30:02d}"
                      for a, b in zip(edges[::2], edges[1::2], strict=True)))
    now = datetime(2005, 1, 1, tzinfo=UTC) + timedelta(hours=start * 4)

    # then each that opens is open from its first to its last instant, and they do not overlap
    one = next_window(spans, ZoneInfo(zone), now)
    other = next_window(spans, ZoneInfo(zone), one.opens)
    assert now < one.opens < one.closes <= other.opens
    for instant in (one.opens, one.closes - timedelta(seconds=1)):
        assert window_at(spans, ZoneInfo(zone), instant) == one
    if one.closes < other.opens:
        assert window_at(spans, ZoneInfo(zone), other.opens - timedelta(seconds=1)) is None
