"""A statement beside our fills: what is booked, what is only told, and that reading it again changes nothing."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from two_sides import NOW, REFERENCE, an_order

from trading.execution.fills import EXTERNAL, Commission, Fill, FillStatus, merged
from trading.execution.locks import LockCause
from trading.execution.reconciliation.statement import RowKind, Statement, StatementKind, StatementTrade, UnclearRow
from trading.execution.reconciliation.statement_comparison import WrongAccount, compare, possible_prices
from trading.execution.reconciliation.statement_findings import (
    ByHand,
    DifferenceKind,
    KnownContract,
    OurFills,
    StatementFindings,
)

JUNE = "SP500/20260600"
MONDAY = date(2026, 3, 2)
AT = datetime(2026, 3, 2, 15, tzinfo=UTC)
UTC_ZONE = ZoneInfo("UTC")
_K = DifferenceKind


def a_row(**changes: Any) -> StatementTrade:
    return replace(StatementTrade(row="row 1", account="DU1", execution_id="0001.01.01", con_id=42, quantity=2,
                                  price=Decimal(5000), at=AT, commission=Decimal("4.10"), currency="USD"), **changes)


def a_statement(*rows: StatementTrade, **changes: Any) -> Statement:
    return replace(Statement(kind=StatementKind.ACTIVITY, account="DU1", first=MONDAY, last=MONDAY, zone=UTC_ZONE,
                             trades=rows), **changes)


def a_fill(**changes: Any) -> Fill:
    return replace(Fill(id="DU1/0001.01", execution_id="0001.01.01", revision=1, broker_order=REFERENCE, contract=JUNE,
                        con_id=42, instrument="SP500", strategy="s", quantity=2, price=Decimal(5000), at=AT,
                        trading_day="2026-03-02", commission=Decimal("4.10"), commission_currency="USD"), **changes)


def our_fills(*fills: Fill, **changes: Any) -> OurFills:
    return replace(OurFills(account="DU1", at=NOW, trading_day=lambda at: at.date().isoformat(),
                            fills={fill.id: fill for fill in fills},
                            contracts={42: KnownContract(key=JUNE, multiplier=Decimal(50))}), **changes)


def kinds(found: StatementFindings) -> list[DifferenceKind]:
    return [each.kind for each in found.differences]


def booked(ours: OurFills, found: StatementFindings) -> OurFills:
    """Our side after what was found is booked, as the books do it."""
    fills = dict(ours.fills)
    for heard in found.heard:
        if isinstance(heard, Commission):
            fills[heard.id] = replace(fills[heard.id], commission=heard.amount, commission_currency=heard.currency)
        else:
            fills[heard.id] = merged(fills.get(heard.id), heard).fill
    return replace(ours, fills=fills)


def test_what_agrees_is_no_difference() -> None:
    found = compare(a_statement(a_row()), our_fills(a_fill()))
    assert (found.differences, found.agreed) == ((), 1)


def test_a_missing_fill_is_booked_to_the_order_that_it_names_with_its_cost() -> None:
    order = an_order()
    found = compare(a_statement(a_row(reference=f"{REFERENCE}:1", con_id=order.con_id)),
                    our_fills(orders={REFERENCE: order}, contracts={order.con_id: KnownContract(
                        key=JUNE, multiplier=Decimal(50))}))
    fill, cost = found.heard
    assert isinstance(fill, Fill)
    assert (fill.broker_order, fill.strategy, fill.trading_day) == (REFERENCE, order.strategy, order.trading_day)
    assert cost == Commission(id="DU1/0001.01", amount=Decimal("4.10"), currency="USD")


def test_a_missing_fill_of_nobodys_order_is_external_on_the_day_of_its_instant() -> None:
    [fill, _] = compare(a_statement(a_row()), our_fills()).heard
    assert isinstance(fill, Fill)
    assert (fill.broker_order, fill.strategy, fill.instrument, fill.trading_day) == (None, EXTERNAL, "SP500",
                                                                                    "2026-03-02")


def test_an_order_of_another_contract_is_not_believed() -> None:
    order = replace(an_order(), con_id=99)
    found = compare(a_statement(a_row(reference=REFERENCE)), our_fills(orders={REFERENCE: order}))
    assert (kinds(found), found.heard) == ([_K.UNCLEAR], ())


def test_a_contract_that_we_do_not_know_is_told_and_not_booked() -> None:
    found = compare(a_statement(a_row(con_id=7)), our_fills())
    assert (kinds(found), found.heard) == ([_K.UNKNOWN_CONTRACT], ())


@pytest.mark.parametrize("rows", [
    (a_row(), a_row(kind=RowKind.CANCEL)), (a_row(kind=RowKind.CANCEL),),
    (a_row(), a_row(kind=RowKind.CANCEL, execution_id="0001.01.02"))], ids=["beside it", "alone", "as a revision"])
def test_what_is_cancelled_is_taken_back(rows: tuple[StatementTrade, ...]) -> None:
    found = compare(a_statement(*rows), our_fills(a_fill()))
    assert kinds(found) == [_K.BUSTED]
    assert booked(our_fills(a_fill()), found).fills["DU1/0001.01"].status is FillStatus.BUSTED


def test_what_was_taken_back_before_we_heard_of_it_is_never_booked() -> None:
    assert compare(a_statement(a_row(), a_row(kind=RowKind.CANCEL)), our_fills()).differences == ()


def test_a_cancel_of_what_nobody_knows_is_told() -> None:
    assert kinds(compare(a_statement(a_row(kind=RowKind.CANCEL)), our_fills())) == [_K.UNCLEAR]


@pytest.mark.parametrize("rows", [
    (a_row(price=Decimal(5001), kind=RowKind.CORRECTION),),
    (a_row(), a_row(kind=RowKind.CANCEL), a_row(price=Decimal(5001), kind=RowKind.CORRECTION)),
    (a_row(), a_row(price=Decimal(5001), execution_id="0001.01.02"))], ids=["marked", "all three", "a revision"])
def test_a_correction_replaces_our_terms(rows: tuple[StatementTrade, ...]) -> None:
    ours = our_fills(a_fill())
    found = compare(a_statement(*rows), ours)
    assert kinds(found) == [_K.CORRECTED]
    fill = booked(ours, found).fills["DU1/0001.01"]
    assert (fill.price, fill.revision, len(fill.revisions or ())) == (Decimal(5001), 2, 1)


def test_other_lots_without_a_word_of_a_correction_lock_and_change_nothing() -> None:
    found = compare(a_statement(a_row(quantity=3)), our_fills(a_fill()))
    assert (kinds(found), found.heard) == ([_K.CONFLICT], ())
    assert [(lock.instrument, lock.cause) for lock in found.locks] == [("SP500", LockCause.CONFLICT)]


def test_another_price_without_a_word_of_a_correction_is_told_alone() -> None:
    found = compare(a_statement(a_row(price=Decimal(4999))), our_fills(a_fill()))
    assert (kinds(found), found.heard, found.locks) == ([_K.CONFLICT], (), ())


def test_an_older_statement_takes_no_newer_version_back() -> None:
    ours = our_fills(a_fill(revision=3, execution_id="0001.01.03", quantity=1))
    found = compare(a_statement(a_row()), ours)
    assert (kinds(found), found.heard, found.locks) == ([_K.CONFLICT], (), ())


def test_two_terms_for_one_execution_are_told_and_not_booked() -> None:
    found = compare(a_statement(a_row(), a_row(price=Decimal(1))), our_fills())
    assert (kinds(found), found.heard) == ([_K.UNCLEAR], ())


@pytest.mark.parametrize(("known", "told", "expected"), [
    (None, "4.10", [_K.COMMISSION]), ("4.10", "4.10", []), ("4.10", "4.11", []), ("4.10", "4.50", [_K.COMMISSION]),
    ("4.10", None, []), (None, "-0.25", [_K.COMMISSION]), (None, None, [])])
def test_a_cost_is_filled_in_or_corrected_beyond_a_cent(known: str | None, told: str | None,
                                                        expected: list[DifferenceKind]) -> None:
    fill = a_fill(commission=known and Decimal(known), commission_currency=known and "USD")
    found = compare(a_statement(a_row(commission=told and Decimal(told))), our_fills(fill))
    assert kinds(found) == expected
    assert not found.for_a_person


def test_a_cost_in_another_currency_is_told_and_ours_stays() -> None:
    found = compare(a_statement(a_row(currency="EUR")), our_fills(a_fill()))
    assert (kinds(found), found.heard) == ([_K.CONFLICT], ())


def test_what_the_statement_lacks_is_told_locked_and_kept() -> None:
    found = compare(a_statement(a_row()), our_fills(a_fill(), a_fill(id="DU1/2", execution_id="2.01")))
    assert (kinds(found), found.heard, [lock.subject for lock in found.locks]) == ([_K.LACKING], (),
                                                                                  ["DU1/2 (statement)"])


@pytest.mark.parametrize(("changes", "statement"), [
    ({}, {"kind": StatementKind.CONFIRMATIONS}), ({"at": AT + timedelta(days=1)}, {}),
    ({"at": AT.replace(hour=23)}, {}), ({"quantity": 0}, {}), ({"execution_id": "MANUAL-1"}, {}),
    ({"id": "DU2/2"}, {}), ({}, {"unclear": (UnclearRow(row="row 2", why="x", con_id=42),)}),
    ({}, {"unclear": (UnclearRow(row="row 2", why="x"),)})],
    ids=["confirmations", "another day", "perhaps the next day's", "busted", "by hand", "other account",
         "an unclear row of it", "an unclear row of anything"])
def test_an_absence_that_proves_nothing_is_not_told(changes: dict[str, Any], statement: dict[str, Any]) -> None:
    fill = replace(a_fill(id="DU1/2", execution_id="2.01"), **changes)
    found = compare(a_statement(a_row(), **statement), our_fills(a_fill(), fill))
    assert _K.LACKING not in kinds(found)


def test_a_statement_without_any_trade_takes_nothing_away() -> None:
    found = compare(a_statement(), our_fills(a_fill()))
    assert (kinds(found), found.locks) == ([_K.UNCLEAR], ())
    assert "Does its query select Trades" in found.differences[0].sentence


@pytest.mark.parametrize(("at", "first", "last", "expected"), [
    ("2026-03-06T15:00", "2026-03-06", "2026-03-06", True),  # Friday afternoon
    ("2026-03-06T22:30", "2026-03-06", "2026-03-06", False),  # Friday evening may count to Monday
    ("2026-03-06T22:30", "2026-03-05", "2026-03-09", True),
    ("2026-03-08T23:30", "2026-03-06", "2026-03-09", True),  # Sunday evening
    ("2026-03-08T23:30", "2026-03-09", "2026-03-09", False), ("2026-03-09T03:00", "2026-03-09", "2026-03-09", False),
    ("2026-03-05T12:00", "2026-03-06", "2026-03-09", False)])
def test_only_what_surely_belongs_to_its_days_is_covered(at: str, first: str, last: str, expected: bool) -> None:
    statement = a_statement(first=date.fromisoformat(first), last=date.fromisoformat(last))
    assert statement.covers(datetime.fromisoformat(f"{at}+00:00")) is expected


@pytest.mark.parametrize("changes", [{"account": "U9"}, {"trades": (a_row(account="U9"),)}])
def test_a_statement_of_somebody_else_is_refused_whole(changes: dict[str, Any]) -> None:
    with pytest.raises(WrongAccount, match="The statement is of account U9; our books are those of DU1"):
        compare(a_statement(a_row(), **changes) if "trades" not in changes else a_statement(**changes), our_fills())


def test_a_row_that_may_take_back_another_holds_what_it_may_mean() -> None:
    unclear = UnclearRow(row="row 2", why="it names no execution", con_id=42, takes_back=True)
    found = compare(a_statement(a_row(), unclear=(unclear,)), our_fills())
    assert (kinds(found), found.heard) == ([_K.UNCLEAR, _K.UNCLEAR], ())


BY_HAND = ByHand(contract=JUNE, quantity=2, at=NOW, name="fill x", undo="take it back", order=REFERENCE)


@pytest.mark.parametrize("changes", [{}, {"quantity": 1}, {"order": ""}], ids=["whole", "in parts", "of no order"])
def test_what_a_person_may_have_booked_by_hand_is_not_booked_again(changes: dict[str, Any]) -> None:
    found = compare(a_statement(a_row(reference=REFERENCE)), our_fills(
        by_hand=(replace(BY_HAND, **changes),), orders={REFERENCE: an_order()}))
    assert (kinds(found), found.heard) == ([_K.UNCLEAR], ())
    assert "a person may have booked it by hand as fill x" in found.differences[0].sentence


@pytest.mark.parametrize("changes", [
    {"quantity": -2}, {"contract": "GOLD/20260400"}, {"at": AT - timedelta(hours=1)}, {"order": "another-C1-B1"}],
    ids=["other side", "other contract", "before", "other order"])
def test_what_a_person_has_booked_of_something_else_holds_nothing(changes: dict[str, Any]) -> None:
    found = compare(a_statement(a_row(reference=REFERENCE)), our_fills(
        by_hand=(replace(BY_HAND, **changes),), orders={REFERENCE: an_order()}))
    assert kinds(found) == [_K.MISSING]


@pytest.mark.parametrize(("price", "money", "expected"), [
    ("4.5025", "45025", ["450.2500"]), ("450.25", "45025", ["450.25"]), ("450.25", None, ["450.25", "45025.00"]),
    ("450.25", "7", ["450.25", "45025.00"]), ("-4.5", "-45000", ["-450.0"])])
def test_a_price_in_dollars_of_what_is_quoted_in_cents(price: str, money: str | None, expected: list[str]) -> None:
    corn = KnownContract(key="CORN/20260500", multiplier=Decimal(5000), magnifier=100)
    row = a_row(price=Decimal(price), money=money and Decimal(money))
    assert possible_prices(row, corn) == tuple(map(Decimal, expected))


def test_a_price_whose_units_are_open_is_not_booked_and_agrees_with_either() -> None:
    corn = {42: KnownContract(key="CORN/20260500", multiplier=Decimal(5000), magnifier=100)}
    row = a_row(price=Decimal("4.5025"))
    assert compare(a_statement(row), our_fills(contracts=corn)).heard == ()
    for price in ("4.5025", "450.25"):
        known = our_fills(a_fill(price=Decimal(price)), contracts=corn)
        assert compare(a_statement(row), known).differences == ()


ROWS = st.builds(
    a_row, row=st.sampled_from(["row 1", "row 2", "row 3"]), kind=st.sampled_from(RowKind),
    execution_id=st.builds("{:04d}.01.{:02d}".format, st.integers(1, 3), st.integers(1, 3)),
    con_id=st.sampled_from([42, 42, 42, 7]), quantity=st.sampled_from([1, 2, -2]),
    price=st.sampled_from([Decimal(5000), Decimal("5000.25")]),
    commission=st.sampled_from([None, Decimal("4.10"), Decimal("4.50"), Decimal("-0.25")]))
FILLS = st.lists(st.builds(
    a_fill, quantity=st.sampled_from([0, 1, 2, -2]), revision=st.integers(1, 3),
    commission=st.sampled_from([None, Decimal("4.10")])), max_size=3).map(
        lambda fills: our_fills(*(replace(fill, id=f"DU1/000{n}.01", execution_id=f"000{n}.01.0{fill.revision}",
                                          commission_currency=None if fill.commission is None else "USD")
                                  for n, fill in enumerate(fills, start=1))))


@given(st.lists(ROWS, max_size=8), FILLS)
def test_a_statement_read_twice_is_a_statement_read_once(rows: list[StatementTrade], ours: OurFills) -> None:
    once = booked(ours, compare(a_statement(*rows), ours))
    again = compare(a_statement(*rows), once)
    assert again.heard == ()
    assert booked(once, again) == once


@given(st.lists(ROWS, max_size=6).flatmap(lambda rows: st.tuples(st.just(rows), st.permutations(rows))), FILLS)
def test_the_order_of_the_rows_does_not_matter(both: tuple[list[StatementTrade], list[StatementTrade]],
                                               ours: OurFills) -> None:
    def decided(rows: list[StatementTrade]) -> tuple[Any, ...]:
        found = compare(a_statement(*rows), ours)
        return kinds(found), found.heard, found.locks, found.agreed

    assert decided(both[0]) == decided(both[1])


@given(st.lists(ROWS, max_size=8), FILLS)
def test_no_fill_of_ours_ever_disappears(rows: list[StatementTrade], ours: OurFills) -> None:
    after = booked(ours, compare(a_statement(*rows), ours))
    assert set(ours.fills) <= set(after.fills)
