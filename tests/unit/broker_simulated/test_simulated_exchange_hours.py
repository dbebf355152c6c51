"""Sessions, holidays and zones of the exchanges."""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulated_messages import a_contract, place_order
from simulated_record import NOON
from simulated_stage import Stage, kinds

from trading.broker.simulated.exchange_hours import REAL_HOURS, timetable

LONDON = ZoneInfo("Europe/London")
INSTANTS = st.datetimes(datetime(2020, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))
HOLIDAY = date(2021, 10, 14)
FRIDAY_EVENING = datetime(2021, 10, 15, 21, 30, tzinfo=UTC)  # 16:30 in Chicago, where it is over
SUNDAY_EVENING = datetime(2021, 10, 17, 22, 0, tzinfo=UTC)  # 17:00 there


@given(instant=INSTANTS, exchange=st.sampled_from(sorted(REAL_HOURS)))
def test_openings_and_closes_agree_with_what_is_open(instant: datetime, exchange: str) -> None:
    table = timetable("Europe/London", frozenset({HOLIDAY}), real_hours=True)
    opening, close = table.next_open(exchange, instant), table.session_close(exchange, instant)
    assert instant <= opening < close
    assert table.is_open(exchange, opening)
    assert table.is_open(exchange, close - timedelta(seconds=1))
    assert not table.is_open(exchange, close)
    assert table.is_open(exchange, instant) == (opening == instant)


@given(instant=INSTANTS)
def test_without_real_hours_all_are_open_around_the_clock_from_monday_to_friday(instant: datetime) -> None:
    table, local = timetable("Europe/London", frozenset(), real_hours=False), instant.astimezone(LONDON)
    assert table.is_open("CME", instant) == (local.weekday() < 5 and local.time() < time(23, 59))
    opening = table.next_open("CME", instant).astimezone(LONDON)
    assert opening == local or (opening.time() == time(0) and opening.weekday() < 5)
    assert opening - local < timedelta(days=3)
    close = table.session_close("CME", instant).astimezone(LONDON)
    assert (close.date(), close.time()) == (opening.date(), time(23, 59))


@pytest.mark.parametrize("real_hours", [False, True])
def test_orders_follow_the_hours_of_their_exchange(tmp_path: Path, real_hours: bool) -> None:
    stage = Stage(tmp_path / "state", options={"real_hours": real_hours})
    stage.clock.instant = FRIDAY_EVENING
    client = stage.a_client()
    held = "error 399" in kinds(stage.ask(client, place_order(1, tif="GTC")))
    assert held == real_hours
    [order] = stage.gateway.book.orders.values()
    assert order.active_from == (SUNDAY_EVENING if real_hours else FRIDAY_EVENING)
    stage.move_to(SUNDAY_EVENING)
    assert stage.gateway.book.executions[0].time == order.active_from


def test_a_day_order_ends_with_the_session_of_its_exchange(tmp_path: Path) -> None:
    stage = Stage(tmp_path / "state", options={"real_hours": True})
    stage.ask(stage.a_client(), place_order(1, order_type="LMT", limit="4000"))
    [order] = stage.gateway.book.orders.values()
    assert order.expires_at == datetime(2021, 10, 13, 21, 0, tzinfo=UTC)  # 16:00 in Chicago


@pytest.mark.parametrize("exchange", sorted(REAL_HOURS))
def test_every_zone_is_known_and_liquid_hours_are_trading_hours(exchange: str) -> None:
    opening = REAL_HOURS[exchange]
    assert opening.tz.key == opening.zone
    monday = date(2021, 10, 11)
    for session in opening.sessions(monday, monday, only_liquid=True):
        assert opening.is_open(session.opens)
        assert opening.is_open(session.closes - timedelta(minutes=1))


def test_chicago_opens_on_the_evening_before_and_closes_for_an_hour() -> None:
    chicago = REAL_HOURS["CME"]
    assert chicago.text(date(2021, 10, 14)) == (
        "20211013:1700-20211014:1600;20211014:1700-20211015:1600;20211016:CLOSED;20211017:CLOSED;"
        "20211017:1700-20211018:1600;20211018:1700-20211019:1600")
    assert not chicago.is_open(datetime(2021, 10, 13, 21, 30, tzinfo=UTC))
    assert chicago.next_open(datetime(2021, 10, 15, 21, 30, tzinfo=UTC)) == datetime(2021, 10, 17, 22, tzinfo=UTC)


def test_the_same_hour_is_another_instant_in_winter() -> None:
    frankfurt = REAL_HOURS["EUREX"]
    evenings = [datetime(2021, month, 30, 20, 30, tzinfo=UTC) for month in (6, 12)]
    openings = [frankfurt.next_open(evening) for evening in evenings]
    assert [(each.hour, each.minute) for each in openings] == [(23, 10), (20, 30)]


def test_hong_kong_rests_at_noon_and_trades_into_the_night() -> None:
    text = REAL_HOURS["HKFE"].text(date(2021, 10, 13)).split(";")[:3]
    assert text == ["20211013:0915-20211013:1200", "20211013:1300-20211013:1630", "20211013:1715-20211014:0300"]


def test_a_holiday_is_closed_everywhere() -> None:
    table = timetable("Europe/London", frozenset({HOLIDAY}), real_hours=True)
    assert "20211014:CLOSED" in table.of("EUREX").text(date(2021, 10, 13))
    assert table.next_open("LSE", datetime(2021, 10, 14, 9, tzinfo=UTC)) == datetime(2021, 10, 15, 7, tzinfo=UTC)
    assert "20211014:CLOSED" in table.of("UNHEARD OF").text(date(2021, 10, 13))


def test_contract_details_tell_the_hours_of_their_exchange(tmp_path: Path) -> None:
    stage = Stage(tmp_path / "state", options={"real_hours": True, "holidays": frozenset({HOLIDAY})})
    row = stage.ask(stage.a_client(), ["9", "8", "5", *a_contract(), "0", "", "", ""])[0]
    assert row[row.index("US/Central") + 1].startswith("20211012:1700-20211013:1600;20211014:CLOSED;")
    assert row[row.index("US/Central") + 2].startswith("20211013:0830-20211013:1600;20211014:CLOSED;")
    assert stage.clock.now() == NOON
