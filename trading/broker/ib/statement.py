"""Flex statements of Interactive Brokers, read into our own terms: XML in, facts out. Pure.

Two reports are understood: the activity statement (AF, its section Trades) and trade confirmations (TCF). What we do
not need may say anything, for the broker adds to it all the time; what we need is read strictly, and a row that leaves
a doubt is named instead of guessed. A file that may expand entities is refused before it is parsed.

Times carry no zone: they are those of the account's setting, so whoever reads must say which zone that is.
"""

import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Final
from xml.parsers import expat
from zoneinfo import ZoneInfo

from trading.errors import DataError
from trading.execution.reconciliation.statement import RowKind, Statement, StatementKind, StatementTrade, UnclearRow

_KINDS: Final = {"AF": StatementKind.ACTIVITY, "TCF": StatementKind.CONFIRMATIONS}
_SECTIONS: Final = {StatementKind.ACTIVITY: ("Trades", "Trade"),
                    StatementKind.CONFIRMATIONS: ("TradeConfirms", "TradeConfirm")}
_DAY: Final = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)")  # what begins with a day or a month means two things
_INSTANT: Final = re.compile(r"(\d{4}-?\d\d-?\d\d)(?:; ?|, ?| |T)(\d\d):?(\d\d):?(\d\d)")
_SIDES: Final = {"BUY": 1, "SELL": -1, "BUY (Ca.)": 1, "SELL (Ca.)": -1}
_TYPES: Final = {"": RowKind.TRADE, "ExchTrade": RowKind.TRADE, "TradeCancel": RowKind.CANCEL,
                 "TradeCorrect": RowKind.CORRECTION}
_FUTURE: Final = "FUT"
_YEARS: Final = range(1990, 2200)  # no broker and no calendar knows others
_MOST: Final = Decimal(10) ** 12
_MOST_LOTS: Final = 1_000_000
_FORMATS: Final = "In the query, set the date format to yyyyMMdd or yyyy-MM-dd, the time format to HHmmss or HH:mm:ss."
_NOTHING: Final = "Nothing was booked."


class UnreadableStatement(DataError):
    """A file that is no statement, or one that does not say what we need."""


class _Unclear(DataError):
    """A row that cannot be booked; the message is why."""


def statement_of(document: bytes, zone: ZoneInfo) -> Statement:
    """The statement in `document`, whose times are in `zone`.

    Raises:
        UnreadableStatement: it is none, or its query lacks what we need; the sentence says what to do.
    """
    root = _root(document)
    kind = _KINDS.get(root.get("type", ""))
    if kind is None:
        raise UnreadableStatement(f"The report is of type {root.get('type')!r}; understood are AF (activity statement) "
                                  f"and TCF (trade confirmations). {_NOTHING}")
    parts = root.findall("./FlexStatements/FlexStatement")
    if not parts:
        raise UnreadableStatement(f"The report holds no statement of any account. {_NOTHING} Does its query name one?")
    accounts = {part.get("accountId", "") for part in parts}
    if len(accounts) > 1:
        raise UnreadableStatement(f"The report is about several accounts ({', '.join(sorted(accounts))}). {_NOTHING} "
                                  f"Make a query of one account.")
    rows = [row for part in parts for row in _rows(part, kind)]
    days = [_date(part.get(name, ""), name) for part in parts for name in ("fromDate", "toDate")]
    return _read(rows, Statement(kind=kind, account=accounts.pop(), first=min(days), last=max(days), zone=zone))


def plain_xml(document: bytes) -> ET.Element:
    """The root of `document`, which defines no entities.

    Raises:
        UnreadableStatement: it does, or it is no XML.
    """
    try:
        _check_plain(document)
        return ET.fromstring(document)  # noqa: S314 (it defines no entities: that was checked)
    except (expat.ExpatError, ET.ParseError, ValueError, LookupError) as error:
        raise UnreadableStatement(f"The file is no statement, or only a part of one: {error}. {_NOTHING} Fetch it "
                                  f"again, as XML.") from error


def _root(document: bytes) -> ET.Element:
    root = plain_xml(document)
    if root.tag == "FlexStatementResponse":
        said = root.findtext("ErrorMessage") or "no statement yet"
        raise UnreadableStatement(f"The file is an answer of the broker without a statement: {said} {_NOTHING}")
    if root.tag != "FlexQueryResponse":
        raise UnreadableStatement(f"The file is no Flex report: it begins with <{root.tag}>, not <FlexQueryResponse>. "
                                  f"{_NOTHING} Fetch the query as XML.")
    return root


