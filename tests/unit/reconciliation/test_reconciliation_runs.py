"""A run from its first step to its verdict; nothing trades before one has passed for the connection of now."""

from dataclasses import replace
from datetime import timedelta

import pytest
from two_sides import NOW

from trading.execution.locks import Lock, LockCause
from trading.execution.reconciliation.breaks import Break, BreakId
from trading.execution.reconciliation.our_view import Sighting
from trading.execution.reconciliation.run import ReconciliationRun, RunVerdict, may_trade, next_kind, verdict
from trading.execution.reconciliation.run_kind import RunKind

LOCK = Lock(instrument="SP500", cause=LockCause.OPERATOR, subject="SP500", reason="looking", opened_at=NOW)
RUN = ReconciliationRun(id="R1", kind=RunKind.START_OF_DAY, epoch="e", trading_day="2026-03-02", begun=NOW)
PASSED = RUN.concluded(NOW, [], [])


def a_break(kind: BreakId) -> Break:
    return Break(id=kind, instrument="SP500", subject="x", sentence=f"{kind} happened")


@pytest.mark.parametrize(("kinds", "locks", "expected"), [
    ([], [], RunVerdict.PASS), ([BreakId.TERMS], [], RunVerdict.PASS), ([BreakId.POSITION], [LOCK],
                                                                         RunVerdict.PASS_WITH_LOCKS),
    ([], [LOCK], RunVerdict.PASS_WITH_LOCKS), ([BreakId.FAILED_QUERY], [], RunVerdict.FAIL),
    ([BreakId.UNEVEN], [LOCK], RunVerdict.FAIL), ([BreakId.SECOND_DAEMON], [], RunVerdict.FAIL)])
def test_a_run_passes_passes_with_locks_or_fails(
        kinds: list[BreakId], locks: list[Lock], expected: RunVerdict) -> None:
    assert verdict(RunKind.RECONNECT, map(a_break, kinds), locks) is expected


def test_a_look_that_was_not_valid_does_not_pass() -> None:
    assert verdict(RunKind.START_OF_DAY, [], [], "Positions moved.") is RunVerdict.FAIL


@pytest.mark.parametrize(("kinds", "problem", "expected"), [
    ([BreakId.FAILED_QUERY], "", None), ([], "Positions moved.", None), ([BreakId.UNEVEN], "", RunVerdict.FAIL),
    ([BreakId.FAILED_QUERY, BreakId.SECOND_DAEMON], "", RunVerdict.FAIL), ([], "", RunVerdict.PASS)])
def test_v35_a_continuous_look_without_an_answer_concludes_nothing(
        kinds: list[BreakId], problem: str, expected: RunVerdict | None) -> None:
    assert verdict(RunKind.CONTINUOUS, map(a_break, kinds), [], problem) is expected


def test_a_run_that_passed_lets_its_own_connection_trade() -> None:
    assert may_trade(PASSED, "e", "2026-03-02") is None
    assert may_trade(RUN.concluded(NOW, [], [LOCK]), "e") is None


@pytest.mark.parametrize(("run", "words"), [
    (None, "Our books have never been compared with the broker"),
    (replace(PASSED, epoch="older"), "The connection to the broker is new, and our books have not been compared over "
                                     "it; the last time was 2026-03-02 20:00:00 UTC over another one"),
    (replace(PASSED, trading_day="2026-02-27"), "not been compared with the broker on trading day 2026-03-02"),
    (RUN, "are being compared with the broker"),
    (RUN.concluded(NOW, [a_break(BreakId.UNEVEN)], []), "has failed: B14 happened. Nothing is traded"),
    (RUN.concluded(NOW, [], [], "Positions moved."), "has failed: Positions moved."),
])
def test_nothing_is_traded_before_a_run_has_passed(run: ReconciliationRun | None, words: str) -> None:
    assert words in (may_trade(run, "e", "2026-03-02") or "")


@pytest.mark.parametrize(("last", "epoch", "day", "kind"), [
    (None, "e", "2026-03-02", RunKind.START_OF_DAY), (PASSED, "e", "2026-03-03", RunKind.START_OF_DAY),
    (PASSED, "f", "2026-03-02", RunKind.RECONNECT), (PASSED, "e", "2026-03-02", RunKind.CONTINUOUS),
    (replace(PASSED, verdict=RunVerdict.FAIL), "e", "2026-03-02", RunKind.START_OF_DAY),
    (replace(PASSED, kind=RunKind.CONTINUOUS, verdict=RunVerdict.FAIL), "e", "2026-03-02", RunKind.RECONNECT)])
def test_which_run_is_due_follows_from_the_last_one(
        last: ReconciliationRun | None, epoch: str, day: str, kind: RunKind) -> None:
    assert next_kind(last, epoch, day) is kind


def test_a_run_comes_back_as_it_was_written() -> None:
    found = replace(a_break(BreakId.POSITION), facts={"ours": 2})
    run = replace(RUN.concluded(NOW + timedelta(seconds=9), [found], []),
                  decisions=("locked",), sightings=(Sighting(subject="position x", gap=1, since=NOW),))
    assert ReconciliationRun.from_dict(run.as_dict()) == run
    assert run.seen_before() == {"position x": run.sightings[0]}
