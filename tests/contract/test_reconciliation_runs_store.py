"""Reconciliations in the real store: each as it ended, the newest first, and which of them counts."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from trading.data.mongo.connection import MongoStore
from trading.data.mongo.reconciliation_runs import MongoReconciliationRuns
from trading.execution.reconciliation.breaks import Break, BreakId
from trading.execution.reconciliation.our_view import Sighting
from trading.execution.reconciliation.run import ReconciliationRun, RunVerdict
from trading.execution.reconciliation.run_kind import RunKind

NOW = datetime(2026, 3, 2, 20, tzinfo=UTC)


def a_run(number: int, **changes: object) -> ReconciliationRun:
    plain = ReconciliationRun(id=f"R{number}", kind=RunKind.CONTINUOUS, epoch="e", trading_day="2026-03-02",
                              begun=NOW + timedelta(minutes=number), ended=NOW + timedelta(minutes=number),
                              verdict=RunVerdict.PASS)
    return replace(plain, **changes)


def test_a_store_without_runs_has_none(store: MongoStore) -> None:
    runs = MongoReconciliationRuns(store)
    assert (runs.last(), runs.last("e"), runs.recent(5)) == (None, None, [])


def test_a_run_comes_back_whole_and_is_stored_once(store: MongoStore) -> None:
    runs = MongoReconciliationRuns(store)
    run = a_run(1, verdict=RunVerdict.PASS_WITH_LOCKS, decisions=("locked",), breaks=(
        Break(id=BreakId.POSITION, instrument="SP500", subject="SP500/20260600", sentence="it differs",
              facts={"ours": 2, "theirs": 3}, age_s=15.0, times=2),),
        sightings=(Sighting(subject="position SP500/20260600", gap=1, since=NOW),))
    runs.save(run)
    runs.save(replace(run, verdict=RunVerdict.FAIL))
    assert runs.recent(5) == [run]


def test_the_last_run_is_the_newest_with_a_verdict_of_its_connection(store: MongoStore) -> None:
    runs = MongoReconciliationRuns(store)
    for run in (a_run(1), a_run(2), a_run(3, verdict=None), a_run(4, epoch="f")):
        runs.save(run)
    assert (runs.last("e"), runs.last("f"), runs.last()) == (a_run(2), a_run(4, epoch="f"), a_run(4, epoch="f"))
    assert [run.id for run in runs.recent(3)] == ["R4", "R3", "R2"]


def test_a_run_that_needs_several_looks_ends_with_its_verdict(store: MongoStore) -> None:
    runs = MongoReconciliationRuns(store)
    runs.save(a_run(1))
    for run in (a_run(2, verdict=None, ended=None), a_run(2, verdict=None, ended=None, decisions=("locked",))):
        runs.save(run)
        assert (runs.last(), runs.recent(1)) == (a_run(1), [run])
    runs.save(a_run(2))
    assert (runs.last(), len(runs.recent(5))) == (a_run(2), 2)


def test_the_newest_run_is_the_one_that_was_stored_last_whatever_a_clock_says(store: MongoStore) -> None:
    runs = MongoReconciliationRuns(store)
    runs.save(a_run(2))
    runs.save(a_run(1, begun=NOW - timedelta(days=1), verdict=RunVerdict.FAIL))
    last = runs.last("e")
    assert last is not None
    assert (last.id, last.verdict) == ("R1", RunVerdict.FAIL)


def test_old_runs_can_be_deleted(store: MongoStore) -> None:
    runs = MongoReconciliationRuns(store)
    for number in range(3):
        runs.save(a_run(number))
    assert runs.drop_before(int((NOW + timedelta(minutes=2)).timestamp() * 1000)) == 2
    assert [run.id for run in runs.recent(5)] == ["R2"]
