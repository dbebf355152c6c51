"""What `tradectl story` tells of an order."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from trading.data.mongo.events import Event
from trading.reports.order_story import story

NOW = datetime(2026, 3, 2, 20, tzinfo=UTC)
PASSED = {"control": "RC-01", "outcome": "PASS", "sentence": ""}
CUT = {"control": "RC-07", "outcome": "CUT", "sentence": "2 of 5 lots are left of today's limit."}
DENIED = {"control": "RC-37", "outcome": "DENY", "sentence": "A rate of EUR is not known."}


def told(*payloads: dict[str, Any]) -> list[str]:
    events = [Event(aggregate="IO-1", version=version, kind="InstrumentOrder", payload=payload, actor="me",
                    story="IO-1", at=NOW + timedelta(seconds=version), digest="")
              for version, payload in enumerate(payloads)]
    return [line.text for line in story(events, [])]


def test_what_changed_is_told_and_nothing_else() -> None:
    made = {"lifecycle": "CREATED", "quantity": 5, "close_reason": None, "v": 1}
    assert told(made, made | {"lifecycle": "CLOSED", "close_reason": "DENIED", "v": 2}) == [
        "InstrumentOrder: lifecycle CREATED, quantity 5",
        "InstrumentOrder: lifecycle CREATED -> CLOSED, close_reason none -> DENIED"]


def test_of_a_part_only_what_changed_in_it_is_told() -> None:
    spread = {"symbol": "ES", "near": {"con_id": 1}, "near_filled": 0}
    traded = spread | {"near_filled": -3}
    assert told({"spread": spread}, {"spread": traded})[1] == "InstrumentOrder: near_filled 0 -> -3"


@pytest.mark.parametrize(("checks", "words"), [
    ([], ""), ([PASSED], "; 1 control passed"), ([PASSED, PASSED | {"control": "RC-02"}], "; 2 controls passed"),
    ([PASSED, CUT], "; 1 control passed; RC-07 CUT: 2 of 5 lots are left of today's limit."),
    ([DENIED], "; RC-37 DENY: A rate of EUR is not known.")])
def test_the_controls_that_stood_in_the_way_are_named_with_their_reason(checks: list[dict[str, Any]],
                                                                        words: str) -> None:
    made = {"lifecycle": "CREATED", "checks": []}
    judged = made | {"lifecycle": "OPEN", "checks": checks}
    assert told(made, judged)[1] == f"InstrumentOrder: lifecycle CREATED -> OPEN{words}"
    assert told(judged) == [f"InstrumentOrder: lifecycle OPEN{words}"]


def test_a_judgement_is_told_once() -> None:
    held = {"control": "RC-18", "outcome": "HOLD", "sentence": "It waits 60 s."}
    orders = [{"lifecycle": "OPEN", "checks": [held]}, {"lifecycle": "WORKING", "checks": [held, PASSED]}]
    assert told(*orders)[1] == "InstrumentOrder: lifecycle OPEN -> WORKING; 1 control passed"
