"""How a statement of the broker differs from our fills, and what may be booked because of it. Pure: nothing is done.

What the statement says plainly is booked like an execution that was heard. What it says in a way that leaves a doubt is
named for a person. What it does not say is never taken out of our books: it is only told, and locked.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from trading.errors import DataError
from trading.execution.broker_orders import BrokerOrder
from trading.execution.fills import EXTERNAL, MANUAL, Commission, Fill, FillStatus, taken_back
from trading.execution.locks import Lock, LockCause
from trading.execution.reconciliation.broker_view import reference_of
from trading.execution.reconciliation.statement import (
    RowKind,
    Statement,
    StatementKind,
    StatementTrade,
    standing_of,
)
from trading.execution.reconciliation.statement_findings import (
    Difference,
    DifferenceKind,
    KnownContract,
    OurFills,
    StatementFindings,
)

_CENT: Final = Decimal("0.01")  # two reports of one commission round differently
_SAME: Final = Decimal("0.000001")  # relative; what two products of one price may differ by


class WrongAccount(DataError):
    """A statement of somebody else."""


def check_account(statement: Statement, account: str) -> None:
    """Raise WrongAccount unless all of `statement` is about `account`."""
    others = sorted({statement.account, *(row.account for row in statement.trades)} - {account})
    if others:
        raise WrongAccount(f"The statement is of account {', '.join(others)}; our books are those of {account} "
                           f"(broker.account). Nothing was booked. Ask for the statement of {account}.")


def compare(statement: Statement, ours: OurFills) -> StatementFindings:
    """How `statement` and our fills differ.

    Raises:
        WrongAccount: it is not ours, or not only.
    """
    check_account(statement, ours.account)
    groups: dict[str, list[StatementTrade]] = {}
    for trade in statement.trades:
        groups.setdefault(trade.base, []).append(trade)
    found = [difference for base, rows in sorted(groups.items())
             for difference in _Comparison(statement, ours, f"{ours.account}/{base}").of(rows)]
    found += [Difference(kind=DifferenceKind.UNCLEAR, subject=row.row, sentence=f"{row.row} is not booked: {row.why}")
              for row in sorted(statement.unclear, key=lambda each: each.row)]
    found += _lacking(statement, ours, groups)
    touched = {each.subject for each in found}
    return StatementFindings(differences=tuple(found), left_out=statement.left_out,
                             agreed=len({*_ids(groups, ours)} - touched))


def _ids(groups: Mapping[str, object], ours: OurFills) -> Iterator[str]:
    return (f"{ours.account}/{base}" for base in groups)


@dataclass(frozen=True)
class _Comparison:
    """Of one execution."""

    statement: Statement
    ours: OurFills
    id: str

    def of(self, rows: list[StatementTrade]) -> list[Difference]:
        known, standing = self.ours.fills.get(self.id), standing_of(rows)
        if standing.contradicts:
            return [self._told(DifferenceKind.UNCLEAR, f"the statement gives two different terms for execution "
                                                       f"{self.id}; it is not booked")]
        if standing.trade is None:
            return self._taken_back(known, rows)
        if known is None:
            return [self._missing(standing.trade)]
        return self._of_known(known, standing.trade)

    def _told(self, kind: DifferenceKind, sentence: str) -> Difference:
        return Difference(kind=kind, subject=self.id, sentence=sentence)

    def _taken_back(self, known: Fill | None, rows: list[StatementTrade]) -> list[Difference]:
        if known is None and all(row.kind is RowKind.CANCEL for row in rows):
            return [self._told(DifferenceKind.UNCLEAR, f"{rows[0].row} takes back {rows[0].quantity:+d} of contract "
                                                       f"{rows[0].con_id} (execution {self.id}), which neither our "
                                                       f"books nor the statement have")]
        return [] if known is None or known.quantity == 0 else [self._busted(known)]

    def _busted(self, known: Fill) -> Difference:
        return Difference(kind=DifferenceKind.BUSTED, subject=self.id, now=_terms(known), then="taken back",
                          heard=(taken_back(known),),
                          sentence=f"the exchange has taken back {_terms(known)} (execution {self.id}): it no longer "
                                   f"counts")

    def _missing(self, row: StatementTrade) -> Difference:
        order = self.ours.orders.get(reference_of(row.reference))
        contract = self.ours.contracts.get(row.con_id)
        doubt = self._doubt(row, order)
        if contract is None:
            return self._told(DifferenceKind.UNKNOWN_CONTRACT, f"{row.row}: {row.quantity:+d} of contract {row.con_id} "
                                                               f"were traded, which we do not know; it is not booked. "
                                                               f"Add its instrument and run tradectl run "
                                                               f"update_futures_contracts")
        prices = possible_prices(row, contract)
        if len(prices) > 1:
            doubt = f"whether its price {row.price} is in the broker's units of {contract.key} cannot be told"
        if doubt:
            return self._told(DifferenceKind.UNCLEAR, f"{row.row} is not booked: {doubt}")
        fill = self._fill(row, order, contract, prices[0])
        whose = f"{order.strategy}, order {order.id}" if order else "nobody's order: booked as external"
        heard: tuple[Fill | Commission, ...] = (fill, *self._paid(row))
        return Difference(kind=DifferenceKind.MISSING, subject=self.id, now="not in our books",
                          then=f"{_terms(fill)} for {order.strategy if order else EXTERNAL}", heard=heard,
                          sentence=f"our books lacked {_terms(fill)} of {fill.at:%Y-%m-%d %H:%M:%S} UTC "
                                   f"({whose}; execution {self.id})")

    def _doubt(self, row: StatementTrade, order: BrokerOrder | None) -> str:
        if order is not None and order.con_id != row.con_id:
            return f"it names order {order.id}, which is for another contract"
        if any(each.takes_back and each.con_id in (0, row.con_id) for each in self.statement.unclear):
            return "another row, which is unclear, may take it back"
        contract = self.ours.contracts.get(row.con_id)
        twin = next((each for each in self.ours.by_hand
                     if contract is not None and each.may_be(row, contract.key, order)), None)
        if twin is not None:
            return (f"a person may have booked it by hand as {twin.name}. If so, first {twin.undo}, then read it "
                    f"again; if not, book it by hand as well: tradectl trade fill, or tradectl positions balance")
        return ""

    def _fill(self, row: StatementTrade, order: BrokerOrder | None, contract: KnownContract, price: Decimal) -> Fill:
        return Fill(id=self.id, execution_id=row.execution_id, revision=row.revision,
                    broker_order=order.id if order else None,
                    contract=order.contract_of(row.con_id) if order else contract.key,
                    strategy=order.strategy if order else EXTERNAL,
                    instrument=order.instrument if order else contract.key.rpartition("/")[0],
                    con_id=row.con_id, quantity=row.quantity, price=price, at=row.at, reference=row.reference,
                    is_liquidation=row.is_liquidation,
                    trading_day=order.trading_day if order else self.ours.trading_day(row.at))

    def _paid(self, row: StatementTrade) -> list[Commission]:
        if row.commission is None or not row.currency:
            return []
        return [Commission(id=self.id, amount=row.commission, currency=row.currency)]

    def _of_known(self, known: Fill, row: StatementTrade) -> list[Difference]:
        prices = self._prices(row)
        if (known.con_id, known.quantity) == (row.con_id, row.quantity) and known.price in prices:
            return self._commission(known, row)
        said = f"{known.execution_id}: our books have {_terms(known)}, the statement {row.quantity:+d} at {row.price}"
        is_plain = row.kind is RowKind.CORRECTION or row.revision > known.revision
        if not is_plain or row.revision < known.revision or len(prices) > 1 or known.con_id != row.con_id:
            return [self._conflict(known, row, said)]
        newer = replace(known, revision=max(row.revision, known.revision + 1), quantity=row.quantity, price=prices[0],
                        at=row.at, execution_id=row.execution_id if row.revision > known.revision
                        else f"{known.execution_id}/corrected")
        return [Difference(kind=DifferenceKind.CORRECTED, subject=self.id, now=_terms(known), then=_terms(newer),
                           heard=(newer, *self._paid(row)),
                           sentence=f"the exchange has corrected {_terms(known)} to {_terms(newer)} "
                                    f"(execution {self.id})")]

    def _prices(self, row: StatementTrade) -> tuple[Decimal, ...]:
        contract = self.ours.contracts.get(row.con_id)
        return (row.price,) if contract is None else possible_prices(row, contract)

    def _conflict(self, known: Fill, row: StatementTrade, said: str) -> Difference:
        """Our books stay as they are; other lots without a word of a correction lock."""
        is_grave = known.quantity != row.quantity and row.revision >= known.revision
        sentence = f"{said}, without saying that it was corrected; our books stay as they are"
        if row.revision < known.revision:
            sentence = f"{said}; ours is the newer version, and stays"
        return Difference(kind=DifferenceKind.CONFLICT, subject=self.id, sentence=sentence,
                          lock=_lock(known, sentence, self.ours.at) if is_grave else None)

    def _commission(self, known: Fill, row: StatementTrade) -> list[Difference]:
        paid = self._paid(row)
        if not paid or known.status is FillStatus.BUSTED:
            return []
        now = "not known" if known.commission is None else f"{known.commission} {known.commission_currency}"
        if known.commission is not None and known.commission_currency != row.currency:
            return [self._told(DifferenceKind.CONFLICT, f"fill {self.id} cost {now} by our books and {row.commission} "
                                                        f"{row.currency} by the statement; ours stays")]
        if known.commission is not None and abs(known.commission - paid[0].amount) <= _CENT:
            return []
        then = f"{row.commission} {row.currency}"
        return [Difference(kind=DifferenceKind.COMMISSION, subject=self.id, now=now, then=then,
                           heard=tuple(paid), sentence=f"fill {self.id} cost {then}; in our books: {now}")]


def possible_prices(row: StatementTrade, contract: KnownContract) -> tuple[Decimal, ...]:
    """The price in the broker's own units, in which we keep it: one, or several where the row leaves it open.

    A contract that is quoted in cents stands in a statement in dollars, or not; what the lots were worth decides.
    """
    if contract.magnifier == 1:
        return (row.price,)
    both = (row.price, row.price * contract.magnifier)
    if row.money is None or not row.money or not contract.multiplier:
        return both
    worth = abs(row.money) * contract.magnifier / (abs(row.quantity) * contract.multiplier)
    return tuple(price for price in both if abs(abs(price) - worth) <= _SAME * worth) or both


def _lacking(statement: Statement, ours: OurFills, groups: Mapping[str, object]) -> list[Difference]:
    """Fills of whole days that an activity statement does not have. Confirmations prove no absence."""
    if statement.kind is not StatementKind.ACTIVITY:
        return []
    named = {*_ids(groups, ours)}
    blurred = {row.con_id for row in statement.unclear if not row.has_execution}
    absent = [fill for fill in ours.fills.values() if fill.id not in named and fill.quantity
              and fill.id.startswith(f"{ours.account}/") and not fill.execution_id.startswith(MANUAL)
              and not blurred & {0, fill.con_id} and statement.covers(fill.at)]
    if absent and not statement.trades:
        return [Difference(kind=DifferenceKind.UNCLEAR, subject="the statement", sentence=(
            f"the statement lists no execution of a future at all, and our books have {len(absent)} of its days: "
            f"nothing is concluded from that. Does its query select Trades, with Executions, of futures?"))]
    return [_lacks(fill, ours.at) for fill in sorted(absent, key=lambda each: each.id)]


def _lacks(fill: Fill, now: datetime) -> Difference:
    sentence = (f"our books have {_terms(fill)} of {fill.at:%Y-%m-%d %H:%M:%S} UTC (execution {fill.id}), and the "
                f"statement of that day does not; our books stay as they are")
    return Difference(kind=DifferenceKind.LACKING, subject=fill.id, sentence=sentence, lock=_lock(fill, sentence, now))


def _lock(fill: Fill, sentence: str, now: datetime) -> Lock | None:
    if fill.instrument is None:
        return None
    return Lock(instrument=fill.instrument, cause=LockCause.CONFLICT, subject=f"{fill.id} (statement)",
                reason=sentence, opened_at=now)


def _terms(fill: Fill) -> str:
    return f"{fill.quantity:+d} {fill.contract or fill.con_id} at {fill.price}"
