"""Passive first, then aggressive: at our own side, until time, the market or the book says to take the other one. Pure.

The peer's algo turned aggressive on a flicker of one tick, took a dead feed for a quiet market, and chased without end
(orders_and_risk.md 5.3). Here a move must last and be seen twice, and the chase ends at a limit, where the order rests.
"""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Final

from trading.execution.algos.frame import (
    AlgoState,
    Cancel,
    Change,
    Finish,
    Look,
    Phase,
    Place,
    Step,
    Tell,
    Terms,
    child_lots,
    may_change,
    with_arrival,
    within_chase,
)
from trading.execution.quotes import Touch

PASSIVE_AT_MOST: Final = timedelta(seconds=300)
PASSIVE_SHARE: Final = 0.4  # of the time until the deadline
LASTS: Final = timedelta(seconds=2)
LOOKS: Final = 2
IMBALANCE: Final = 5
ENOUGH: Final = 3  # lots on the far side, for each one that we want
NO_PASSIVE_BEFORE_CLOSE: Final = timedelta(minutes=15)
MOST_CHILDREN: Final = 60


def original_best(state: AlgoState, look: Look, terms: Terms) -> Step:
    """One look, `universal` having had nothing to say."""
    assert look.touch is not None
    state = with_arrival(state, look.touch)
    if state.phase in (Phase.INIT, Phase.QUOTE_WAIT, Phase.CANCELLING):
        state = state.moved(Phase.AGGRESSIVE if _must_hurry(state, look) else Phase.PASSIVE, look.now)
    if state.phase is Phase.PASSIVE:
        state = _patience(_watched(state, look, look.touch), look)
    if look.children >= MOST_CHILDREN and look.living is None:
        return state.done(Finish.ATTEMPTS, look.now), None
    return _passive(state, look, terms) if state.phase is Phase.PASSIVE else _aggressive(state, look, terms)


def passive_only(state: AlgoState, look: Look, terms: Terms) -> Step:
    """Like it, but it never takes the other side: it follows its own one, both ways."""
    assert look.touch is not None
    state = with_arrival(state, look.touch).moved(Phase.PASSIVE, look.now)
    if look.living is None:
        return _passive(state, look, terms)
    return state, _changed(terms.grid.passive(look.touch.own(look.residual), look.residual), look)


def _must_hurry(state: AlgoState, look: Look) -> bool:
    """The session ends soon, or the book already says what it will do next."""
    was_aggressive = state.phase is Phase.CANCELLING and look.now - state.started >= PASSIVE_AT_MOST
    return ends_soon(look) or was_aggressive


def ends_soon(look: Look) -> bool:
    """The session leaves no time for patience."""
    return look.closes is not None and look.now >= look.closes - NO_PASSIVE_BEFORE_CLOSE


def _watched(state: AlgoState, look: Look, touch: Touch) -> AlgoState:
    """How long, and in how many looks, the market has been going away from us or leaning on the other side."""
    arrival = state.arrival
    assert arrival is not None
    sign = 1 if look.residual > 0 else -1
    has_moved = sign * (touch.own(look.residual) - arrival.own(look.residual)) > 0
    if not has_moved and not _leans(look, touch):
        return replace(state, adverse_since=None, adverse_looks=0)
    return replace(state, adverse_since=state.adverse_since or look.now, adverse_looks=state.adverse_looks + 1)


def _leans(look: Look, touch: Touch) -> bool:
    """Many lots rest with us, and few are left to take."""
    own, far = touch.own_size(look.residual), touch.far_size(look.residual)
    if own is None or far is None:
        return False
    return own > IMBALANCE * max(far, 1) and far < ENOUGH * abs(look.residual)


def _patience(state: AlgoState, look: Look) -> AlgoState:
    allowed = min(PASSIVE_AT_MOST, (state.deadline - state.started) * PASSIVE_SHARE)
    lasts = state.adverse_since is not None and look.now - state.adverse_since >= LASTS
    if look.now - state.since >= allowed or (lasts and state.adverse_looks >= LOOKS):
        return state.moved(Phase.AGGRESSIVE, look.now)
    return state


def _passive(state: AlgoState, look: Look, terms: Terms) -> Step:
    assert look.touch is not None
    if look.living is not None:
        return state, None
    quantity = child_lots(look, terms)
    return state, Place(quantity=quantity, limit=terms.grid.passive(look.touch.own(quantity), quantity),
                        is_passive=True)


def _aggressive(state: AlgoState, look: Look, terms: Terms) -> Step:
    """At the far side, following it, never further than the chase allows."""
    assert look.touch is not None
    quantity = child_lots(look, terms)
    wanted = terms.grid.aggressive(look.touch.far(quantity), quantity)
    limit = onto_grid(within_chase(wanted, state, look, terms), quantity, terms)
    if limit != wanted and not state.chased:
        return told_of_the_chase(state, look, terms, limit)
    if look.living is None:
        return state, Place(quantity=quantity, limit=limit, is_passive=False)
    return state, _changed(limit, look)


def _changed(limit: Decimal, look: Look) -> Change | Cancel | None:
    """Move the child, unless it stands there already; one that was moved too often is taken back."""
    living = look.living
    if living is None or limit == living.limit_price or not may_change(look):
        return None
    return Change(limit=limit)


def told_of_the_chase(state: AlgoState, look: Look, terms: Terms, limit: Decimal) -> Step:
    """Once an order: the market is where it is not followed."""
    return replace(state, chased=True), Tell(text=(
        f"the market has gone further than {terms.chase():f} from {_far(state, look)}, where the order came; it rests "
        f"at {limit}"))


def onto_grid(price: Decimal, quantity: int, terms: Terms) -> Decimal:
    """The limit of the chase itself may lie between two ticks: rounded so that it is not passed."""
    return price if terms.grid.holds(price) else terms.grid.passive(price, quantity)


def _far(state: AlgoState, look: Look) -> Decimal | None:
    return None if state.arrival is None else state.arrival.far(look.residual)
