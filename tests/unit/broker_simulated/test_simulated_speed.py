"""What makes the gateway fast changes nothing of what it says: short cuts and the long way agree."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulated_messages import a_contract, market_data, place_order
from simulated_record import NOON
from simulated_stage import Stage, kinds

from trading.broker.simulated.faults.fault import Fault, FaultKind, fault_of
from trading.broker.simulated.faults.flood import Flood
from trading.broker.simulated.faults.strike import strike
from trading.broker.simulated.permissions import Permissions, Subscription
from trading.broker.simulated.quotes import REQ_ID_AT, update_ticks
from trading.broker.simulated.recorded_market import instant_of, nanoseconds
from trading.broker.simulated.wire import encode, split_fields

INSTANTS = st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))


@given(INSTANTS)
def test_an_instant_is_the_same_number_as_in_the_record(instant: datetime) -> None:
    assert nanoseconds(instant) == pd.Timestamp(instant).as_unit("ns").value
    assert instant_of(nanoseconds(instant)) == instant


@given(INSTANTS, st.integers(1, 999))
def test_a_print_between_two_microseconds_is_rounded_up(instant: datetime, more: int) -> None:
    assert instant_of(nanoseconds(instant) + more) == instant + timedelta(microseconds=1)


@given(st.lists(st.text(st.sampled_from("aZ0 \0\\é日"), max_size=4), min_size=1, max_size=4))
def test_a_frame_has_as_many_fields_as_its_message_whatever_they_hold(fields: list[str]) -> None:
    frame = encode(fields)
    assert int.from_bytes(frame[:4], "big") == len(frame) - 4
    told = [each.encode().decode("unicode-escape") for each in split_fields(frame[4:])]
    assert told == [each.replace("\0", " ") for each in fields]


def test_two_clients_hear_the_news_of_a_market_under_their_own_ids(stage: Stage) -> None:
    first, second = stage.a_client(1), stage.a_client(2)
    for client, req_id in ((first, 5), (second, 6)):
        stage.ask(client, market_data(req_id, a_contract()))
    stage.move_to(NOON + timedelta(minutes=11))
    heard, by_the_other = first.take_outbox(), second.take_outbox()
    assert {each[REQ_ID_AT] for each in heard} == {"5"}
    assert by_the_other == [(*each[:REQ_ID_AT], "6", *each[REQ_ID_AT + 1:]) for each in heard]


def test_the_news_are_those_of_the_line_alone(tmp_path: Path) -> None:
    """Lines that differ in contract, ticks or age share nothing; each hears what was worked out for it."""
    stage = Stage(tmp_path, options={"permissions": Permissions(exchanges={"CBOT": Subscription.DELAYED})})
    client = stage.a_client()
    stage.ask(client, ["59", "1", "3"])
    lines = [market_data(1, a_contract()), market_data(2, a_contract(month="202203")),
             market_data(3, a_contract(), ticks="233"), market_data(4, a_contract())]
    for line in lines:
        stage.ask(client, line)
    for minutes in (11, 21):
        stage.move_to(NOON + timedelta(minutes=minutes))
        expected = [message for line in client.lines.values()
                    for message in update_ticks(line.watch, stage.clock.now(), stage.gateway.zone)]
        assert client.take_outbox() == expected


def test_news_are_worked_out_once_for_all_who_watch(stage: Stage) -> None:
    sheet, client = stage.gateway.sheet, stage.a_client()
    for number in range(3):
        stage.ask(client, market_data(number, a_contract()))
    sheet.news(client.lines[0].watch, 1, NOON)
    kept, = sheet._newest.values()
    sheet.news(client.lines[2].watch, 1, NOON + timedelta(seconds=1))
    again, = sheet._newest.values()
    assert again is kept


def test_a_fault_knows_the_orders_that_passed_before_it(stage: Stage) -> None:
    client = stage.a_client()
    stage.ask(client, place_order(1, order_type="LMT", limit="4300", tif="GTC", ref="A1"))
    strike(stage.gateway, fault_of({"kind": "drop", "message": "orderStatus", "order": "A*"}))
    assert kinds(stage.ask(client, ["16", "1"])) == ["5", "53"]


@pytest.mark.parametrize("kind", [FaultKind.SLOW, FaultKind.QUOTES])
def test_what_lasts_strikes_messages_too(stage: Stage, kind: FaultKind) -> None:
    client = stage.a_client()
    stage.gateway.faults.last(Fault(kind=kind, by=5.0, style="frozen"), stage.clock.elapsed_s + 60)
    heard = stage.ask(client, market_data(5, a_contract(), snapshot="1"))
    assert "1" not in kinds(heard)


@given(st.lists(st.floats(0.001, 0.2), min_size=1, max_size=50), st.integers(1, 5000))
def test_a_flood_keeps_its_rate_however_unevenly_it_is_asked(steps: list[float], per_s: int) -> None:
    flood = Flood()
    assert abs(sum(flood.due(per_s, step) for step in steps) - per_s * sum(steps)) <= 1


def test_a_flood_that_comes_late_does_not_catch_up() -> None:
    assert Flood().due(1000, 60.0) == 200
