"""What others traded, what a fill cost, what is in the account, and what a contract is."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from two_sides import JUNE, NOW, REFERENCE, a_fill, an_order, ours, positions, theirs, told

from trading.execution.adjustments import Movement, fold
from trading.execution.broker_messages import BrokerMessage, MessageKind
from trading.execution.fills import EXTERNAL, Fill, FillStatus
from trading.execution.locks import Lock, LockCause
from trading.execution.reconciliation.breaks import BREAKS, Alarm, stage_of
from trading.execution.reconciliation.broker_view import ContractTerms, Part
from trading.execution.reconciliation.find_breaks import find_breaks
from trading.execution.reconciliation.our_view import ContractFacts, OurView
from trading.execution.stack_handler.reports import Today, fill_of

TERMS = ContractTerms(multiplier=Decimal(50), min_tick=Decimal("0.25"), currency="USD", last_trade=date(2026, 6, 19))


def traded(*strangers: Fill) -> OurView:
    """Two lots of ours, and what others traded."""
    lots = sum(fill.quantity for fill in strangers)
    return ours(positions({JUNE: 2 + lots}, s=2, external=lots), fills=strangers)


def agreeing(mine: OurView) -> list[tuple[str, str]]:
    return told(find_breaks(mine, theirs(dict(mine.positions.contracts))))


def test_lean_189_a_fill_for_an_unknown_order_is_not_ignored() -> None:
    assert agreeing(traded(a_fill("e1", -1))) == [("B3", "SP500")]


def test_what_others_traded_long_ago_is_a_break_until_it_is_assigned() -> None:
    assert agreeing(ours(positions({JUNE: 1}, s=2, external=-1))) == [("B3", "SP500")]


def test_what_was_assigned_to_a_strategy_is_no_break_any_more() -> None:
    assert agreeing(replace(traded(a_fill("e1", -1)), positions=positions({JUNE: 1}, s=1))) == []


def test_pst_958_a_balance_trade_offsets_what_others_traded() -> None:
    assert agreeing(traded(a_fill("e1", -1), a_fill("e2", 1))) == []


def test_lean_156_a_forced_liquidation_is_told_apart_from_a_trade_by_hand() -> None:
    assert agreeing(traded(a_fill("e1", -2, is_liquidation=True))) == [("B4", "SP500")]


def test_restored_backup_what_a_lost_order_traded_is_its_own_break() -> None:
    lost = a_fill("e1", 2, reference=f"{REFERENCE}:1")
    assert agreeing(traded(lost)) == [("B2", REFERENCE)]
    assert agreeing(traded(lost, a_fill("e2", 1))) == [("B2", REFERENCE), ("B3", "SP500")]


def test_the_second_life_of_a_known_order_is_somebody_elses_trade() -> None:
    mine = replace(traded(a_fill("e1", 2, reference=REFERENCE)), ended=(an_order(),))
    assert agreeing(mine) == [("B3", "SP500")]


def test_a_conflict_is_a_break_as_long_as_its_lock_is_open() -> None:
    lock = Lock(instrument="SP500", cause=LockCause.CONFLICT, subject="DU1/e1", reason="two contents", opened_at=NOW)
    assert agreeing(ours(locks=(lock,))) == [("B7", "DU1/e1")]


@pytest.mark.parametrize(("fill", "breaks"), [
    (a_fill(commission=None, broker_order="o", at=NOW - timedelta(days=1, seconds=1)), [("B16", "DU1/e1")]),
    (a_fill(commission=None, broker_order="o"), []),
    (a_fill(commission=None, broker_order="o", at=NOW - timedelta(days=2), status=FillStatus.BUSTED), [])])
def test_a_commission_is_missed_a_day_later(fill: Fill, breaks: list[tuple[str, str]]) -> None:
    assert agreeing(ours(fills=(fill,))) == breaks


@pytest.mark.parametrize(("at_broker", "alarm"), [
    ("10050", None), ("10051", Alarm.WARNING), ("12500", Alarm.WARNING), ("12501", Alarm.CRITICAL)])
def test_cash_may_differ_by_a_hundredth_of_a_percent_of_the_account(at_broker: str, alarm: Alarm | None) -> None:
    view = replace(theirs(), answered=frozenset({Part.CASH}), cash={"USD": Decimal(at_broker)},
                   net_liquidation=Decimal(500_000))
    found = find_breaks(ours(cash={"USD": Decimal(10_000)}), view)
    assert [stage_of(each).alarm for each in found] == ([] if alarm is None else [alarm])
    assert find_breaks(ours(cash={"USD": Decimal(10_000)}), replace(view, answered=frozenset())) == []


@pytest.mark.parametrize("changes", [
    {"multiplier": Decimal(5)}, {"min_tick": Decimal("0.5")}, {"currency": "EUR"}, {"last_trade": date(2026, 6, 18)}])
def test_a_contract_that_is_not_what_is_configured_is_said(changes: dict[str, object]) -> None:
    mine = ours(contracts={JUNE: ContractFacts(con_id=42, terms=TERMS)})
    view = replace(theirs(), answered=frozenset({Part.CONTRACTS}), contracts={JUNE: TERMS})
    assert find_breaks(mine, view) == []
    changed = replace(view, contracts={JUNE: replace(TERMS, **changes)})  # type: ignore[arg-type]
    assert told(find_breaks(mine, changed)) == [("B17", JUNE)]
    assert find_breaks(mine, replace(changed, answered=frozenset())) == []


def test_a_last_trade_day_that_one_side_does_not_know_has_not_changed() -> None:
    mine = ours(contracts={JUNE: ContractFacts(con_id=42, terms=replace(TERMS, last_trade=None))})
    view = replace(theirs(), answered=frozenset({Part.CONTRACTS}), contracts={JUNE: TERMS})
    assert find_breaks(mine, view) == []


def test_every_break_says_how_grave_it_is_from_its_first_moment() -> None:
    assert all(rule.stages[0].times == 1 and not rule.stages[0].after for rule in BREAKS.values())
    assert [each.value for each in BREAKS] == [f"B{number}" for number in range(1, 21)]


HOLDERS = st.sampled_from(["s", "t", EXTERNAL])
MOVES = st.lists(st.tuples(HOLDERS, st.sampled_from([JUNE, "SP500/20260900", "GOLD/20260800"]), st.integers(-5, 5)))


@given(moves=MOVES)
def test_v9_strategies_with_external_sum_to_contracts_in_each_instrument(moves: list[tuple[str, str, int]]) -> None:
    held = fold([Movement(contract=key, strategy=who, instrument=key.rpartition("/")[0], lots=lots)
                 for who, key, lots in moves])
    assert held.uneven() == {}
    assert not [each for each in find_breaks(ours(held), theirs(dict(held.contracts))) if each.id.value == "B14"]


@given(moves=MOVES, lots=st.integers(-5, 5).filter(bool), is_forced=st.booleans(), gateway_zone=st.timezones())
def test_v37_a_foreign_fill_moves_its_contract_and_external_only(
        moves: list[tuple[str, str, int]], lots: int, is_forced: bool, gateway_zone: object) -> None:
    # given any books, and an execution that no order of ours asked for
    before = [Movement(contract=key, strategy=who, instrument=key.rpartition("/")[0], lots=n) for who, key, n in moves]
    facts = {"execution_id": "e1.01", "account": "DU1", "con_id": 42, "quantity": lots, "price": "100", "at": NOW,
             "liquidation": is_forced}
    message = BrokerMessage(sequence=1, at=NOW, epoch="e", kind=MessageKind.EXECUTION, facts=facts)
    fill = fill_of(message, None, JUNE, Today(trading_day="2026-03-02", gateway_zone=gateway_zone))  # type: ignore[arg-type]

    # when it is booked
    moved = Movement(contract=fill.contract, strategy=fill.strategy, instrument=fill.instrument or "",
                     lots=fill.quantity)
    old, new = fold(before), fold([*before, moved])

    # then that contract and _EXTERNAL have moved by its lots, and nothing else
    changed = {key for key in {*old.contracts, *new.contracts}
               if old.contracts.get(key, 0) != new.contracts.get(key, 0)}
    owners = {key for key in {*old.strategies, *new.strategies}
              if old.strategies.get(key, 0) != new.strategies.get(key, 0)}
    assert (changed, owners) == ({JUNE}, {(EXTERNAL, "SP500")})
    assert new.contracts.get(JUNE, 0) - old.contracts.get(JUNE, 0) == lots
