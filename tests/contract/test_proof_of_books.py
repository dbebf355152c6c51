"""The nightly proof over the real store, and our side of a comparison as it is read from it."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import cast

import pytest
from moved_clock import MovedClock

from processes.job import JobContext
from processes.run_cleaners import prove_books
from trading.data.data_blob import DataBlob
from trading.data.mongo.books import MongoBooks
from trading.data.mongo.connection import MongoStore
from trading.data.mongo.locks import MongoInstrumentLocks
from trading.data.our_side import our_view
from trading.errors import ConcurrentUpdate, JobIncomplete
from trading.execution.adjustments import Positions
from trading.execution.fills import EXTERNAL, Fill
from trading.execution.locks import Lock, LockCause
from trading.execution.reconciliation.our_view import Sighting
from trading.execution.reconciliation.run import ReconciliationRun
from trading.execution.reconciliation.run_kind import RunKind

NOW = datetime(2026, 3, 2, 20, tzinfo=UTC)
JUNE = "SP500/20260600"


@dataclass
class Night:
    """What the proof needs of a job."""

    data: DataBlob
    clock: MovedClock


def a_night(store: MongoStore) -> JobContext:
    clock = MovedClock()
    return cast("JobContext", Night(DataBlob(store=store, clock=clock, socket=Path("nowhere")), clock))


def trade(store: MongoStore, base: str, lots: int, at: datetime = NOW) -> None:
    """Somebody trades June."""
    MongoBooks(store).apply_fill(Fill(
        id=f"DU1/{base}", execution_id=f"{base}.01", revision=1, broker_order=None, contract=JUNE, con_id=42,
        instrument="SP500", quantity=lots, price=Decimal(100), at=at, trading_day="2026-03-02"))


def test_books_that_are_the_sum_of_their_fills_are_proven_and_nothing_is_locked_for_them(store: MongoStore) -> None:
    trade(store, "e1", 2)
    prove_books(a_night(store))
    assert {lock.cause for lock in MongoInstrumentLocks(store).all()} == {LockCause.FOREIGN_FILL}


def test_a_position_that_somebody_edited_is_found_told_and_locked(store: MongoStore) -> None:
    trade(store, "e1", 2)
    store.database.contract_positions.update_one({"_id": JUNE}, {"$inc": {"quantity": 1}})
    with pytest.raises(JobIncomplete, match=r"Our books do not prove themselves: SP500/20260600: \+3 are stored, its "
                                            r"fills and adjustments sum to \+2. What is locked"):
        prove_books(a_night(store))
    assert LockCause.BOOKS_DIFFER in {lock.cause for lock in MongoInstrumentLocks(store).all()}


def test_an_event_that_somebody_edited_is_found_and_told(store: MongoStore) -> None:
    trade(store, "e1", 2)
    store.database.events.update_one({"aggregate": "DU1/e1"}, {"$set": {"payload.quantity": 1}})
    with pytest.raises(JobIncomplete, match=r"DU1/e1: version 1 is not what was written"):
        prove_books(a_night(store))


class Busy(MongoBooks):
    """Books in which somebody trades whenever they are summed."""

    def __init__(self, store: MongoStore, times: int) -> None:
        super().__init__(store)
        self.store, self.left = store, times

    def rebuilt(self) -> Positions:
        summed = super().rebuilt()
        if self.left:
            self.left -= 1
            trade(self.store, f"busy{self.left}", 1)
        return summed


def test_a_trade_during_the_proof_is_no_difference(store: MongoStore) -> None:
    trade(store, "e1", 2)
    stored, summed = Busy(store, times=2).proof()
    assert stored == summed


def test_a_proof_that_trades_always_disturb_is_no_proof(store: MongoStore) -> None:
    with pytest.raises(ConcurrentUpdate, match="what is held was changed by somebody else"):
        Busy(store, times=3).proof()


def test_our_side_is_read_as_it_is(store: MongoStore) -> None:
    # given a break of before, whose missing execution came in later, and a look that saw something
    job = a_night(store)
    trade(store, "e1", 2, at=NOW - timedelta(hours=2))
    lock = Lock(instrument="SP500", cause=LockCause.POSITION_BREAK, subject=JUNE, reason="break", opened_at=NOW,
                facts={"ours": 2, "theirs": 3})
    MongoInstrumentLocks(store).lock(lock)
    trade(store, "e2", 1, at=NOW - timedelta(hours=1))
    trade(store, "e3", 5, at=NOW + timedelta(seconds=1))
    trade(store, "e0", -1, at=NOW - timedelta(days=9))
    seen = Sighting(subject=f"position {JUNE}", gap=1, since=NOW)
    job.data.db_reconciliation_runs.save(ReconciliationRun(
        id="R1", kind=RunKind.CONTINUOUS, epoch="e", trading_day="2026-03-02", begun=NOW, sightings=(seen,)))

    # when
    ours = our_view(job.data, date(2026, 3, 2))

    # then
    assert ours.positions.contracts == {JUNE: 7}
    assert ours.positions.strategies == {(EXTERNAL, "SP500"): 7}
    assert [fill.id for fill in ours.fills] == ["DU1/e1", "DU1/e2", "DU1/e3"]
    assert (ours.newest_fill, ours.sightings) == ({JUNE: NOW + timedelta(seconds=1)}, {seen.subject: seen})
    assert ours.held_then == {lock.id: 2}
    assert (ours.live, ours.ended) == ((), ())