def _check_plain(document: bytes) -> None:
    """Raise UnreadableStatement if `document` defines types or entities: a few bytes of those can fill all memory."""
    def refuse(*_: object) -> None:
        raise UnreadableStatement(f"The file defines a document type, which no statement does: it is not read. "
                                  f"{_NOTHING}")

    reader = expat.ParserCreate()
    reader.StartDoctypeDeclHandler = refuse
    reader.Parse(document, True)


def _rows(part: ET.Element, kind: StatementKind) -> list[ET.Element]:
    """The executions in one statement; sums and orders beside them are left out."""
    section, tag = _SECTIONS[kind]
    found = part.find(section)
    if found is None:
        raise UnreadableStatement(f"The {kind} has no section {section}. {_NOTHING} Add it to the query.")
    rows = [row for row in found if row.tag == tag and row.get("levelOfDetail", "") in ("", "EXECUTION")]
    if not rows and len(found):
        raise UnreadableStatement(f"The section {section} lists no executions, only sums or orders. {_NOTHING} Choose "
                                  f"Executions in the query.")
    return rows


def _date(text: str, name: str) -> date:
    form = _DAY.fullmatch(text)
    try:
        found = date(*map(int, form.groups())) if form else None
    except ValueError:
        found = None
    if found is not None and found.year in _YEARS:
        return found
    raise UnreadableStatement(f"{name} is {text!r}, which cannot be read as a date. {_NOTHING} {_FORMATS}")


def _read(rows: Iterable[ET.Element], empty: Statement) -> Statement:
    trades, unclear, others = list[StatementTrade](), list[UnclearRow](), Counter[str]()
    fields = [_Row(row.attrib, number, empty) for number, row in enumerate(rows, start=1)]
    for row in fields:
        if row.asset not in (_FUTURE, ""):
            others[row.asset] += 1
        elif row.is_expiry:
            others["expiry"] += 1
        else:
            try:
                trades.append(row.trade())
            except _Unclear as doubt:
                unclear.append(row.unclear(str(doubt)))
    return replace(empty, trades=tuple(_named(trades, fields)), unclear=tuple(unclear),
                   left_out=tuple(sorted(others.items())))


def _named(trades: Iterable[StatementTrade], rows: Iterable["_Row"]) -> Iterator[StatementTrade]:
    """A row that takes back may have an execution id of its own, and name the trade that it means."""
    rows = list(rows)
    meant = {row.name: row.original for row in rows if row.original}
    executions = {row.trade_id: row.execution_id for row in rows if row.trade_id and row.execution_id}
    for trade in trades:
        execution = executions.get(meant.get(trade.row, "")) if trade.kind is RowKind.CANCEL else None
        yield replace(trade, execution_id=execution) if execution else trade


