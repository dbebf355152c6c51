"""What is held is the sum of what was traded, or it is said where not."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from two_sides import JUNE, NOW, positions

from trading.execution.adjustments import Movement, Positions, fold
from trading.execution.locks import LockCause
from trading.execution.reconciliation.rebuild import proof_locks, unproven

MOVES = st.lists(st.builds(Movement, contract=st.sampled_from([JUNE, "GOLD/20260800", None]),
                           strategy=st.sampled_from(["s", "_EXTERNAL"]), instrument=st.sampled_from(["SP500", "GOLD"]),
                           lots=st.integers(-5, 5)), max_size=20)


@given(moves=MOVES)
def test_v8_books_that_are_the_sum_of_their_movements_are_proven(moves: list[Movement]) -> None:
    back = [replace(each, lots=-each.lots) for each in moves[7:]]
    assert unproven(fold(moves[:7]), fold([*moves, *back])) == []


@given(moves=MOVES, lots=st.integers(-5, 5).filter(bool))
def test_a_movement_that_one_side_lacks_is_found_on_both_sums(moves: list[Movement], lots: int) -> None:
    more = Movement(contract=JUNE, strategy="s", instrument="SP500", lots=lots)
    found = unproven(fold([*moves, more]), fold(moves))
    assert [(each.subject, each.stored - each.summed) for each in found] == [(JUNE, lots), ("s/SP500", lots)]


def test_what_is_not_proven_locks_its_instrument_once_with_all_that_differs() -> None:
    found = unproven(positions({JUNE: 3, "GOLD/20260800": 1}), positions({JUNE: 2}))
    locks = proof_locks(found, NOW)
    assert [(lock.instrument, lock.cause) for lock in locks] == [
        ("GOLD", LockCause.BOOKS_DIFFER), ("SP500", LockCause.BOOKS_DIFFER)]
    assert locks[1].reason == (
        "our books do not prove themselves: SP500/20260600: +3 are stored, its fills and adjustments sum to +2; "
        "s/SP500: +3 are stored, its fills and adjustments sum to +2")
    assert all(lock.needs_person for lock in locks)


def test_nothing_held_is_proven_by_nothing_traded() -> None:
    assert unproven(Positions(contracts={}, strategies={}), fold([])) == []
