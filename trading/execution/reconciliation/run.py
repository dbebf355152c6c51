"""One reconciliation as it is recorded, its verdict, and whether trading may begin. Pure.

Nothing trades before one has passed for the connection of now: what an older connection showed may have changed since.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from trading.execution.documents import Document, from_document, to_document
from trading.execution.locks import Lock
from trading.execution.reconciliation.breaks import BREAKS, Break
from trading.execution.reconciliation.our_view import Sighting
from trading.execution.reconciliation.run_kind import RunKind


class RunVerdict(StrEnum):
    """What a run has shown."""

    PASS = "PASS"  # noqa: S105 (no password)
    PASS_WITH_LOCKS = "PASS_WITH_LOCKS"  # noqa: S105 (nor this): what is not locked may be traded
    FAIL = "FAIL"


@dataclass(frozen=True, kw_only=True)
class ReconciliationRun:
    """`verdict` is None while it runs, and for a continuous look that drew no conclusion: the last one still holds."""

    id: str
    kind: RunKind
    epoch: str
    trading_day: str
    begun: datetime
    ended: datetime | None = None
    verdict: RunVerdict | None = None
    problem: str = ""  # why there was no whole look, if there was none
    breaks: tuple[Break, ...] = ()
    decisions: tuple[str, ...] = ()
    sightings: tuple[Sighting, ...] = ()  # for the next look

    def concluded(self, now: datetime, breaks: Iterable[Break], locks: Iterable[Lock],
                  problem: str = "") -> "ReconciliationRun":
        """The run at its end; `problem` is what snapshot_problem said of its last look."""
        found = tuple(breaks)
        return replace(self, ended=now, breaks=found, problem=problem,
                       verdict=verdict(self.kind, found, locks, problem))

    def seen_before(self) -> Mapping[str, Sighting]:
        """The sightings as the next look wants them."""
        return {seen.subject: seen for seen in self.sightings}

    def as_dict(self) -> Document:
        return to_document(self)

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> "ReconciliationRun":
        """What `as_dict` gave; raises Unreadable for anything else."""
        return from_document(cls, document)


def verdict(kind: RunKind, breaks: Iterable[Break], locks: Iterable[Lock], problem: str = "") -> RunVerdict | None:
    """What a run has shown; None for a continuous one without a whole look, unless what it did see is fatal.

    Ask for it when nothing is left to look at again: see sightings.waits_for.

    Args:
        breaks: all of its breaks, also those for which a lock is open already.
        locks: all that are open at its end.
        problem: why its look was not valid; empty for a valid one.
    """
    failing = [found for found in breaks if BREAKS[found.id].fails]
    is_fatal = any(BREAKS[found.id].stages[0].kill is not None for found in failing)
    if kind is RunKind.CONTINUOUS and not is_fatal and (failing or problem):
        return None
    if failing or problem:
        return RunVerdict.FAIL
    return RunVerdict.PASS_WITH_LOCKS if any(True for _ in locks) else RunVerdict.PASS


def may_trade(last: ReconciliationRun | None, epoch: str, trading_day: str | None = None) -> str | None:
    """Why nothing may be traded over connection `epoch`, as a sentence; None when it may.

    Args:
        last: the newest run that has a verdict, of any epoch, or None when there is none.
        trading_day: YYYY-MM-DD; when given, a run of another day does not count.
    """
    if last is None:
        return ("Our books have never been compared with the broker, and nothing is traded before they were. "
                "See: tradectl reconcile")
    if trading_day is not None and last.trading_day != trading_day:
        return (f"Our books have not been compared with the broker on trading day {trading_day}; the last time was on "
                f"{last.trading_day}. See: tradectl reconcile")
    if last.epoch != epoch:
        return (f"The connection to the broker is new, and our books have not been compared over it; the last time was "
                f"{last.begun:%Y-%m-%d %H:%M:%S} UTC over another one. See: tradectl reconcile")
    if last.verdict is None or last.ended is None:
        return "Our books are being compared with the broker; nothing is traded before that is over."
    if last.verdict is RunVerdict.FAIL:
        why = "; ".join([each.sentence for each in last.breaks if BREAKS[each.id].fails] or [last.problem])
        return f"The comparison with the broker has failed: {why}. Nothing is traded. See: tradectl reconcile"
    return None


def next_kind(last: ReconciliationRun | None, epoch: str, trading_day: str) -> RunKind:
    """Which run is due: all of it on a new day, the questions again on a new connection or after a failure.

    `last` is the newest run that has a verdict.
    """
    if last is None or last.trading_day != trading_day:
        return RunKind.START_OF_DAY
    if last.verdict is RunVerdict.FAIL:
        return last.kind if last.kind is RunKind.START_OF_DAY else RunKind.RECONNECT
    return RunKind.RECONNECT if last.epoch != epoch else RunKind.CONTINUOUS
