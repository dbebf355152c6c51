"""Where what we hold and what the broker holds differ: what it is called, and when it is one at all."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from two_sides import ASKED, JUNE, NOW, a_fill, failing, ours, positions, second_look, settled, theirs, told

from trading.execution.fills import FillStatus
from trading.execution.reconciliation.broker_view import Part, SeenExecution
from trading.execution.reconciliation.find_breaks import DEFAULT_SETTINGS, find_breaks
from trading.execution.reconciliation.our_view import ContractFacts
from trading.execution.reconciliation.sightings import sighted, waits_for

HELD = positions({JUNE: 2})
EXPIRED = {JUNE: ContractFacts(con_id=42, last_trade=date(2026, 3, 1))}


def test_equal_sides_have_no_break() -> None:
    assert settled(ours(HELD), theirs({JUNE: 2})) == []


def test_a_difference_is_no_break_at_the_first_look() -> None:
    assert find_breaks(ours(HELD), theirs({JUNE: 3})) == []


@pytest.mark.parametrize(("seconds", "breaks"), [(14.9, []), (15, [("B5", JUNE)])])
def test_a_difference_is_a_break_when_two_looks_fifteen_seconds_apart_see_it(
        seconds: float, breaks: list[tuple[str, str]]) -> None:
    assert told(find_breaks(*second_look(ours(HELD), theirs({JUNE: 3}), seconds))) == breaks


def test_a_difference_that_changes_is_a_new_one() -> None:
    mine, their = second_look(ours(HELD), theirs({JUNE: 3}))
    assert find_breaks(mine, replace(their, positions={JUNE: 4})) == []


@pytest.mark.parametrize(("age_s", "breaks"), [(9.9, []), (10, [("B5", JUNE)])])
def test_a_difference_is_no_break_right_after_a_fill(age_s: float, breaks: list[tuple[str, str]]) -> None:
    mine, their = second_look(ours(HELD), theirs({JUNE: 3}))
    filled = replace(mine, newest_fill={JUNE: mine.at - timedelta(seconds=age_s)})
    assert told(find_breaks(filled, their)) == breaks


def test_a_break_says_both_numbers_and_since_when() -> None:
    found, = settled(ours(HELD), theirs({JUNE: 3}))
    assert (found.sentence, found.instrument, found.facts, found.age_s, found.times) == (
        "position break: SP500/20260600: our books hold +2, the broker +3", "SP500", {"ours": 2, "theirs": 3}, 15, 2)


def test_an_execution_on_its_way_into_our_books_is_no_position_break() -> None:
    coming = SeenExecution(fill="DU1/e9", reference="", contract=JUNE, quantity=1, at=NOW)
    assert settled(ours(HELD), theirs({JUNE: 3}, executions=(coming,))) == []


def test_x18_a_gateway_that_answers_empty_just_after_its_start_shows_nothing_until_it_is_asked_again() -> None:
    mine, their = second_look(ours(HELD), theirs({}), seconds=10)
    full = replace(their, positions={JUNE: 2})
    assert find_breaks(mine, full) == []
    assert sighted(mine, full) == {}


def test_an_expired_contract_that_the_broker_no_longer_shows_is_an_expiry() -> None:
    assert told(settled(ours(HELD, contracts=EXPIRED), theirs({}))) == [("B6", JUNE)]


@pytest.mark.parametrize(("last_trade", "at_broker"), [(date(2026, 3, 2), 0), (date(2026, 3, 1), 1)])
def test_what_is_not_over_or_not_gone_is_no_expiry(last_trade: date, at_broker: int) -> None:
    facts = {JUNE: ContractFacts(con_id=42, last_trade=last_trade)}
    assert told(settled(ours(HELD, contracts=facts), theirs({JUNE: at_broker}))) == [("B5", JUNE)]


def test_a_contract_that_nobody_knows_is_said() -> None:
    found, = settled(ours(), theirs({"unknown HO/77": -1}))
    assert (found.id.value, found.sentence) == (
        "B13", "the broker holds -1 of a contract that we do not know: unknown HO/77")


def test_ib4m_80_one_fill_under_two_executions_is_told_apart_and_nothing_is_removed() -> None:
    twice = (a_fill("e1", 2, broker_order="o"), a_fill("e2", 2, broker_order="o"))
    found, = settled(ours(positions({JUNE: 4}), fills=twice), theirs({JUNE: 2}))
    assert found.id.value == "B8"
    assert found.sentence.endswith("e1.01 and e2.01 look like one fill")


@pytest.mark.parametrize("other", [
    a_fill("e2", 2, broker_order="p"), a_fill("e2", 2, broker_order="o", at=NOW),
    a_fill("e2", 2, broker_order="o", status=FillStatus.BUSTED)])
def test_two_different_fills_are_no_second_source(other: object) -> None:
    fills = (a_fill("e1", 2, broker_order="o"), other)
    assert told(settled(ours(positions({JUNE: 4}), fills=fills), theirs({JUNE: 2}))) == [("B5", JUNE)]


def test_strategies_and_contracts_that_do_not_agree_are_a_fault_of_ours() -> None:
    assert told(find_breaks(ours(positions({JUNE: 2}, s=1)), theirs({JUNE: 2}))) == [("B14", "SP500")]


@pytest.mark.parametrize(("out_by", "breaks"), [(date(2026, 3, 2), []), (date(2026, 3, 1), [("B18", JUNE)])])
def test_a_month_that_had_to_be_left_is_overdue_from_the_next_day(
        out_by: date, breaks: list[tuple[str, str]]) -> None:
    facts = {JUNE: ContractFacts(con_id=42, must_be_out_by=out_by)}
    assert told(find_breaks(ours(HELD, contracts=facts), theirs({JUNE: 2}))) == breaks


def test_what_is_expired_and_gone_need_not_be_left() -> None:
    facts = {JUNE: ContractFacts(con_id=42, must_be_out_by=date(2026, 2, 1), last_trade=date(2026, 3, 1))}
    assert told(settled(ours(HELD, contracts=facts), theirs({}))) == [("B6", JUNE)]


def test_a_look_says_how_long_until_another_one_can_settle_it() -> None:
    # given a difference that was seen now, in a contract that traded a second ago
    mine, their = ours(HELD, newest_fill={JUNE: NOW - timedelta(seconds=1)}), theirs({JUNE: 3})
    assert waits_for(mine, their, DEFAULT_SETTINGS) == timedelta(seconds=15)
    later, again = second_look(mine, their, seconds=8)
    assert waits_for(later, again, DEFAULT_SETTINGS) == timedelta(seconds=7)
    assert waits_for(*second_look(mine, their), DEFAULT_SETTINGS) == timedelta(0)
    assert waits_for(ours(HELD), theirs({JUNE: 2}), DEFAULT_SETTINGS) == timedelta(0)


CONTRACTS = st.sampled_from([JUNE, "SP500/20260900", "GOLD/20260800", "unknown HO/77"])
LOTS = st.dictionaries(CONTRACTS, st.integers(-3, 3).filter(bool), max_size=4)


@given(mine=LOTS, told_lots=LOTS, parts=st.sets(st.sampled_from(sorted(ASKED)), min_size=1))
def test_v35_what_was_not_answered_means_neither_flat_nor_absent(
        mine: dict[str, int], told_lots: dict[str, int], parts: set[Part]) -> None:
    # given two looks that agree, and then one in which some answers fail or end too early
    held = positions({key: lots for key, lots in mine.items() if not key.startswith("unknown")})
    before, _ = second_look(ours(held), theirs(told_lots))
    partial = failing(theirs({}), *parts)

    # when positions failed, then nothing is said of them, and what was seen of them before is remembered as it was
    found = find_breaks(before, partial)
    assert {each.subject for each in found if each.id.value == "B19"} == {part.value for part in parts}
    if Part.POSITIONS in parts:
        assert {each.id.value for each in found} == {"B19"}
        kept = {key: seen for key, seen in sighted(before, partial).items() if key.startswith("position")}
        assert kept == dict(before.sightings)


def test_hummingbot_8457_a_failed_query_is_not_absence() -> None:
    mine, their = second_look(ours(HELD), failing(theirs({}), Part.POSITIONS))
    assert told(find_breaks(mine, their)) == [("B19", "positions")]


def test_nautilus_4230_a_disconnect_while_comparing_corrupts_no_position() -> None:
    mine, their = second_look(ours(HELD), failing(theirs({JUNE: 5}), *ASKED))
    assert {found.id.value for found in find_breaks(mine, their)} == {"B19"}
