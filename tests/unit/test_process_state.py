"""The transition table of a process, pair by pair, and the sentence that refuses a pair."""

from itertools import product

import pytest

from trading.control.process_state import TRANSITIONS, InvalidTransition, ProcessState, check_transition

S = ProcessState
ALLOWED = {
    (S.NO_PROCESS, S.RUNNING),
    (S.RUNNING, S.FINISHED), (S.RUNNING, S.ERROR), (S.RUNNING, S.STOPPED), (S.RUNNING, S.TERMINATED),
    (S.FINISHED, S.NO_PROCESS), (S.FINISHED, S.RUNNING),
    (S.ERROR, S.NO_PROCESS), (S.ERROR, S.RUNNING), (S.ERROR, S.TERMINATED),
    (S.STOPPED, S.NO_PROCESS), (S.STOPPED, S.RUNNING), (S.STOPPED, S.TERMINATED),
    (S.TERMINATED, S.NO_PROCESS),
}
NAMES_OF_WHAT_IS_ALLOWED = {
    S.NO_PROCESS: "RUNNING", S.RUNNING: "ERROR, FINISHED, STOPPED, TERMINATED", S.FINISHED: "NO_PROCESS, RUNNING",
    S.ERROR: "NO_PROCESS, RUNNING, TERMINATED", S.STOPPED: "NO_PROCESS, RUNNING, TERMINATED",
    S.TERMINATED: "NO_PROCESS",
}


def test_the_table_lists_every_state() -> None:
    assert set(TRANSITIONS) == set(ProcessState)


def test_the_states_are_the_six_of_the_design() -> None:
    assert [state.value for state in ProcessState] == ["NO_PROCESS", "RUNNING", "FINISHED", "ERROR", "STOPPED",
                                                       "TERMINATED"]


@pytest.mark.parametrize(("old", "new"), sorted(ALLOWED))
def test_a_listed_change_is_accepted(old: ProcessState, new: ProcessState) -> None:
    check_transition("run_systems", old, new)


@pytest.mark.parametrize(("old", "new"), [pair for pair in product(S, S) if pair not in ALLOWED])
def test_any_other_change_is_refused_to_the_letter(old: ProcessState, new: ProcessState) -> None:
    with pytest.raises(InvalidTransition) as refusal:
        check_transition("run_systems", old, new)
    assert str(refusal.value) == (f"run_systems is {old.value} and cannot become {new.value} (allowed: "
                                  f"{NAMES_OF_WHAT_IS_ALLOWED[old]}). To start afresh: tradectl reset run_systems")
