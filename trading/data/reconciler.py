"""Compares our books with the broker, carries out what follows, and keeps the record: the thin part of reconciliation.

A look is positions, everything that the broker lists of orders and executions, and positions again. What it finds is
decided in trading.execution.reconciliation; nothing here sends an order.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Final, Protocol

from ulid import ULID

from trading.broker.facts import BrokerBook, BrokerPosition
from trading.data.data_blob import DataBlob
from trading.data.our_side import our_view
from trading.errors import BrokerUnavailable, ConcurrentUpdate
from trading.execution.broker_messages import MessageKind
from trading.execution.reconciliation.actions import Actions, Told, decide, doubted
from trading.execution.reconciliation.breaks import Alarm, Break
from trading.execution.reconciliation.broker_view import (
    BrokerView,
    Part,
    SeenOrder,
    seen_execution,
    seen_order,
    unknown_contract,
)
from trading.execution.reconciliation.find_breaks import find_breaks
from trading.execution.reconciliation.lost_orders import LostOrder
from trading.execution.reconciliation.our_view import BreakSettings
from trading.execution.reconciliation.run import ReconciliationRun, RunVerdict, may_trade, next_kind
from trading.execution.reconciliation.sightings import sighted, waits_for
from trading.execution.reconciliation.snapshot import Meanwhile, snapshot_problem, without_empty_answer
from trading.log import get_log
from trading.risk.kill_level import Command

log = get_log()
LOOKS_AT_MOST: Final = 8  # within one run; a look that is disturbed is repeated at once


class AsksBroker(Protocol):
    """What a look needs; see trading.broker.link.BrokerLink."""

    def positions(self) -> list[BrokerPosition]: ...
    def book(self) -> BrokerBook: ...
    def cancel(self, order_id: str) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Reconciler:
    """One job's way to compare. `apply_news` brings the journal into the books; `wait` sleeps, and may end the job."""

    data: DataBlob
    broker: AsksBroker
    contract_of: Callable[[int], str | None]
    apply_news: Callable[[], object]
    wait: Callable[[float], None]
    settings: BreakSettings
    today: date
    fence: int | None = None  # the token under which the job acts

    def why_not(self) -> str | None:
        """Why nothing may be traded now, as a sentence; None when it may."""
        return may_trade(self.data.db_reconciliation_runs.last(), self.epoch(), self.today.isoformat())

    def epoch(self) -> str:
        """The connection of now."""
        return self.broker.book().epoch

    def run(self) -> ReconciliationRun:
        """Compare until nothing is left to look at again, and record what was found and done."""
        found = self._begun()
        for number in range(LOOKS_AT_MOST):
            theirs, problem = self._look()
            ours = our_view(self.data, self.today, fence=self.fence)
            theirs = without_empty_answer(theirs, ours)
            problem = problem or "; ".join(theirs.failures.values()) or None
            breaks = find_breaks(ours, theirs, settings=self.settings)
            actions = decide(breaks, ours, theirs)
            self._carry_out(actions)
            seen = sighted(ours, theirs)
            found = replace(found, epoch=theirs.epoch, sightings=tuple(seen.values()),
                            decisions=(*found.decisions, *actions.sentences))
            left = waits_for(ours, theirs, self.settings)
            if problem is None and left == timedelta(0):
                return self._ended(found, breaks, "")
            if number == LOOKS_AT_MOST - 1:
                return self._ended(found, breaks, problem or "")
            self._keep(found)
            self.wait(max(left.total_seconds(), 0.2))
        raise AssertionError("the last look returns")

    def _begun(self) -> ReconciliationRun:
        last = self.data.db_reconciliation_runs.last()
        epoch, now = self.epoch(), self.data.clock.now()
        return ReconciliationRun(id=str(ULID()), kind=next_kind(last, epoch, self.today.isoformat()), epoch=epoch,
                                 trading_day=self.today.isoformat(), begun=now)

    def _look(self) -> tuple[BrokerView, str | None]:
        """Positions, orders and executions, positions again; and why nothing may be concluded, if so."""
        before = self._positions()
        book = self.broker.book()
        self.apply_news()
        after = self._positions()
        theirs = self._view(book, after)
        problem = snapshot_problem(before, {each.fill for each in theirs.executions}, after, Meanwhile(
            booked={fill.id for fill in our_view(self.data, self.today, fence=self.fence).fills}))
        return theirs, problem

    def _view(self, book: BrokerBook, positions: dict[str, int]) -> BrokerView:
        def facts(kind: MessageKind) -> list[dict[str, Any]]:
            return [row.facts for row in book.messages if row.kind is kind]

        return BrokerView(
            epoch=book.epoch, at=self.data.clock.now(), account=book.account, positions=positions,
            open_orders=tuple(self._order(each) for each in _newest(facts(MessageKind.OPEN_ORDER))),
            answered=frozenset({Part.POSITIONS, Part.OPEN_ORDERS, Part.COMPLETED_ORDERS, Part.EXECUTIONS}),
            completed_orders=tuple(self._order(each) for each in facts(MessageKind.COMPLETED_ORDER)),
            executions=tuple(seen_execution(each, self.contract_of) for each in facts(MessageKind.EXECUTION)
                             if each["security"] != "BAG" and each["account"] == book.account))

    def _order(self, facts: dict[str, Any]) -> SeenOrder:
        return seen_order(facts, self.contract_of)

    def _positions(self) -> dict[str, int]:
        """Lots by our key of the contract."""
        found: dict[str, int] = {}
        for row in self.broker.positions():
            key = self.contract_of(row.con_id) or unknown_contract(row.symbol, row.con_id)
            found[key] = found.get(key, 0) + row.quantity
        return found

    def _carry_out(self, actions: Actions) -> None:
        """In the order that decide() names; each step is harmless to repeat."""
        now = self.data.clock.now()
        if actions.kill is not None:
            self._raise(actions, now)
        for order_id in actions.unknown:
            self.data.db_orders.save_broker_order(doubted(self.data.db_orders.broker_order(order_id), "reconciliation"))
        for terms in actions.adopt:
            order = self.data.db_orders.broker_order(terms.order)
            self.data.db_orders.save_broker_order(order.with_terms_told(terms.limit, terms.lots))
        for lost in actions.rebuild:
            self._rebuild(lost)
        for adjustment in actions.adjustments:
            self.data.db_books.adjust(adjustment)
        for order_id in actions.cancels:
            self.broker.cancel(order_id)
        for lock in actions.locks:
            self.data.db_locks.lock(lock)
        for opening in actions.openings:
            self.data.db_locks.unlock(opening.lock.id, opening.how, now)
        for told in actions.told:
            tell(told)

    def _rebuild(self, lost: LostOrder) -> None:
        """Store it, and take it back if it works at the broker and no contract order is there to do so."""
        family = self.data.db_books.rebuild(lost)
        if family is not None and family.broker.may_be_alive and not family.contract.is_open:
            self.broker.cancel(lost.reference)

    def _raise(self, actions: Actions, now: datetime) -> None:
        assert actions.kill is not None
        by = Command(who="reconciliation", why=actions.kill.why, when=now, cause=actions.kill.cause)
        try:
            self.data.db_kill_state.raise_to(actions.kill.level, by)
        except ConcurrentUpdate as error:
            raise BrokerUnavailable("The kill level could not be raised: others write it all the time. Nothing is "
                                    "traded.") from error

    def _keep(self, run: ReconciliationRun) -> None:
        """What was seen, for the next look; a run without a verdict says nothing else."""
        self.data.db_reconciliation_runs.save(run)

    def _ended(self, run: ReconciliationRun, breaks: list[Break], problem: str) -> ReconciliationRun:
        ended = run.concluded(self.data.clock.now(), breaks, self.data.db_locks.all(), problem)
        self.data.db_reconciliation_runs.save(ended)
        log.info("reconciled", kind=ended.kind.value, breaks=len(breaks),
                 verdict="none" if ended.verdict is None else ended.verdict.value)
        return ended


def tell(told: Told) -> None:
    """Into the log; what a person must do something about is a lock, a level or a failure besides."""
    if told.alarm is Alarm.CRITICAL:
        log.error("reconciliation", what=told.key, text=told.sentence)
    elif told.alarm is Alarm.WARNING:
        log.warning("reconciliation", what=told.key, text=told.sentence)
    else:
        log.info("reconciliation", what=told.key, text=told.sentence)


def has_failed(run: ReconciliationRun) -> bool:
    return run.verdict is RunVerdict.FAIL


def _newest(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """An order may be told several times in one answer: what was said of each last."""
    return list({(row["reference"], row["perm_id"]): row for row in rows}.values())
