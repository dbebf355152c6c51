"""Flex reports read into facts: both kinds, strange rows named, strange files refused; every number is invented."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from statement_files import a_row, activity, confirmations

from trading.broker.ib.statement import UnreadableStatement, statement_of
from trading.execution.reconciliation.statement import RowKind, Statement, StatementKind

NEW_YORK = ZoneInfo("America/New_York")


def read(text: str, zone: ZoneInfo = NEW_YORK) -> Statement:
    return statement_of(text.encode(), zone)


def why(**changes: Any) -> str:
    """Why a row with these changes is not booked."""
    found = read(activity(a_row(**changes)))
    assert found.trades == ()
    [unclear] = found.unclear
    return unclear.why


@pytest.mark.parametrize(("report", "kind"), [(activity, StatementKind.ACTIVITY),
                                              (confirmations, StatementKind.CONFIRMATIONS)])
def test_both_reports_say_the_same_of_a_trade(report: Any, kind: StatementKind) -> None:
    found = read(report(a_row(orderReference="X-C1-B1")))
    [trade] = found.trades
    assert (found.kind, found.account, found.first, found.last) == (kind, "DU1", date(2026, 3, 2), date(2026, 3, 2))
    assert (trade.execution_id, trade.con_id, trade.quantity, trade.price) == ("0001f4e8.65.01.01", 40, 2,
                                                                              Decimal("5000.25"))
    assert (trade.commission, trade.currency, trade.reference) == (Decimal("4.1"), "USD", "X-C1-B1")
    assert trade.at == datetime(2026, 3, 2, 20, 4, 5, tzinfo=UTC)  # of New York


@pytest.mark.parametrize("text", [
    "2026-03-02;15:04:05", "20260302;150405", "20260302,150405", "2026-03-02, 15:04:05", "2026-03-02 15:04:05",
    "2026-03-02T15:04:05"])
def test_every_form_of_a_time_that_means_one_thing_is_read(text: str) -> None:
    assert read(activity(a_row(dateTime=text))).trades[0].at == datetime(2026, 3, 2, 20, 4, 5, tzinfo=UTC)


def test_a_time_in_two_fields_is_read() -> None:
    row = a_row(dateTime=None, tradeTime="15:04:05")
    assert read(activity(row)).trades[0].at == datetime(2026, 3, 2, 20, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize("text", [
    "03/02/2026;15:04:05", "02-Mar-26;150405", "2026-03-02", "20260302150405", "2026-13-02;15:04:05",
    "2026-03-02;25:04:05", "0001-01-01;00:00:00", "9999-12-31;23:59:59", "MULTI", "yesterday"])
def test_a_time_that_may_mean_two_things_or_none_is_not_guessed(text: str) -> None:
    assert "which cannot be read. In the query, set the date format" in why(dateTime=text)


@pytest.mark.parametrize(("changes", "quantity"), [
    ({"buySell": "SELL", "quantity": "-2"}, -2), ({"buySell": "SELL", "quantity": "2"}, -2),
    ({"quantity": "1,000"}, 1000), ({"quantity": "2.0"}, 2)])
def test_lots_have_the_sign_of_their_side(changes: dict[str, str], quantity: int) -> None:
    assert read(activity(a_row(**changes))).trades[0].quantity == quantity


@pytest.mark.parametrize(("changes", "words"), [
    ({"quantity": "0.5"}, "its quantity is 0.5; it must be whole lots, from 1"), ({"quantity": "0"}, "whole lots"),
    ({"quantity": "NaN"}, "its quantity is 'NaN', which is no number"), ({"quantity": "1e99"}, "no number"),
    ({"quantity": "-2"}, "it is a BUY of -2 lots"), ({"quantity": None}, "its quantity is '', which is no number"),
    ({"tradePrice": "Infinity"}, "its tradePrice is 'Infinity'"), ({"tradePrice": ""}, "its tradePrice is ''"),
    ({"buySell": None}, "its side is ''; it must be BUY or SELL"), ({"buySell": "SHORT"}, "its side is 'SHORT'"),
    ({"ibExecID": None}, "it names no execution. Add the exec id to the query"), ({"ibExecID": "--"}, "no execution"),
    ({"ibExecID": "a b"}, "its execution id 'a b' is none"), ({"conid": "ES"}, "its contract number is 'ES'"),
    ({"assetCategory": None}, "its kind of asset is not named. Add the asset class"),
    ({"conid": "0"}, "its contract number is '0'"), ({"ibCommission": "x"}, "its ibCommission is 'x'"),
    ({"transactionType": "DvpTrade"}, "its transaction type is 'DvpTrade'")])
def test_a_strange_row_is_named_and_never_guessed(changes: dict[str, Any], words: str) -> None:
    assert words in why(**changes)


@pytest.mark.parametrize(("changes", "kind"), [
    ({}, RowKind.TRADE), ({"transactionType": None}, RowKind.TRADE), ({"notes": "O;P"}, RowKind.TRADE),
    ({"notes": "Ca"}, RowKind.CANCEL), ({"notes": "P;Ca;Co"}, RowKind.CANCEL), ({"notes": "Co"}, RowKind.CORRECTION),
    ({"transactionType": "TradeCancel"}, RowKind.CANCEL), ({"buySell": "BUY (Ca.)", "quantity": "-2"}, RowKind.CANCEL),
    ({"transactionType": "TradeCorrect"}, RowKind.CORRECTION), ({"notes": "NewCode;C"}, RowKind.TRADE)])
def test_what_a_row_does_to_its_execution(changes: dict[str, Any], kind: RowKind) -> None:
    [trade] = read(activity(a_row(**changes))).trades
    assert (trade.kind, trade.quantity) == (kind, 2)


def test_a_cancel_with_an_id_of_its_own_means_the_trade_that_it_names() -> None:
    cancel = a_row(transactionType="TradeCancel", ibExecID="0001f4e8.99.01.01", tradeID="712", origTradeID="711")
    found = read(activity(a_row(), cancel))
    assert [trade.base for trade in found.trades] == ["0001f4e8.65.01", "0001f4e8.65.01"]


def test_an_unclear_row_that_may_take_back_says_so() -> None:
    [unclear] = read(activity(a_row(transactionType="TradeCancel", ibExecID=None))).unclear
    assert (unclear.takes_back, unclear.con_id, unclear.has_execution) == (True, 40, False)
    [unknown] = read(activity(a_row(transactionType="Strange"))).unclear
    assert unknown.takes_back


def test_what_is_no_trade_of_a_future_is_counted_and_left_out() -> None:
    found = read(activity(
        a_row(), a_row(assetCategory="CASH", quantity="0.5"), a_row(assetCategory="BAG"),
        a_row(transactionType="BookTrade", notes="Ep", ibExecID=None), a_row(levelOfDetail="ORDER")))
    assert len(found.trades) == 1
    assert found.left_out == (("BAG", 1), ("CASH", 1), ("expiry", 1))


def test_a_liquidation_is_known_by_its_code() -> None:
    assert [read(activity(a_row(notes=code))).trades[0].is_liquidation for code in ("L", "O;LF", "O")] == [
        True, True, False]


@pytest.mark.parametrize(("text", "words"), [
    (activity().replace('type="AF"', 'type="XYZ"'), "The report is of type 'XYZ'; understood are AF"),
    ('<FlexQueryResponse type="AF"><FlexStatements count="0"/></FlexQueryResponse>', "holds no statement"),
    (activity(a_row()).replace("Trades>", "Traded>"), "has no section Trades. Nothing was booked. Add it"),
    (activity(a_row(levelOfDetail="ORDER")), "lists no executions, only sums or orders"),
    (activity(first="03/02/2026"), "fromDate is '03/02/2026', which cannot be read as a date"),
    (activity(a_row())[:-40], "The file is no statement, or only a part of one"),
    ("<FlexStatementResponse><ErrorMessage>Token has expired.</ErrorMessage></FlexStatementResponse>",
     "an answer of the broker without a statement: Token has expired."),
    (activity().replace("</FlexStatements>", '<FlexStatement accountId="U9"/></FlexStatements>'),
     "about several accounts")])
def test_a_strange_file_is_refused_with_a_sentence(text: str, words: str) -> None:
    with pytest.raises(UnreadableStatement, match="Nothing was booked") as refused:
        read(text)
    assert words in str(refused.value)


def test_a_file_that_would_grow_without_end_is_refused_before_it_is_read() -> None:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    with pytest.raises(UnreadableStatement, match="defines a document type"):
        read(f'<!DOCTYPE x [<!ENTITY l0 "ha">{laughs}]><FlexQueryResponse>&l11;</FlexQueryResponse>')


def test_days_in_parts_are_one_statement() -> None:
    monday, tuesday = activity(a_row()), activity(a_row(ibExecID="2.01"), first="2026-03-03", last="2026-03-03")
    part = tuesday.partition("<FlexStatements count=\"1\">")[2].partition("</FlexStatements>")[0]
    found = read(monday.replace("</FlexStatements>", f"{part}</FlexStatements>"))
    assert (len(found.trades), found.first, found.last) == (2, date(2026, 3, 2), date(2026, 3, 3))


@given(st.binary(max_size=300))
def test_any_bytes_are_a_statement_or_a_sentence(document: bytes) -> None:
    with pytest.raises(UnreadableStatement):
        statement_of(document, NEW_YORK)


WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)


@given(st.dictionaries(st.sampled_from(sorted(set(a_row()) - {"levelOfDetail"})), WORDS))
def test_a_row_of_any_words_is_read_or_named(changes: dict[str, str]) -> None:
    found = read(activity(a_row(**changes)))
    assert len(found.trades) + len(found.unclear) + sum(count for _, count in found.left_out) <= 1
