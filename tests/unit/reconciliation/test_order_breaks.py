"""Orders of which the two sides do not say the same, whoever made them."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from two_sides import ASKED, JUNE, NOW, REFERENCE, a_fill, an_order, failing, listed, ours, second_look, theirs, told

from trading.execution.broker_orders import BrokerLifecycle, BrokerOrder
from trading.execution.reconciliation.breaks import Alarm, stage_of
from trading.execution.reconciliation.broker_view import BrokerView, Part, SeenExecution, SeenOrder
from trading.execution.reconciliation.find_breaks import find_breaks
from trading.execution.reconciliation.order_breaks import made_at
from trading.execution.reconciliation.our_view import Leading, OurView

LISTED = theirs(open_orders=(listed(),))
ABSENT = theirs()
LIVE = ours(live=(an_order(),))


def led(since_hour: int, token_in_store: int = 7) -> OurView:
    """We lead under token 7 since that hour of the day; the order in question was made at 16."""
    since = datetime(2026, 3, 2, since_hour, tzinfo=UTC)
    return ours(leading=Leading(token=7, token_in_store=token_in_store, since=since))


def test_an_order_that_both_sides_know_is_no_break() -> None:
    assert find_breaks(LIVE, LISTED) == []


def test_an_order_that_works_at_the_broker_and_had_ended_here_is_one() -> None:
    found, = find_breaks(ours(ended=(an_order(BrokerLifecycle.CANCELLED),)), LISTED)
    assert (found.id.value, found.sentence) == (
        "B9", f"broker order {REFERENCE} is CANCELLED here, and Submitted at the broker")


@pytest.mark.parametrize("seen", [listed(status="Cancelled"), listed(status="Filled"), listed(perm_id=71)])
def test_what_is_over_at_the_broker_or_a_second_life_did_not_end_here_only(seen: SeenOrder) -> None:
    assert find_breaks(ours(ended=(an_order(BrokerLifecycle.CANCELLED),)), theirs(open_orders=(seen,))) == []


@pytest.mark.parametrize("seen", [listed(lots=4), listed(limit=Decimal("100.25"))])
def test_an_order_that_was_edited_at_the_broker_is_noticed(seen: SeenOrder) -> None:
    found, = find_breaks(LIVE, theirs(open_orders=(seen,)))
    assert (found.id.value, found.facts) == ("B11", {"lots": seen.lots, "limit": str(seen.limit)})


@pytest.mark.parametrize("order", [
    an_order(BrokerLifecycle.PENDING_REPLACE, wanted_limit=Decimal(101)), an_order(broker_quantity=4)])
def test_terms_that_are_on_their_way_or_adopted_are_no_break(order: BrokerOrder) -> None:
    assert find_breaks(ours(live=(order,)), theirs(open_orders=(listed(lots=abs(order.broker_quantity or 5)),))) == []


def test_somebody_elses_order_in_a_contract_of_ours_is_said() -> None:
    strange = listed("manual", perm_id=99)
    assert told(find_breaks(ours(), theirs(open_orders=(strange,)))) == [("B12", "99")]
    elsewhere = replace(strange, contract="unknown HO/77")
    assert find_breaks(ours(), theirs(open_orders=(elsewhere,))) == []


@pytest.mark.parametrize(("seconds", "breaks"), [(14.9, []), (15, [("B10", REFERENCE)])])
def test_an_order_that_the_broker_does_not_name_twice_is_absent(seconds: float, breaks: list[tuple[str, str]]) -> None:
    assert find_breaks(LIVE, ABSENT) == []
    assert told(find_breaks(*second_look(LIVE, ABSENT, seconds))) == breaks


@pytest.mark.parametrize(("seconds", "alarm"), [(119, Alarm.INFO), (120, Alarm.WARNING), (600, Alarm.CRITICAL)])
def test_an_absent_order_grows_graver(seconds: float, alarm: Alarm) -> None:
    found, = find_breaks(*second_look(LIVE, ABSENT, seconds))
    assert stage_of(found).alarm is alarm


@pytest.mark.parametrize("view", [
    theirs(completed_orders=(listed("", status="Cancelled"),)), theirs(open_orders=(listed("", status="Inactive"),)),
    theirs(executions=(SeenExecution(fill="DU1/e1", reference=REFERENCE, contract=JUNE, quantity=5),))])
def test_an_order_that_is_named_anywhere_is_not_absent(view: object) -> None:
    booked = replace(LIVE, fills=(a_fill("e1", broker_order=REFERENCE),))
    assert find_breaks(*second_look(booked, view)) == []  # type: ignore[arg-type]


@pytest.mark.parametrize("part", sorted(ASKED - {Part.POSITIONS}))
def test_nautilus_3715_an_order_is_not_absent_because_a_question_failed(part: Part) -> None:
    # given a broker that names the order nowhere, and once gave no answer
    mine, their = second_look(LIVE, failing(ABSENT, part), seconds=60)

    # then only the failure is told, and the next whole answer is the first that counts
    assert told(find_breaks(mine, their)) == [("B19", part.value)]
    assert find_breaks(mine, replace(ABSENT, at=their.at)) == []


@pytest.mark.parametrize(("part", "view"), [
    (Part.OPEN_ORDERS, theirs(open_orders=(listed(lots=4), listed("manual", perm_id=99)))),
    (Part.EXECUTIONS, theirs(open_orders=(listed(),), executions=(SeenExecution(
        fill="DU1/e9", reference=REFERENCE, contract=JUNE, quantity=2),)))])
def test_v35_the_rows_of_an_answer_without_its_end_show_nothing(part: Part, view: BrokerView) -> None:
    assert told(find_breaks(LIVE, failing(view, part))) == [("B19", part.value)]


def test_v35_a_question_that_fails_does_not_confirm_what_an_earlier_look_had_seen() -> None:
    mine, their = second_look(LIVE, ABSENT, seconds=60)
    assert told(find_breaks(mine, failing(their, Part.OPEN_ORDERS))) == [("B19", "open orders")]


def test_an_intent_is_not_absent_for_nobody_was_told_of_it() -> None:
    assert find_breaks(*second_look(ours(live=(an_order(BrokerLifecycle.INTENT),)), ABSENT)) == []


def test_lean_249_an_execution_that_was_dropped_during_an_outage_is_found() -> None:
    dropped = SeenExecution(fill="DU1/e9", reference=REFERENCE, contract=JUNE, quantity=2, at=NOW)
    found, = find_breaks(LIVE, replace(LISTED, executions=(dropped,)))
    assert (found.id.value, stage_of(found).alarm) == ("B1", Alarm.INFO)


def test_an_execution_of_an_order_that_had_ended_is_graver() -> None:
    late = SeenExecution(fill="DU1/e9", reference=REFERENCE, contract=JUNE, quantity=2, at=NOW)
    found, = find_breaks(ours(ended=(an_order(BrokerLifecycle.EXPIRED),)), theirs(executions=(late,)))
    assert stage_of(found).alarm is Alarm.WARNING


def test_lean_249_a_full_replay_of_what_is_booked_is_no_break() -> None:
    booked = tuple(a_fill(f"e{number}", 1, broker_order=REFERENCE) for number in range(20))
    again = tuple(SeenExecution(fill=fill.id, reference=REFERENCE, contract=JUNE, quantity=1) for fill in booked)
    assert find_breaks(replace(LIVE, fills=booked), replace(LISTED, executions=again)) == []


def test_restored_backup_an_order_of_ours_that_the_store_lost_is_said() -> None:
    assert told(find_breaks(led(since_hour=17), LISTED)) == [("B2", REFERENCE)]


@pytest.mark.parametrize("mine", [led(since_hour=15), led(since_hour=17, token_in_store=8)])
def test_an_order_of_our_form_that_only_another_daemon_can_have_made_shows_that_there_is_one(mine: OurView) -> None:
    assert told(find_breaks(mine, LISTED)) == [("B20", REFERENCE)]


def test_a_reference_tells_when_its_decision_was_made() -> None:
    assert made_at(REFERENCE) == datetime(2026, 3, 2, 16, tzinfo=UTC)
    assert made_at("1-C1-B1") is None


def test_a_query_that_fails_is_told_after_three_times_and_grave_after_ten_minutes() -> None:
    mine, their = ours(), failing(theirs(), Part.EXECUTIONS)
    alarms = []
    for seconds in (60, 60, 479, 1):
        alarms.append(stage_of(find_breaks(mine, their)[0]).alarm)
        mine, their = second_look(mine, their, seconds)
    alarms.append(stage_of(find_breaks(mine, their)[0]).alarm)
    assert alarms == [Alarm.INFO, Alarm.INFO, Alarm.WARNING, Alarm.WARNING, Alarm.CRITICAL]


def test_an_answer_ends_the_count_of_failures() -> None:
    mine, their = second_look(ours(), failing(theirs(), Part.EXECUTIONS))
    mine, their = second_look(mine, theirs(at=their.at))
    assert mine.sightings == {}
