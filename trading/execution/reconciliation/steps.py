"""The steps of a reconciliation, as data: which kind of run takes which, and which comes next. Pure.

A step that fails is repeated, never passed over; a run that was killed begins anew, and each step repeated changes
nothing. Source: orders_and_risk.md 4.3 to 4.5.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class RunKind(StrEnum):
    """Why both sides are compared."""

    START_OF_DAY = "START_OF_DAY"
    RECONNECT = "RECONNECT"  # a new connection: nothing that was known of the old one holds
    CONTINUOUS = "CONTINUOUS"
    END_OF_DAY = "END_OF_DAY"


class Step(StrEnum):
    """In the order of 4.3."""

    CHECK_SYSTEM = "CHECK_SYSTEM"  # configuration, schema, indexes, replica set, clock; lease and fencing token
    LOAD_STATE = "LOAD_STATE"  # kill level (never lowered by a restart), locks, open orders, floor of order ids
    DOUBT_ORDERS = "DOUBT_ORDERS"  # INTENT is not sent, what may be under way is unknown; positions are their sums
    CONNECT = "CONNECT"  # a new epoch; server time, accounts, next valid id
    SUBSCRIBE = "SUBSCRIBE"  # to what is told live, before asking
    QUERY = "QUERY"  # orders, executions, positions, account; each with its end
    INGEST = "INGEST"  # executions, then orders, then what was told meanwhile
    RESOLVE = "RESOLVE"  # unknown orders; all breaks
    COMPARE = "COMPARE"  # positions, by two looks
    CHECK_YESTERDAY = "CHECK_YESTERDAY"  # fills against the statement
    CHECK_CONTRACTS = "CHECK_CONTRACTS"  # reference data, days to close-out, forced rolls
    EXPIRE_ORDERS = "EXPIRE_ORDERS"  # of earlier days; children first
    RECOUNT_LIMITS = "RECOUNT_LIMITS"
    CHECK_MARGIN = "CHECK_MARGIN"
    RECORD = "RECORD"  # the run with its verdict
    OPEN_GATE = "OPEN_GATE"


class Outcome(StrEnum):
    """How a step ended."""

    DONE = "DONE"
    AGAIN = "AGAIN"  # no answer, or two looks do not agree yet: the same step once more
    REFUSED = "REFUSED"  # it cannot succeed: the run is recorded as failed, and the gate stays shut


_S = Step
_ASK: Final = (_S.QUERY, _S.INGEST, _S.RESOLVE, _S.COMPARE)
STEPS: Final[Mapping[RunKind, tuple[Step, ...]]] = {
    RunKind.START_OF_DAY: tuple(Step),
    RunKind.RECONNECT: (_S.DOUBT_ORDERS, _S.CONNECT, _S.SUBSCRIBE, *_ASK, _S.RECORD, _S.OPEN_GATE),
    RunKind.CONTINUOUS: (*_ASK, _S.RECORD),
    RunKind.END_OF_DAY: (*_ASK, _S.CHECK_YESTERDAY, _S.EXPIRE_ORDERS, _S.RECORD),
}


def noted(outcomes: Mapping[Step, Outcome], step: Step, outcome: Outcome) -> dict[Step, Outcome]:
    """The outcomes with that of `step`.

    A look that must be repeated begins with the questions again: old answers beside new ones are no moment.
    """
    if outcome is Outcome.AGAIN and step in _ASK:
        return {done: how for done, how in outcomes.items() if done not in _ASK}
    return {**outcomes, step: outcome}


def next_step(kind: RunKind, outcomes: Mapping[Step, Outcome]) -> Step | None:
    """What to do now; None: the run is over. After a refusal only the record is left to be written, if it can be."""
    if Outcome.REFUSED in outcomes.values():
        return None if outcomes.get(Step.RECORD) in (Outcome.DONE, Outcome.REFUSED) else Step.RECORD
    return next((step for step in STEPS[kind] if outcomes.get(step) is not Outcome.DONE), None)
