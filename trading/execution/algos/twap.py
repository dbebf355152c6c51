"""Evenly over time: so many slices, each passive first, then aggressive. Pure.

After i of N slices floor(i Q / N) lots should be done: slices differ by at most one lot and sum to the whole. A slice
that was missed is caught up with the next, at most twice a slice at once; what is left at the end is told, not dumped.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from trading.execution.algos.frame import AlgoState, Cancel, Look, Phase, Step, Terms
from trading.execution.algos.original_best import original_best

SLICE: Final = timedelta(minutes=1)
PASSIVE_SHARE: Final = 0.6  # of a slice
CATCH_UP: Final = 2
LAST_STRETCH: Final = timedelta(minutes=10)  # before the deadline everything is aggressive


@dataclass(frozen=True, kw_only=True)
class Course:
    """So many lots, signed, from `since` on until the deadline."""

    lots: int
    since: datetime


def slices(course: Course, deadline: datetime) -> int:
    """How many slices the time has."""
    return max(1, int((deadline - course.since) / SLICE))


def due(quantity: int, done: int, count: int) -> int:
    """Lots, signed, that should be done after `done` of `count` slices have begun."""
    share = abs(quantity) * min(done, count) // count
    return share if quantity > 0 else -share


def twap(state: AlgoState, look: Look, terms: Terms, course: Course) -> Step:
    """One look at an order on its `course`, `universal` having had nothing to say."""
    count, begun = slices(course, state.deadline), int((look.now - course.since) / SLICE) + 1
    missing = due(course.lots, begun, count) - (course.lots - look.residual)
    a_slice = max(1, -(-abs(course.lots) // count))
    lots = min(abs(missing), CATCH_UP * a_slice) if missing * course.lots > 0 else 0
    if lots == 0 and look.living is None:
        return state, None
    into = (look.now - course.since) % SLICE
    hurry = into >= SLICE * PASSIVE_SHARE or look.now >= state.deadline - min(LAST_STRETCH, SLICE * count / 5)
    phased = state.moved(Phase.AGGRESSIVE if hurry else Phase.PASSIVE, look.now)
    if look.living is not None and not hurry and phased is not state:
        return phased, Cancel(reason="a new slice begins")
    step, action = original_best(replace(phased, since=look.now) if not hurry else phased, look, replace(
        terms, most_lots=max(1, min(terms.most_lots, lots or 1))))
    return step, action