@dataclass(frozen=True)
class _Row:
    """The attributes of one row; the two reports call some of them differently."""

    attributes: Mapping[str, str]
    number: int
    statement: Statement

    def said(self, *names: str) -> str:
        """The first of `names` that says something."""
        texts = (self.attributes.get(name, "").strip() for name in names)
        return next((text for text in texts if text not in ("", "-", "--", "N/A")), "")

    @property
    def name(self) -> str:
        named = self.said("tradeID", "transactionID")
        return f"row {self.number}" + (f" (trade {named})" if named else "")

    @property
    def asset(self) -> str:
        return self.said("assetCategory")

    @property
    def trade_id(self) -> str:
        return self.said("tradeID")

    @property
    def original(self) -> str:
        """The trade that this row is about, if it is about an earlier one."""
        text = self.said("origTradeID")
        return "" if text == "0" else text

    @property
    def execution_id(self) -> str:
        return self.said("ibExecID", "execID")

    @property
    def codes(self) -> frozenset[str]:
        return frozenset(re.split(r"[;,\s]+", self.said("notes", "code")))

    @property
    def is_expiry(self) -> bool:
        """Settled by the exchange: no trade, and booked as an adjustment when the position is gone."""
        return self.said("transactionType") == "BookTrade" and "Ep" in self.codes

    @property
    def kind(self) -> RowKind:
        told = self.said("transactionType")
        if told not in _TYPES:
            raise _Unclear(f"its transaction type is {told!r} (understood: ExchTrade, TradeCancel, TradeCorrect)")
        if _TYPES[told] is RowKind.CANCEL or "Ca" in self.codes or self.said("buySell").endswith("(Ca.)"):
            return RowKind.CANCEL
        return RowKind.CORRECTION if "Co" in self.codes else _TYPES[told]

    def trade(self) -> StatementTrade:
        """What it says.

        Raises:
            _Unclear: it leaves something open.
        """
        if not self.asset:
            raise _Unclear("its kind of asset is not named. Add the asset class to the query")
        return StatementTrade(
            row=self.name, account=self.said("accountId") or self.statement.account, kind=self.kind,
            execution_id=self._execution(), con_id=self._con_id(), quantity=self._lots(),
            price=self._number("tradePrice", "price"), at=self._instant(), commission=self._commission(),
            currency=self.said("ibCommissionCurrency", "commissionCurrency"), reference=self.said("orderReference"),
            is_liquidation=bool(self.codes & {"L", "LF"}), money=self._money())

    def unclear(self, why: str) -> UnclearRow:
        """It as one that is not booked; a row whose kind is not known may take back another one."""
        try:
            takes_back = self.kind is not RowKind.TRADE
        except _Unclear:
            takes_back = True
        number = self.said("conid")
        return UnclearRow(row=self.name, why=why, takes_back=takes_back, has_execution=bool(self.execution_id),
                          con_id=int(number) if number.isascii() and number.isdecimal() else 0)

    def _execution(self) -> str:
        text = self.execution_id
        if not text:
            raise _Unclear("it names no execution. Add the exec id to the query")
        if not re.fullmatch(r"[\x21-\x7e]{1,100}", text):
            raise _Unclear(f"its execution id {text[:40]!r} is none")
        return text

    def _con_id(self) -> int:
        text = self.said("conid")
        if not (text.isascii() and text.isdecimal() and 0 < int(text) < 2**63):
            raise _Unclear(f"its contract number is {text!r}. Add the conid to the query")
        return int(text)

    def _lots(self) -> int:
        """Signed by its side; a row that takes back may have the other sign."""
        side, count = self.said("buySell"), self._number("quantity")
        if side not in _SIDES:
            raise _Unclear(f"its side is {side!r}; it must be BUY or SELL")
        if count != count.to_integral_value() or not 0 < abs(count) <= _MOST_LOTS:
            raise _Unclear(f"its quantity is {count}; it must be whole lots, from 1")
        if side == "BUY" and count < 0 and self.kind is not RowKind.CANCEL:
            raise _Unclear(f"it is a {side} of {count} lots")
        return _SIDES[side] * abs(int(count))

    def _number(self, *names: str) -> Decimal:
        text = self.said(*names)
        try:
            found = Decimal(text.replace(",", ""))
        except InvalidOperation:
            found = Decimal("NaN")
        if not found.is_finite() or abs(found) > _MOST:
            raise _Unclear(f"its {names[0]} is {text[:40]!r}, which is no number")
        return found

    def _commission(self) -> Decimal | None:
        """What was paid: the statement has it as a change of cash."""
        names = ("ibCommission", "commission")
        return -self._number(*names) if self.said(*names) else None

    def _money(self) -> Decimal | None:
        names = ("tradeMoney", "amount", "proceeds")
        return self._number(*names) if self.said(*names) else None

    def _instant(self) -> datetime:
        """Of an hour that the clocks show twice: the first."""
        text = self.said("dateTime") or f"{self.said('tradeDate')};{self.said('tradeTime')}"
        form = _INSTANT.fullmatch(text)
        try:
            day = _date(form[1], "dateTime") if form else None
            if form is None or day is None:
                raise _Unclear(f"its time is {text[:40]!r}, which cannot be read. {_FORMATS}")
            hour, minute, second = map(int, form.group(2, 3, 4))
            local = datetime.combine(day, time(hour, minute, second), self.statement.zone)
        except (UnreadableStatement, ValueError) as error:
            raise _Unclear(f"its time is {text[:40]!r}, which cannot be read. {_FORMATS}") from error
        return local.astimezone(UTC)
