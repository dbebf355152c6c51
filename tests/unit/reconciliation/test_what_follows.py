"""What is done about a break: locks, cancels, adjustments, levels, words; never a trade."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from two_sides import (
    JUNE,
    NOW,
    REFERENCE,
    a_fill,
    an_order,
    failing,
    listed,
    ours,
    positions,
    second_look,
    theirs,
)

from trading.execution.adjustments import Movement, Positions, fold
from trading.execution.broker_orders import BrokerLifecycle
from trading.execution.locks import Lock, LockCause
from trading.execution.reconciliation.actions import Actions, Adoption, decide, doubted
from trading.execution.reconciliation.breaks import BREAKS, Alarm, Break, BreakId
from trading.execution.reconciliation.broker_view import BrokerView, Part
from trading.execution.reconciliation.find_breaks import find_breaks
from trading.execution.reconciliation.our_view import ContractFacts, Leading, OurView
from trading.risk.kill_level import Cause, KillLevel


def decided(mine: OurView, view: BrokerView) -> Actions:
    return decide(find_breaks(mine, view), mine, view)


def locks(actions: Actions) -> list[tuple[LockCause, str, str]]:
    return [(lock.cause, lock.instrument, lock.subject) for lock in actions.locks]


def test_two_sides_that_agree_call_for_nothing() -> None:
    assert decided(ours(positions({JUNE: 2})), theirs({JUNE: 2})) == Actions()


def test_a_position_break_locks_with_the_numbers_of_the_moment_and_calls_a_person() -> None:
    mine, view = second_look(ours(positions({JUNE: 2})), theirs({JUNE: 3}))
    actions = decided(mine, view)
    assert actions.locks == (Lock(
        instrument="SP500", cause=LockCause.POSITION_BREAK, subject=JUNE, opened_at=mine.at,
        reason="position break: SP500/20260600: our books hold +2, the broker +3", facts={"ours": 2, "theirs": 3}),)
    assert [(told.alarm, told.key) for told in actions.told] == [(Alarm.CRITICAL, f"B5:{JUNE}")]
    assert actions.told[0].sentence == (
        "B5: position break: SP500/20260600: our books hold +2, the broker +3. Read the broker's statement "
        "(tradectl reconcile statement FILE), which books what it proves; book the rest with its evidence (tradectl "
        "positions), then open the lock (tradectl locks).")
    assert actions == replace(Actions(), locks=actions.locks, told=actions.told)


def test_a_lock_that_is_open_already_is_not_opened_again() -> None:
    mine, view = second_look(ours(positions({JUNE: 2})), theirs({JUNE: 3}))
    again = replace(mine, locks=decided(mine, view).locks)
    assert decided(again, view).locks == ()


def test_an_order_that_ended_here_only_is_cancelled_and_counted_as_alive_and_locked_until_it_is_dead() -> None:
    actions = decided(ours(ended=(an_order(BrokerLifecycle.CANCELLED),)), theirs(open_orders=(listed(),)))
    assert (actions.cancels, actions.unknown) == ((REFERENCE,), (REFERENCE,))
    assert locks(actions) == [(LockCause.UNKNOWN_ORDER, "SP500", REFERENCE)]


def test_an_ended_order_that_is_doubted_may_fill_again_and_does_not_end_by_old_words() -> None:
    ended = an_order(BrokerLifecycle.CANCELLED, told_status="Cancelled", told_filled=0)
    found = doubted(ended, "it works at the broker")
    assert (found.committed, found.lifecycle, found.settled()) == (5, BrokerLifecycle.UNKNOWN, found)


def test_an_absent_order_becomes_unknown_once() -> None:
    for lifecycle, unknown in ((BrokerLifecycle.WORKING, (REFERENCE,)), (BrokerLifecycle.UNKNOWN, ())):
        order = an_order(lifecycle)
        actions = decided(*second_look(ours(live=(order,)), theirs()))
        assert (actions.unknown, actions.cancels) == (unknown, ())
        assert locks(actions) == [(LockCause.UNKNOWN_ORDER, "SP500", REFERENCE)]
        assert doubted(order, "absent").lifecycle is BrokerLifecycle.UNKNOWN


def test_terms_that_somebody_edited_are_adopted() -> None:
    actions = decided(ours(live=(an_order(),)), theirs(open_orders=(listed(lots=3, limit=Decimal("99.5")),)))
    adopted, = actions.adopt
    assert adopted == Adoption(order=REFERENCE, lots=3, limit=Decimal("99.5"))
    assert an_order().with_terms_told(adopted.limit, adopted.lots).committed == 3


def test_somebody_elses_order_locks_and_is_not_cancelled() -> None:
    actions = decided(ours(), theirs(open_orders=(listed("manual", perm_id=99),)))
    assert (locks(actions), actions.cancels) == ([(LockCause.FOREIGN_ORDER, "SP500", "99")], ())


def test_lean_156_a_forced_liquidation_locks_and_raises_to_no_new_risk_by_a_control() -> None:
    mine = ours(positions({JUNE: 1}, s=2, external=-1), fills=(a_fill("e1", -1, is_liquidation=True),))
    actions = decided(mine, theirs({JUNE: 1}))
    assert locks(actions) == [(LockCause.FOREIGN_FILL, "SP500", "SP500")]
    assert actions.kill is not None
    assert (actions.kill.level, actions.kill.cause) == (KillLevel.K2_NO_NEW_RISK, Cause.CONTROL)


def test_restored_backup_what_the_store_lost_locks_and_is_made_anew() -> None:
    mine = ours(positions({JUNE: 2}, external=2), fills=(a_fill("e1", 2, reference=REFERENCE),))
    actions = decided(mine, theirs({JUNE: 2}, open_orders=(listed(),)))
    assert locks(actions) == [(LockCause.LOST_ORDER, "SP500", REFERENCE)]
    assert (actions.adjustments, actions.cancels, actions.unknown) == ((), (), ())
    rebuilt, = actions.rebuild
    assert (rebuilt.reference, rebuilt.quantity, rebuilt.fills) == (REFERENCE, 5, ("DU1/e1",))
    assert f"rebuilt {REFERENCE}: +5 {JUNE}" in actions.sentences


def test_what_another_tradingd_has_made_is_not_made_anew() -> None:
    made_later = Leading(token=7, token_in_store=7, since=NOW - timedelta(days=1))
    actions = decided(ours(leading=made_later), theirs(open_orders=(listed(),)))
    assert (actions.rebuild, actions.kill is not None) == ((), True)


@pytest.mark.parametrize(("seconds", "kill"), [(599, None), (600, KillLevel.K2_NO_NEW_RISK)])
def test_ten_minutes_without_an_answer_raise_to_no_new_risk_until_data_is_sound(
        seconds: float, kill: KillLevel | None) -> None:
    actions = decided(*second_look(ours(), failing(theirs(), Part.POSITIONS), seconds))
    assert (None if actions.kill is None else actions.kill.level) == kill
    assert actions.kill is None or actions.kill.cause is Cause.DATA


def test_a_fault_of_our_books_halts_whatever_else_is_wrong() -> None:
    mine, view = second_look(ours(positions({JUNE: 2}, s=1)), theirs({JUNE: 2, "unknown HO/77": 1}))
    actions = decided(mine, view)
    assert actions.kill is not None
    assert (actions.kill.level, actions.kill.cause) == (KillLevel.K3_HALT, Cause.CONTROL)
    assert {lock.cause for lock in actions.locks} == {LockCause.UNKNOWN_CONTRACT, LockCause.BOOKS_DIFFER}


def test_of_two_reasons_for_one_level_that_which_needs_a_person_stands() -> None:
    breaks = [Break(id=kind, instrument="", subject="x", sentence=kind) for kind in (
        BreakId.UNMAPPED, BreakId.LIQUIDATION, BreakId.UNMAPPED)]
    kill = decide(breaks, ours(), theirs()).kill
    assert kill is not None
    assert kill.cause is Cause.CONTROL


def test_a_month_that_had_to_be_left_is_asked_to_be_left() -> None:
    facts = {JUNE: ContractFacts(con_id=42, must_be_out_by=date(2026, 3, 1))}
    actions = decided(ours(positions({JUNE: 2}), contracts=facts), theirs({JUNE: 2}))
    assert (actions.close_out, actions.locks) == ((JUNE,), ())


def expired(held: Positions, price: Decimal | None = None) -> Actions:
    facts = {JUNE: ContractFacts(con_id=42, last_trade=date(2026, 3, 1), settlement_price=price)}
    return decided(*second_look(ours(held, contracts=facts), theirs({"SP500/20260900": held.contracts.get(
        "SP500/20260900", 0)})))


@pytest.mark.parametrize(("price", "words"), [
    (Decimal("5012.25"), "at the settlement price"), (None, "its settlement price is pending")])
def test_an_expiry_is_booked_with_its_price_or_pending(price: Decimal | None, words: str) -> None:
    booked, = expired(positions({JUNE: 2}), price).adjustments
    assert (booked.id, booked.price, booked.who) == ("EXPIRY/SP500/20260600/2026-03-02", price, "tradingd")
    assert booked.reason == f"expired after 2026-03-01, and the broker no longer shows it; {words}"


@given(lots=st.integers(-9, 9).filter(bool), shares=st.lists(st.integers(1, 9), min_size=1, max_size=4))
def test_an_expiry_leaves_nothing_of_its_contract_and_every_lot_was_somebodys(lots: int, shares: list[int]) -> None:
    # given a contract that several strategies hold together with a later one
    sign = 1 if lots > 0 else -1
    wanted = {f"s{number}": sign * share for number, share in enumerate(shares)}
    later = sum(wanted.values()) - lots
    movements = [Movement(contract=None, strategy=who, instrument="SP500", lots=share) for who, share in wanted.items()]
    contracts = {key: n for key, n in ((JUNE, lots), ("SP500/20260900", later)) if n}
    held = Positions(contracts=contracts, strategies=fold(movements).strategies)

    # when it expires
    booked, = expired(held).adjustments

    # then both sums fall by its lots, and no strategy is on the other side of where it was
    assert sum(entry.lots for entry in booked.entries) == -lots
    assert all(entry.contract == JUNE and entry.lots * sign < 0 for entry in booked.entries)


def test_an_expiry_of_the_only_holders_spread_is_his_whatever_side_he_is_on() -> None:
    booked, = expired(positions({JUNE: 2, "SP500/20260900": -5})).adjustments
    assert [(entry.strategy, entry.contract, entry.lots) for entry in booked.entries] == [("s", JUNE, -2)]


def test_an_expiry_of_which_nobody_knows_whose_it_was_is_left_to_a_person() -> None:
    held = positions({JUNE: 2, "SP500/20260900": -5}, s=-2, t=-1)
    actions = expired(held)
    assert actions.adjustments == ()
    assert actions.told[-1].sentence == (
        "SP500/20260600 has expired with +2 lots, and no strategy is on that side in SP500. Book it to the strategy "
        "that it belongs to. See: tradectl positions")


def test_every_break_with_a_lock_can_say_what_it_is_about() -> None:
    for kind, rule in BREAKS.items():
        found = Break(id=kind, instrument="SP500", subject=JUNE, sentence="it differs",
                      facts={"lots": 1, "limit": None, "committed": 1})
        mine = ours(positions({JUNE: 1}), contracts={JUNE: ContractFacts(con_id=42)})
        actions = decide([found], mine, theirs())
        assert [lock.cause for lock in actions.locks] == ([] if rule.lock is None else [rule.lock]), kind
        assert actions.told[0].sentence.startswith(f"{kind.value}: it differs. ")
        assert "`" not in actions.told[0].sentence


def test_what_was_decided_can_be_read_line_by_line() -> None:
    mine = ours(ended=(an_order(BrokerLifecycle.CANCELLED),))
    assert decided(mine, theirs(open_orders=(listed(),))).sentences == (
        f"locked SP500|UNKNOWN_ORDER|{REFERENCE}: broker order {REFERENCE} is CANCELLED here, and Submitted at the "
        f"broker", f"{REFERENCE} is unknown", f"{REFERENCE} is cancelled")


def test_nautilus_3476_a_position_and_the_fills_that_made_it_are_not_both_booked() -> None:
    # given fills of an order that are in our books, and the position that they make at the broker
    fills = (a_fill("e1", 2, broker_order=REFERENCE), a_fill("e2", 1, broker_order=REFERENCE))
    mine = ours(positions({JUNE: 3}), fills=fills, live=(an_order(filled=3),))
    view = theirs({JUNE: 3}, open_orders=(listed(),))

    # then however often both sides are compared, nothing is booked
    for _ in range(3):
        mine, view = second_look(mine, view, 60)
        assert decided(mine, view) == Actions()


def test_an_alarm_is_for_people_only_from_a_warning_on() -> None:
    late = ours(fills=(a_fill(commission=None, at=NOW - timedelta(days=3), broker_order="o"),))
    assert [told.alarm for told in decided(late, theirs()).told] == [Alarm.INFO]
