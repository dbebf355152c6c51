"""A lock opens by itself when its cause is known; that numbers agree again is no cause."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from two_sides import ASKED, JUNE, NOW, a_fill, failing, listed, ours, positions, theirs

from trading.execution.adjustments import Adjustment, AdjustmentKind, Entry
from trading.execution.fills import Fill
from trading.execution.locks import OPENS_BY_ITSELF, Lock, LockCause
from trading.execution.reconciliation.broker_view import BrokerView, Part
from trading.execution.reconciliation.fill_breaks import foreign_fills
from trading.execution.reconciliation.openings import held_then, openings
from trading.execution.reconciliation.our_view import BreakSettings, ContractFacts, OurView

SEPTEMBER = "SP500/20260900"
BREAK = Lock(instrument="SP500", cause=LockCause.POSITION_BREAK, subject=JUNE, reason="position break", opened_at=NOW,
             facts={"ours": 2, "theirs": 3})


def locked(lots: int, held_at_the_break: int | None = None, lock: Lock = BREAK) -> OurView:
    then = {} if held_at_the_break is None else {lock.id: held_at_the_break}
    return ours(positions({JUNE: lots}), locks=(lock,), held_then=then)


def test_executions_from_before_a_break_that_explain_it_open_its_lock() -> None:
    opened, = openings(locked(3, held_at_the_break=3), theirs({JUNE: 3}))
    assert (opened.lock, opened.how) == (
        BREAK, "executions from before the break explain it: +3 SP500/20260600 were held then, as the broker said")


@pytest.mark.parametrize(("lots", "then", "view"), [
    (2, 2, theirs({JUNE: 2})),  # the broker's number came back: nobody knows why
    (3, 2, theirs({JUNE: 3})),  # we bought one more, by an order of ours
    (3, None, theirs({JUNE: 3})),  # nobody has looked
    (4, 3, theirs({JUNE: 3})),  # it is explained, but the sides do not agree now
    (3, 3, failing(theirs({JUNE: 3}), Part.POSITIONS)),
])
def test_pst_916_a_break_that_is_not_explained_stays_locked(lots: int, then: int | None, view: BrokerView) -> None:
    assert openings(locked(lots, then), view) == []


FILL_TIMES = st.sampled_from([NOW - timedelta(hours=1), NOW + timedelta(minutes=5)])


@given(late=st.lists(st.tuples(st.integers(-3, 3).filter(bool), FILL_TIMES), max_size=5), at_broker=st.integers(-9, 9),
       answered=st.sets(st.sampled_from(sorted(ASKED))))
def test_a_lock_never_opens_because_numbers_agree_again(
        late: list[tuple[int, object]], at_broker: int, answered: set[Part]) -> None:
    # given a break of 2 and 3 lots, and any executions that came to be known since
    known = [a_fill("e0", 2), *(a_fill(f"e{i}", lots, at=at) for i, (lots, at) in enumerate(late, 1))]
    total = sum(fill.quantity for fill in known)
    mine = locked(total, held_then(JUNE, NOW, known, []))

    # when both sides are compared once more
    opened = openings(mine, replace(theirs({JUNE: at_broker}), answered=frozenset(answered)))

    # then it is open only if what was executed before the break makes up the difference whole, whatever agrees now
    of_before = sum(fill.quantity for fill in known[1:] if fill.at < NOW)
    assert not opened or (of_before == 1 and total == at_broker)
    if of_before == 1 and total == at_broker and Part.POSITIONS in answered:
        assert opened


def test_a_trade_after_a_break_does_not_explain_it() -> None:
    fills = [a_fill("e1", 2), a_fill("e2", 1, at=NOW), a_fill("e3", 4, at=NOW + timedelta(seconds=1))]
    assert held_then(JUNE, NOW, fills, []) == 3


def an_adjustment(kind: AdjustmentKind, lots: int, minutes: int) -> Adjustment:
    entry = Entry(strategy="s", instrument="SP500", contract=JUNE, con_id=42, lots=lots)
    return Adjustment(id="A", kind=kind, entries=(entry,), reason="why", who="ann", at=NOW + timedelta(minutes=minutes))


@pytest.mark.parametrize(("kind", "minutes", "lots"), [
    (AdjustmentKind.OPENING, -1, 1), (AdjustmentKind.BALANCE, 1, 2), (AdjustmentKind.EXPIRY, 1, 1)])
def test_what_a_person_books_after_a_break_does_not_explain_it_and_an_expiry_does(
        kind: AdjustmentKind, minutes: int, lots: int) -> None:
    assert held_then(JUNE, NOW, [a_fill("e1", 2)], [an_adjustment(kind, -1, minutes)]) == lots


def test_a_fill_that_was_busted_later_was_not_held_then() -> None:
    assert held_then(JUNE, NOW, [a_fill("e1", 2), a_fill("e2", 0, price=Decimal(9))], []) == 2


def test_an_expiry_opens_the_lock_that_its_evening_has_made() -> None:
    evening = replace(BREAK, facts={"ours": 2, "theirs": 0})
    then = held_then(JUNE, NOW, [a_fill("e1", 2)], [an_adjustment(AdjustmentKind.EXPIRY, -2, 600)])
    assert [each.lock for each in openings(locked(0, then, evening), theirs({}))] == [evening]


FOREIGN = replace(BREAK, cause=LockCause.FOREIGN_FILL, subject="SP500", facts={})


def test_what_others_traded_is_locked_until_nothing_is_left_unassigned() -> None:
    mine = ours(positions({JUNE: 1}, s=2, external=-1), locks=(FOREIGN,))
    assert openings(mine, theirs({JUNE: 1})) == []
    assert [each.lock for each in openings(replace(mine, positions=positions({JUNE: 1}, s=1)), theirs())] == [FOREIGN]


def test_one_month_bought_and_another_sold_by_others_stay_locked_though_they_sum_to_nothing() -> None:
    # given a combination of somebody else, both legs of it filled
    mine = ours(positions({JUNE: -1, SEPTEMBER: 1}), locks=(FOREIGN,), external={"SP500": {JUNE: -1, SEPTEMBER: 1}})
    view = theirs({JUNE: -1, SEPTEMBER: 1})

    # then the lock stays and the break says what is nobody's, until it was given to somebody or closed
    assert openings(mine, view) == []
    [found] = foreign_fills(mine, BreakSettings())
    assert found.sentence == f"somebody else traded in SP500: -1 {JUNE}, +1 {SEPTEMBER} belong to no strategy"
    assert [each.lock for each in openings(replace(mine, external={}), view)] == [FOREIGN]
    assert list(foreign_fills(replace(mine, external={}), BreakSettings())) == []


RESTING = replace(BREAK, cause=LockCause.FOREIGN_ORDER, subject="99", facts={"perm_id": 99})


@pytest.mark.parametrize(("view", "opens"), [
    (theirs(completed_orders=(listed("manual", perm_id=99, status="Cancelled"),)), True), (theirs(), False),
    (theirs(completed_orders=(listed("manual", perm_id=98, status="Cancelled"),)), False),
    (replace(theirs(completed_orders=(listed("manual", perm_id=99, status="Filled"),)), answered=frozenset()), False)])
def test_somebody_elses_order_is_over_when_the_broker_says_so_not_when_it_is_gone(
        view: BrokerView, opens: bool) -> None:
    assert bool(openings(ours(locks=(RESTING,)), view)) is opens


@pytest.mark.parametrize(("con_id", "opens"), [(77, True), (7, False)])
def test_an_unknown_contract_is_locked_until_it_is_known(con_id: int, opens: bool) -> None:
    lock = replace(BREAK, instrument="unknown HO", cause=LockCause.UNKNOWN_CONTRACT, subject="unknown HO/77")
    mine = ours(locks=(lock,), contracts={"HEATOIL/20260400": ContractFacts(con_id=con_id)})
    assert bool(openings(mine, theirs())) is opens


@pytest.mark.parametrize("cause", sorted(frozenset(LockCause) - OPENS_BY_ITSELF))
def test_a_lock_that_needs_a_person_never_opens_by_itself(cause: LockCause) -> None:
    assert openings(locked(3, 3, replace(BREAK, cause=cause)), theirs({JUNE: 3})) == []


def fills_of(lots: list[int]) -> list[Fill]:
    return [a_fill(f"e{number}", each) for number, each in enumerate(lots)]


@given(lots=st.lists(st.integers(-3, 3)))
def test_what_was_held_then_is_the_sum_of_what_was_executed_by_then(lots: list[int]) -> None:
    assert held_then(JUNE, NOW, fills_of(lots), []) == sum(lots)
    assert held_then("GOLD/20260800", NOW, fills_of(lots), []) == 0
