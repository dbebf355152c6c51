"""A statement of the broker beside our books: read our side, compare, book what the statement proves, tell the rest.

What differs is decided in trading.execution.reconciliation.statement_comparison. Reading a statement again books
nothing again. Nothing is ever taken out of our books because a statement lacks it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Final

from pymongo.client_session import ClientSession

from trading.broker.facts import ContractDetails
from trading.data.mongo.books import MongoBooks
from trading.data.mongo.connection import MongoStore
from trading.data.mongo.contracts import MongoContracts
from trading.data.mongo.locks import MongoInstrumentLocks
from trading.data.mongo.orders import MongoOrders
from trading.errors import ConcurrentUpdate
from trading.execution.adjustments import Adjustment, AdjustmentKind
from trading.execution.broker_orders import BrokerOrder
from trading.execution.fills import MANUAL, Fill
from trading.execution.reconciliation.broker_view import reference_of
from trading.execution.reconciliation.statement import Statement
from trading.execution.reconciliation.statement_comparison import check_account, compare
from trading.execution.reconciliation.statement_findings import (
    ByHand,
    DifferenceKind,
    KnownContract,
    OurFills,
    StatementFindings,
)
from trading.log import get_log

log = get_log()
_ATTEMPTS: Final = 5
_MARGIN: Final = timedelta(days=3)  # dates of the exchange and of the clock are at most a weekend apart


@dataclass(frozen=True, kw_only=True)
class StatementDesk:
    """The books of `account`. `trading_day` gives the trading day of an instant."""

    store: MongoStore
    account: str
    trading_day: Callable[[datetime], str]

    def look(self, statement: Statement, now: datetime, session: ClientSession | None = None) -> StatementFindings:
        """What differs now; nothing is changed.

        Raises:
            WrongAccount: the statement is of another one.
        """
        check_account(statement, self.account)
        return self._without_what_was_seen(compare(statement, self._ours(statement, now, session)))

    def book(self, found: StatementFindings) -> None:
        """Book what the statement proves, in parts as if it had just been heard, and lock what needs a person.

        Raises:
            ConcurrentUpdate: others kept writing the same orders; what was booked is not booked again.
        """
        self._apply(found)
        for lock in found.locks:
            MongoInstrumentLocks(self.store).lock(lock)
        tell(found)

    def book_within(self, found: StatementFindings, session: ClientSession) -> None:
        """The same, as a part of a transaction."""
        MongoBooks(self.store).apply_within(found.heard, session)
        for lock in found.locks:
            MongoInstrumentLocks(self.store).lock_within(lock, session)
        tell(found)

    def _apply(self, found: StatementFindings) -> None:
        for _ in range(_ATTEMPTS - 1):
            try:
                MongoBooks(self.store).apply(found.heard)
            except ConcurrentUpdate:
                continue  # losing the race is normal: the stack handler books what it hears
            return
        MongoBooks(self.store).apply(found.heard)

    def _ours(self, statement: Statement, now: datetime, session: ClientSession | None) -> OurFills:
        books = MongoBooks(self.store)
        ids = {f"{self.account}/{trade.base}" for trade in statement.trades}
        since = datetime.combine(statement.first, time(0), UTC) - _MARGIN
        fills = books.fills_about(ids, since, session)
        contracts = MongoContracts(self.store).all()
        return OurFills(account=self.account, at=now, trading_day=self.trading_day,
                        fills={fill.id: fill for fill in fills}, orders=self._orders(statement),
                        contracts=dict(map(_known, contracts, contracts.values())),
                        by_hand=(*_fills_by_hand(fills), *_balances(books.adjustments(), since)))

    def _orders(self, statement: Statement) -> dict[str, BrokerOrder]:
        """Ours that the statement names, by their reference."""
        names = {reference_of(trade.reference) for trade in statement.trades if trade.reference}
        orders = MongoOrders(self.store)
        found = {name: orders.find_broker_order(name, 0, 0, "") for name in sorted(names)}
        return {name: order for name, order in found.items() if order is not None}

    def _without_what_was_seen(self, found: StatementFindings) -> StatementFindings:
        """A lock that a person has opened is not locked again for the same execution."""
        locks = MongoInstrumentLocks(self.store)
        return replace(found, differences=tuple(
            each for each in found.differences if each.lock is None or not locks.was_opened(each.lock.id)))


def tell(found: StatementFindings) -> None:
    """Into the log, a line each."""
    for each in found.differences:
        say = log.warning if each.needs_person else log.info
        say("statement", what=each.kind.value, text=each.sentence)
    for kind, count in found.left_out:
        log.info("statement_rows_not_compared", kind=kind, rows=count, reason="they are no trades of futures")
    log.info("statement_compared", agreed=found.agreed, differ=len(found.differences), booked=len(found.heard))


def _known(key: str, details: ContractDetails) -> tuple[int, KnownContract]:
    try:
        multiplier = Decimal(details.multiplier or 0)
    except InvalidOperation:
        multiplier = Decimal(0)
    return details.con_id, KnownContract(key=key, multiplier=multiplier, magnifier=details.price_magnifier or 1)


def _fills_by_hand(fills: Iterable[Fill]) -> list[ByHand]:
    return [ByHand(contract=fill.contract or "", quantity=fill.quantity, at=fill.at, name=f"fill {fill.id}",
                   order=fill.broker_order or "",
                   undo=f'take it back: tradectl trade take-back {fill.id} --reason "in the statement"')
            for fill in fills if fill.execution_id.startswith(MANUAL) and fill.quantity]


def _balances(adjustments: Iterable[Adjustment], since: datetime) -> list[ByHand]:
    """Trades that a person booked as missing; of a contract where they sum to nothing they were undone."""
    found = [ByHand(contract=entry.contract or "", quantity=entry.lots, at=each.at, name=f"adjustment {each.id}",
                    undo=f"book its opposite: tradectl positions balance {entry.contract} {entry.strategy}")
             for each in adjustments if each.kind is AdjustmentKind.BALANCE and each.at >= since
             for entry in each.entries]
    return [each for each in found if sum(other.quantity for other in found if other.contract == each.contract)]


def in_words(found: StatementFindings) -> str:
    """How many of each kind, for one line."""
    counts = {kind: sum(1 for each in found.differences if each.kind is kind) for kind in DifferenceKind}
    named = [f"{count} {kind.value}" for kind, count in counts.items() if count]
    agreed = f"{found.agreed} executions agree"
    return f"{agreed}; {', '.join(named)}" if named else f"{agreed}, none differs"
