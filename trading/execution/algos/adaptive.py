"""By the broker's own algo: it waits and crosses as it sees fit, within a limit of ours. Pure.

It gets the price at which our own chase would end, never a free hand; our deadline, and what every algo does before
its own, stand around it. A broker that refuses to work an order so loses it to our own way of doing it: BEST.
"""

from datetime import timedelta
from decimal import Decimal
from typing import Final, NamedTuple

from trading.execution.algos.frame import (
    AlgoState,
    Finish,
    Look,
    Phase,
    Place,
    Step,
    Tell,
    Terms,
    child_lots,
    with_arrival,
    within_chase,
)
from trading.execution.algos.original_best import MOST_CHILDREN, ends_soon, onto_grid, told_of_the_chase
from trading.execution.order_states import AdaptivePriority, ExecutionStyle

SOON: Final = timedelta(minutes=2)


class Urgency(NamedTuple):
    """How much the broker's algo is to hurry, and why."""

    priority: AdaptivePriority
    reason: str


def urgency(state: AlgoState, look: Look, terms: Terms) -> Urgency:
    """Normal, unless there is no time for it or no hurry at all. Who must trade now is not worked so: MARKETABLE."""
    if ends_soon(look):
        return Urgency(AdaptivePriority.URGENT, "the session ends soon")
    if state.deadline - look.now <= SOON:
        return Urgency(AdaptivePriority.URGENT, "the time of the order is nearly over")
    if terms.is_roll:
        return Urgency(AdaptivePriority.PATIENT, "a roll can wait for its price")
    return Urgency(AdaptivePriority.NORMAL, "nothing hurries, and nothing asks for patience")


def adaptive(state: AlgoState, look: Look, terms: Terms) -> Step:
    """One look, `universal` having had nothing to say."""
    assert look.touch is not None
    state = with_arrival(state, look.touch).moved(Phase.PASSIVE, look.now)
    if look.algo_was_refused:
        return _without_it(state, look)
    if look.living is None and look.children >= MOST_CHILDREN:
        return state.done(Finish.ATTEMPTS, look.now), None
    quantity = child_lots(look, terms)
    limit = _limit(state, look, terms, quantity)
    if _is_out_of_reach(limit, look, quantity) and not state.chased:
        return told_of_the_chase(state, look, terms, limit)
    return state, None if look.living is not None else _placed(state, look, terms, limit)


def _placed(state: AlgoState, look: Look, terms: Terms, limit: Decimal) -> Place:
    priority, reason = urgency(state, look, terms)
    return Place(quantity=child_lots(look, terms), limit=limit, adaptive=priority,
                 is_passive=priority is not AdaptivePriority.URGENT,
                 reason=f"the broker's algo goes about it as {priority.value}: {reason}")


def _limit(state: AlgoState, look: Look, terms: Terms, quantity: int) -> Decimal:
    """As far as our own chase would go, from the price of now and from that on arrival: the nearer of both."""
    assert look.touch is not None
    room = terms.chase() if quantity > 0 else -terms.chase()
    return onto_grid(within_chase(look.touch.far(quantity) + room, state, look, terms), quantity, terms)


def _is_out_of_reach(limit: Decimal, look: Look, quantity: int) -> bool:
    assert look.touch is not None
    far = look.touch.far(quantity)
    return limit < far if quantity > 0 else limit > far


def _without_it(state: AlgoState, look: Look) -> Step:
    assert look.child is not None
    reason = f"the broker does not work it by its own algo: {look.child.reason or 'it gave no reason'}"
    return state.without_own_style(ExecutionStyle.BEST, look, reason), Tell(
        text=f"{reason}; the {abs(look.residual)} lots that are left are worked as BEST")
