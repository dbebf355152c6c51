"""Who hears of a roll state, and for how long."""

from dataclasses import dataclass

import pytest

from trading.execution.rolls.decision import RULES, Notice
from trading.execution.rolls.notices import notices
from trading.execution.rolls.states import RollState

FRONT = "CORN/20260300"


@dataclass(frozen=True)
class Decided:
    row: int
    state: RollState = RollState.CLOSE
    instrument: str = "CORN"
    front: str = FRONT
    reason: str = "+2 lots must be out in 1 business day"


@pytest.mark.parametrize(("row", "lots", "heard"), [
    (1, 2, [Notice.PAGE]), (2, -2, [Notice.PAGE]), (7, 2, [Notice.WARN]),
    (3, 2, []), (9, 2, []), (0, 2, []), (2, 0, [])])
def test_the_table_says_who_hears_while_something_is_held(row: int, lots: int, heard: list[Notice]) -> None:
    assert [each.notice for each in notices([Decided(row)], {FRONT: lots}).values()] == heard


def test_a_page_says_what_to_do_until_when() -> None:
    found = notices([Decided(2)], {FRONT: 2})["CORN"]
    assert found.sentence == (f"{FRONT}: +2 lots must be out in 1 business day. If it is not left today, close it by "
                              f"hand. See: tradectl rolls")


@pytest.mark.parametrize(("state", "words"), [
    (RollState.ROLL_ADJUSTED, "CORN is ROLL_ADJUSTED, but -2 lots are held in its front contract: a fill arrived late"),
    (RollState.EXPIRED_HOLD, "CORN holds -2 lots of a contract that has ended: the broker acts, we send nothing")])
def test_a_state_that_its_position_contradicts_is_a_page_whoever_set_it(state: RollState, words: str) -> None:
    found = notices([Decided(0, state)], {FRONT: -2})["CORN"]
    assert found.notice is Notice.PAGE
    assert found.sentence.startswith(words)
    assert notices([Decided(0, state)], {FRONT: 0}) == {}


def test_what_is_held_of_other_contracts_calls_nobody() -> None:
    assert notices([Decided(2)], {"CORN/20260500": 2}) == {}


def test_all_rules_of_one_row_call_the_same_people() -> None:
    assert len({(rule.row, rule.notice) for rule in RULES}) == len({rule.row for rule in RULES})
